"""What takes long with a domain's files, as a program of its own: `python -m studio.domains.storing TASK.json`.

The server writes the task, the supervisor starts the program, and both may be killed meanwhile: the program goes on, or
is started again with the same task and takes up where it was. Its report lies beside the task, replaced as a whole.
"""

import os
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Literal

import msgspec

from studio import clock
from studio.domains.volumes import OWN
from studio.errors import Conflict, NotFound, StudioError
from studio.runtime import beneath, space, trees

LEAVE = frozenset({OWN})
_TELL_S = 0.25
_PASSES = 50


class Task(msgspec.Struct):
    """`root`: the folder in question; `store`: the folder of the snapshot; `folder`: the new one to restore into, "" =
    in place, or what is to be removed below `root`; `domains`: name → its folders to be measured."""

    id: str
    kind: Literal["snapshot", "restore", "remove", "empty", "measure"]
    root: str = ""
    store: str = ""
    folder: str = ""
    domains: dict[str, dict[str, str]] = {}


class Report(msgspec.Struct):
    """How far it is (`done` of `total` bytes), or how it ended."""

    state: Literal["Running", "Done", "Failed"] = "Running"
    done: int = 0
    total: int = 0
    error: str = ""
    files: int = 0
    shared: int = 0
    skipped: int = 0
    changed: int = 0
    use: dict[str, dict[str, trees.Use]] = {}
    took_ms: dict[str, int] = {}


class Telling:
    """Writes the report, at most four times a second while it runs."""

    def __init__(self, path: Path) -> None:
        self.report = Report()
        self._path = path
        self._told = 0.0

    def more(self, done: int) -> None:
        """So many bytes more are done."""
        self.report.done += done
        if clock.monotonic() - self._told > _TELL_S:
            self.tell()

    def tell(self) -> None:
        """Replaces the report."""
        self._told = clock.monotonic()
        fresh = self._path.with_name(f"{self._path.name}.new")
        fresh.write_bytes(msgspec.json.encode(self.report))
        fresh.replace(self._path)


def report_path(task: Path) -> Path:
    """Where the report of the task in the file `task` lies."""
    return task.with_suffix(".report")


def snapshot(task: Task, telling: Telling) -> None:
    """Copies `root` to `store`/tree with its manifest; visible under that name only when it is whole."""
    store, report = Path(task.store), telling.report
    if not (store / "manifest.json").is_file():
        making = store.with_name(f".making-{store.name}")
        making.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        beneath.remove_tree(making.parent, [making.name])  # of an attempt that was killed
        report.total = trees.check_room(Path(task.root), making.parent, LEAVE).apparent
        making.mkdir(mode=0o700)
        try:
            manifest = trees.copy(Path(task.root), making / "tree", LEAVE, telling.more)
            (making / "manifest.json").write_bytes(msgspec.json.encode(manifest))
            trees.sync(making)
            making.rename(store)
        except BaseException:
            beneath.remove_tree(making.parent, [making.name])
            raise
    found = read_manifest(store)
    report.total = report.done = found.size
    report.files, report.shared = found.files, found.shared
    report.skipped, report.changed = len(found.skipped), len(found.changed)


def read_manifest(store: Path) -> trees.Manifest:
    """What a snapshot holds; `NotFound` if it is not whole."""
    try:
        return msgspec.json.decode((store / "manifest.json").read_bytes(), type=trees.Manifest)
    except (FileNotFoundError, msgspec.DecodeError):
        raise NotFound("The snapshot's files are not there.", "Choose another snapshot.") from None


def restore(task: Task, telling: Telling) -> None:
    """Copies a snapshot to the side, compares every file with its manifest, and only then puts it where it belongs."""
    store, root = Path(task.store), Path(task.root)
    wanted = read_manifest(store)
    side = store.with_name(f".{task.id}")
    if not (side / "whole").exists():
        beneath.remove_tree(side.parent, [side.name])
        telling.report.total = trees.check_room(store / "tree", side.parent).apparent
        side.mkdir(mode=0o700)
        try:
            trees.same(wanted, trees.copy(store / "tree", side / "tree", (), telling.more))
        except BaseException:
            beneath.remove_tree(side.parent, [side.name])
            raise
        (side / "whole").touch()
    telling.report.done = telling.report.total = wanted.size
    telling.report.files = wanted.files
    if task.folder:
        _put(side, root, task.folder)
    else:
        _exchange(side, root, task.id)
    trees.sync(root)
    beneath.remove_tree(side.parent, [side.name])


def _put(side: Path, root: Path, name: str) -> None:
    """The new folder appears as a whole; a name that is taken is refused."""
    if not (side / "tree").exists():
        return  # done by an attempt that was killed just after
    with beneath.folder(side) as above, beneath.folder(root) as below:
        if beneath.exists(below, [name]):
            raise Conflict(f"There is already {name!r}.", "Choose another name for the folder.")
        os.rename("tree", name, src_dir_fd=above, dst_dir_fd=below)


def _exchange(side: Path, root: Path, task: str) -> None:
    """What is in `root` goes to a folder inside it (a process that stands in it must not find itself outside of the
    volume), what is in `side`/tree takes its place, then the former is removed. Killed anywhere it goes on from there:
    the folder is cleared once, and what the tree still has is not there yet."""
    former, cleared = (OWN, task), side / "cleared"
    with (
        beneath.folder(side / "tree") as above,
        beneath.folder(root) as live,
        beneath.folder(root, former, make=True) as away,
    ):
        for name in os.listdir(live) if not cleared.exists() else ():  # noqa: PTH208 - no link is followed
            if name != OWN:
                _move_away(live, away, name)
        cleared.touch()
        for _ in range(_PASSES):
            for name in os.listdir(above):  # noqa: PTH208
                _move_away(live, away, name)  # somebody made it anew meanwhile
                with suppress(OSError):
                    os.rename(name, name, src_dir_fd=above, dst_dir_fd=live)
            if not os.listdir(above):  # noqa: PTH208
                break
        else:
            raise Conflict(
                "The folder is being written to without a pause.",
                f"Stop what writes there. What was there is in its {OWN}/{task}, and in the snapshot made before.",
            )
    beneath.remove_tree(root, former)


def _move_away(live: int, away: int, name: str) -> None:
    goal, number = name, 1
    while beneath.exists(away, [goal]):
        number += 1
        goal = f"{name}.{number}"[-255:]
    with suppress(FileNotFoundError):
        os.rename(name, goal, src_dir_fd=live, dst_dir_fd=away)


def remove(task: Task, _: Telling) -> None:
    """Removes a snapshot with what attempts at it left."""
    store = Path(task.store)
    for name in (store.name, f".making-{store.name}", f".{task.id}"):
        beneath.remove_tree(store.parent, [name])


def empty(task: Task, _: Telling) -> None:
    """Removes something below a folder that a sandbox writes to as well."""
    beneath.remove_tree(Path(task.root), beneath.parts_of(task.folder))


def measure(task: Task, telling: Telling) -> None:
    """What the folders of domains use."""
    for domain, folders in task.domains.items():
        began = clock.monotonic()
        telling.report.use[domain] = {name: trees.measure(Path(folder)) for name, folder in folders.items()}
        telling.report.took_ms[domain] = int((clock.monotonic() - began) * 1000)


KINDS = {"snapshot": snapshot, "restore": restore, "remove": remove, "empty": empty, "measure": measure}


def run(path: Path) -> Report:
    """Does the task in the file `path`; what goes wrong is said in the report."""
    task = msgspec.json.decode(path.read_bytes(), type=Task)
    telling = Telling(report_path(path))
    telling.tell()
    try:
        with space.explained():
            KINDS[task.kind](task, telling)
        telling.report.state = "Done"
    except StudioError as error:
        telling.report.state, telling.report.error = "Failed", str(error)[:1000]
    except OSError as error:
        said = f"The files could not be copied: {error.strerror or error}."
        telling.report.state, telling.report.error = "Failed", f"{said} Look at the disk, then try again."
    _tell_at_last(telling)
    return telling.report


def _tell_at_last(telling: Telling) -> None:
    """The end must be told even when the disk is full to the last byte: after a while there is room for a line."""
    for _ in range(20):
        try:
            telling.tell()
        except OSError:
            time.sleep(0.5)
        else:
            return


def main() -> None:
    """Gives way to whatever else wants the processor."""
    os.umask(0o077)
    os.nice(10)
    run(Path(sys.argv[1]))


if __name__ == "__main__":
    main()
