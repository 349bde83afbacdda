"""Files on their way into a domain's artifacts, whole in one request or in parts; nothing is seen before the end.

Everything lies in `.uploads` beside the domains' folders, on the same file system, so that a rename makes it visible.
All of this blocks: call it in a thread.
"""

import hashlib
import os
import shutil
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Self

import msgspec

from studio.errors import Conflict, Invalid, NotFound
from studio.ids import check_name, hex32
from studio.runtime import space
from studio.settings import Paths
from studio.tracking import artifacts
from studio.tracking.places import Place

FOLDER = ".uploads"  # no domain can be called so
MOST_PARTS = 10_000
MOST_OPEN = 1_000
KEPT_S = 24 * 3600  # an upload in parts that nobody went on with for so long is dropped
_LOOK = 32 << 20  # bytes between two looks at what is free
_COPY = 4 << 20
_ABOUT = "about"
_CLOSING, _DONE = ".closing", ".done"


class Received:
    """A file being received under a temporary name in `folder`. Without `keep` nothing of it stays."""

    def __init__(self, folder: Path, announced: int = 0) -> None:
        with space.explained():
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            space.check(folder, announced)
            self._path = folder / f"{hex32()}.new"
            self._file = self._path.open("xb")
        self.size = 0

    def write(self, data: bytes) -> None:
        """Appends; `OutOfSpace` before the disk is full to the last byte."""
        if self.size // _LOOK != (self.size + len(data)) // _LOOK:
            space.check(self._path.parent, len(data))
        with space.explained():
            self._file.write(data)
        self.size += len(data)

    def durable(self) -> None:
        """Everything written is on the disk; nothing more can be."""
        with space.explained():
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()

    def abort(self) -> None:
        """Forgets what was received; does nothing once it was kept."""
        with suppress(OSError):  # what it could not write any more, on a full disk
            self._file.close()
        self._path.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.abort()


class Upload(Received):
    """One file, whole."""

    def __init__(self, paths: Paths, announced: int = 0) -> None:
        super().__init__(_folder(paths), announced)

    def append(self, path: Path) -> None:
        """Appends a whole file."""
        with path.open("rb") as source:
            while data := source.read(_COPY):
                self.write(data)

    def finish(self, folder: Path, place: Place) -> None:
        """Makes it durable, then visible at `place`, instead of a file that was there."""
        self.durable()
        with space.explained():
            artifacts.put(folder, place, self._path)


class About(msgspec.Struct, frozen=True):
    """Where an upload in parts is to be, and of how many parts it is."""

    path: str
    parts: int


class Part(Received):
    """One part of an upload."""

    def __init__(self, paths: Paths, domain: str, upload: str, number: int, announced: int = 0) -> None:
        if not 1 <= number <= about(paths, domain, upload).parts:
            raise Invalid(f"The upload has no part {number}.", "Parts are counted from 1.")
        self._number = number
        self._digest = hashlib.sha256()
        super().__init__(_of(paths, domain, upload), announced)

    def write(self, data: bytes) -> None:
        """Appends."""
        super().write(data)
        self._digest.update(data)

    def finish(self) -> str:
        """Makes it durable and the one of its number; its tag, the SHA-256 of its bytes."""
        self.durable()
        tag = self._digest.hexdigest()
        before = list(self._path.parent.glob(f"{self._number:05d}-*"))
        try:
            goal = self._path.rename(self._path.with_name(f"{self._number:05d}-{tag}"))
        except FileNotFoundError as error:
            raise _unknown() from error
        for other in before:
            if other != goal:
                other.unlink(missing_ok=True)
        return tag


def create(paths: Paths, domain: str, place: Place, parts: int) -> str:
    """Begins an upload of `parts` parts to `place`; its id."""
    if not place.parts or not 0 <= parts <= MOST_PARTS:
        raise Invalid(f"An upload has a path and 0 to {MOST_PARTS} parts.", "Send larger parts.")
    root = _root(paths, domain)
    with space.explained():
        root.mkdir(parents=True, exist_ok=True, mode=0o700)
        _drop_old(root)
        if sum(_is_open(entry.name) for entry in os.scandir(root)) >= MOST_OPEN:
            raise Conflict(f"{MOST_OPEN} uploads are open.", "Complete or abort some; forgotten ones end after a day.")
        new = root / (upload := hex32())
        new.mkdir(mode=0o700)
        try:
            (new / _ABOUT).write_bytes(msgspec.json.encode(About(place.path, parts)))
        except OSError:
            shutil.rmtree(new, ignore_errors=True)
            raise
    return upload


def about(paths: Paths, domain: str, upload: str) -> About:
    """An upload that is open in `domain`, or `NotFound`."""
    return _read(_of(paths, domain, upload))


def present(paths: Paths, domain: str, upload: str) -> dict[int, str]:
    """The parts that are here whole: number → tag."""
    about(paths, domain, upload)
    return _parts(_of(paths, domain, upload))


def complete(paths: Paths, domain: str, upload: str, place: Place, tags: Sequence[tuple[int, str]]) -> None:
    """Puts the parts together, durable and then visible at `place`; `Conflict` unless they are those named by `tags`
    ((number, tag or "") from 1 on). The same once more does nothing: the first answer may have been lost."""
    folder = _of(paths, domain, upload)
    closing, done = folder.with_name(upload + _CLOSING), folder.with_name(upload + _DONE)
    if done.is_dir() and _read(done).path == place.path:
        return
    known = _read(folder)
    if known.path != place.path:
        raise _unknown()
    folder.rename(closing)  # from here on no part changes
    try:
        found = _parts(closing)
        wanted = {number: tag.strip('"') for number, tag in tags}
        if sorted(wanted) != list(range(1, known.parts + 1)) or not wanted.keys() <= found.keys():
            missing = sorted(set(range(1, known.parts + 1)) - (found.keys() & wanted.keys()))[:10]
            raise Conflict(f"Parts are missing: {missing}.", "Send them and complete the upload again.")
        if any(tag and tag != found[number] for number, tag in wanted.items()):
            raise Conflict("A part is not the one that was sent last.", "Send it again with the tag of its answer.")
        _join(paths, [closing / f"{n:05d}-{found[n]}" for n in sorted(found)], artifacts.root(paths, domain), place)
    except BaseException:
        closing.rename(folder)
        raise
    for part in closing.glob("?????-*"):
        part.unlink()
    closing.rename(done)


def abort(paths: Paths, domain: str, upload: str) -> None:
    """Forgets an upload; nothing happens if there is none of `domain`."""
    with suppress(NotFound):
        about(paths, domain, upload)
        shutil.rmtree(_of(paths, domain, upload), ignore_errors=True)


def settle(paths: Paths) -> None:
    """Before the first upload of a server: drops what an earlier one was receiving; uploads in parts may go on."""
    for entry in _folder(paths).glob("*"):
        if entry.is_file():
            entry.unlink()
    for entry in _folder(paths).glob("*/*"):
        for file in entry.glob("*.new"):
            file.unlink()
        if entry.name.endswith(_CLOSING):
            entry.rename(entry.with_name(entry.name.removesuffix(_CLOSING)))
    for root in _folder(paths).glob("*/"):
        _drop_old(root)


def _join(paths: Paths, parts: list[Path], folder: Path, place: Place) -> None:
    with Upload(paths, sum(part.stat().st_size for part in parts)) as whole:
        for part in parts:
            whole.append(part)
        whole.finish(folder, place)


def _folder(paths: Paths) -> Path:
    return paths.artifacts / FOLDER


def _root(paths: Paths, domain: str) -> Path:
    return _folder(paths) / check_name(domain, "domain")


def _is_open(name: str) -> bool:
    return len(name) == 32 and set(name) <= set("0123456789abcdef")


def _of(paths: Paths, domain: str, upload: str) -> Path:
    """The folder of an upload; its id is held to what `create` gives."""
    if not _is_open(upload):
        raise _unknown()
    return _root(paths, domain) / upload


def _read(folder: Path) -> About:
    try:
        return msgspec.json.decode((folder / _ABOUT).read_bytes(), type=About)
    except (OSError, msgspec.DecodeError) as error:
        raise _unknown() from error


def _parts(folder: Path) -> dict[int, str]:
    return {int(path.name[:5]): path.name[6:] for path in folder.glob("?????-*")}


def _drop_old(root: Path) -> None:
    oldest = time.time() - KEPT_S
    for entry in os.scandir(root):
        if entry.is_dir(follow_symlinks=False) and entry.stat(follow_symlinks=False).st_mtime < oldest:
            shutil.rmtree(entry.path, ignore_errors=True)


def _unknown() -> NotFound:
    return NotFound("There is no such upload.", "It was completed or aborted, or a day has passed: begin a new one.")
