"""The bodies and answers of predictions that are made later: files that only the host sees.

`invocations/<domain>/<endpoint's id>/<id>/` has `body`, and once the prediction is made `answer`, which the gateway
writes (`studio.gateway.filed`). All of this blocks: call it in a thread.
"""

import os
import shutil
import time
from collections.abc import Collection, Mapping
from contextlib import suppress
from pathlib import Path

from studio.errors import NotFound, TooLarge
from studio.runtime import space
from studio.settings import Paths
from studio.tracking.artifacts import OpenFile
from studio.tracking.uploads import Received

INCOMING = ".incoming"  # no domain can be called so
BODY, ANSWER = "body", "answer"
LEFT_S = 3600.0  # a folder that no row speaks of, and that is older, is what a crash has left
_COPY = 4 << 20


def place(paths: Paths, domain: str, endpoint: str, id: str) -> Path:
    """The folder of one."""
    return paths.invocations / domain / endpoint / id


class Body(Received):
    """A body that is being received, of at most `most` bytes; `TooLarge` at the first byte over it."""

    def __init__(self, paths: Paths, most: int, announced: int = 0) -> None:
        self._most = most
        self._check(announced)
        super().__init__(paths.invocations / INCOMING, announced)

    def write(self, data: bytes) -> None:
        self._check(self.size + len(data))
        super().write(data)

    def _check(self, size: int) -> None:
        if size > self._most:
            raise TooLarge(
                f"The body is larger than {self._most >> 20} MiB, the limit of predictions that are made later.",
                "Send fewer rows at a time, score a file with a batch job, or have STUDIO_ASYNC_BODY_MB raised.",
            )

    def copy(self, descriptor: int) -> None:
        """Appends an open file, as far as it goes."""
        with os.fdopen(os.dup(descriptor), "rb") as source:
            while data := source.read(_COPY):
                self.write(data)

    def finish(self, folder: Path) -> None:
        """Makes it durable, then visible as the body in `folder`, which is made."""
        self.durable()
        with space.explained():
            folder.mkdir(parents=True, mode=0o700)
            self._path.rename(folder / BODY)
            for changed in (folder, folder.parent):
                _sync(changed)


def open_answer(folder: Path) -> OpenFile:
    """The answer, to be sent; `NotFound` if there is none."""
    try:
        descriptor = os.open(folder / ANSWER, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as error:
        raise NotFound("The answer is not there any more.", "Ask for the prediction again.") from error
    status = os.fstat(descriptor)
    tag = f"{status.st_ino:x}-{status.st_mtime_ns:x}-{status.st_size:x}"
    return OpenFile(descriptor, status.st_size, status.st_mtime_ns // 1_000_000, tag)


def remove(folder: Path) -> None:
    """Removes what there is of one; nothing happens if there is nothing."""
    shutil.rmtree(folder, ignore_errors=True)


def listed(paths: Paths) -> list[tuple[str, str, str]]:
    """(domain, endpoint's id, id) of every folder; to be asked before the rows are read, which come after the files."""
    return [
        (domain.name, endpoint.name, id)
        for domain in _folders(paths.invocations)
        if domain.name != INCOMING
        for endpoint in _folders(domain)
        for id in ("", *(found.name for found in _folders(endpoint)))
    ]


def clear(paths: Paths, found: Collection[tuple[str, str, str]], known: Mapping[str, Collection[str]]) -> None:
    """Of what was `listed`, removes what belongs to no endpoint any more, and what a crash has left. `known`: the
    endpoints' ids → those of their rows."""
    for domain, endpoint, id in found:
        folder = place(paths, domain, endpoint, id)
        if endpoint not in known:
            remove(folder)
        elif id and id not in known[endpoint]:
            _drop_old(folder)
    for received in (paths.invocations / INCOMING).glob("*.new"):
        _drop_old(received)


def _drop_old(found: Path) -> None:
    with suppress(OSError):
        if time.time() - found.stat().st_mtime > LEFT_S:
            remove(found) if found.is_dir() else found.unlink()


def _folders(root: Path) -> list[Path]:
    try:
        return [found for found in root.iterdir() if found.is_dir()]
    except FileNotFoundError:
        return []


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
