"""An endpoint as a folder that runs elsewhere: for each variant an image's files, for KServe its manifest too.

Nothing of this installation is in it but the model's files, the lock of its environment and Studio's replica host: no
key, no address, no captured row.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from studio.environments.store import lock_of
from studio.errors import Invalid, NotFound
from studio.runtime import beneath
from studio.serving import export_host, export_texts
from studio.serving.export_plan import Part, Plan

TARGETS = ("docker", "kserve")
MOST_LOCK = 16 << 20


@dataclass(frozen=True, slots=True)
class Item:
    """A file of the folder: `data`, or (None) `size` bytes of the file `source` below `root`."""

    path: str
    data: bytes | None
    root: Path = Path()
    source: str = ""
    size: int = 0


def check(target: str, registry: str) -> None:
    """`Invalid` unless there is such a target, and `registry` can begin the name of an image."""
    if target not in TARGETS:
        raise Invalid(f"{target!r} is nothing to export to.", f"Choose one of {', '.join(TARGETS)}.")
    if registry and not export_texts.REGISTRY.fullmatch(registry):
        raise Invalid(f"{registry!r} is no place for images.", "Write it as in registry.example:5000/team.")


def items(given: Plan, target: str, registry: str, models: Path, store: Path) -> list[Item]:
    """All files of the folder, by name; reads the disk. `models`: the domain's materialised versions; `store`: of
    environments. `NotFound` if something of it is gone."""
    top = f"{given.endpoint}-{target}"
    found = [Item(f"{top}/README.md", export_texts.readme(given, target, registry).encode())]
    host = export_host.files()
    for part in given.parts:
        lock = _lock(store, part)
        image = {
            "Dockerfile": export_texts.dockerfile(given, part, lock).encode(),
            "requirements.txt": lock.encode(),
            **host,
        }
        if target == "kserve":
            image["inferenceservice.yaml"] = export_texts.manifest(given, part, registry).encode()
        found += [Item(f"{top}/{part.name}/{path}", data) for path, data in image.items()]
        found += _model(models / part.digest, f"{top}/{part.name}/model")
    return sorted(found, key=lambda item: item.path)


def _lock(store: Path, part: Part) -> str:
    path = lock_of(store, part.fingerprint)
    try:
        return beneath.read(path.parent, [path.name], MOST_LOCK).decode()
    except NotFound as error:
        why = f"The lock of the environment {part.environment} is not there."
        raise NotFound(why, f"Build it again: `studio env build {part.environment}`.") from error


def _model(folder: Path, top: str) -> Iterator[Item]:
    try:
        for entry in beneath.walk(folder):
            if entry.is_file:
                yield Item(f"{top}/{entry.path}", None, folder, entry.path, entry.status.st_size)
    except FileNotFoundError as error:
        raise NotFound("The files of the version are not there.", "Promote it again, then export it.") from error
