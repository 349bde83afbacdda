"""Files of runs and models below one folder a domain.

Every path is walked component by component from an open folder and never through a link, so no name, and nothing
swapped in between, leads out. All of this blocks: call it in a thread.
"""

import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from msgspec import Struct

from studio.errors import Invalid, NotFound
from studio.ids import check_name
from studio.runtime import beneath
from studio.settings import Paths
from studio.tracking.places import Place

COPY = 1 << 20


class FileInfo(Struct, frozen=True):
    """`path` relative to what was listed; folders have no size."""

    path: str
    is_dir: bool
    file_size: int | None = None


class OpenFile(Struct):
    """An open regular file; whoever has it closes `descriptor`. `tag` differs for every file that was ever here."""

    descriptor: int
    size: int
    modified_ms: int
    tag: str


def root(paths: Paths, domain: str) -> Path:
    """The folder of the artifacts of `domain`."""
    return paths.artifacts / check_name(domain, "domain")


def list_files(folder: Path, place: Place) -> list[FileInfo]:
    """What lies directly in `place`, by name; nothing if there is no such folder, as in MLflow."""
    found: list[FileInfo] = []
    with suppress(FileNotFoundError, NotADirectoryError), _walked(folder, place.parts) as descriptor:
        for entry in os.scandir(descriptor):
            status = entry.stat(follow_symlinks=False)
            if stat.S_ISDIR(status.st_mode):
                found.append(FileInfo(entry.name, True))
            elif stat.S_ISREG(status.st_mode):
                found.append(FileInfo(entry.name, False, status.st_size))
    return sorted(found, key=lambda info: info.path)


def walk(folder: Path, place: Place) -> Iterator[FileInfo]:
    """All files below `place`, paths relative to it, in order; links and special files are left out."""
    for info in list_files(folder, place):
        if not info.is_dir:
            yield info
            continue
        for below in walk(folder, place.join(info.path)):
            yield FileInfo(f"{info.path}/{below.path}", False, below.file_size)


def open_file(folder: Path, place: Place) -> OpenFile:
    """Opens a file for reading; `NotFound` if there is none, `Invalid` if it is a folder."""
    try:
        with _walked(folder, place.parts[:-1]) as parent:
            descriptor = os.open(place.parts[-1] if place.parts else ".", beneath.FILE, dir_fd=parent)
    except OSError as error:
        raise NotFound(f"No such artifact: '{place.path}'") from error
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        os.close(descriptor)
        if stat.S_ISDIR(status.st_mode):
            raise Invalid(f"Artifact path refers to a directory, not a file: '{place.path}'")
        raise NotFound(f"No such artifact: '{place.path}'")
    # Files are never changed in place: another content is another inode, or the same one at another time.
    tag = f"{status.st_ino:x}-{status.st_mtime_ns:x}-{status.st_size:x}"
    return OpenFile(descriptor, status.st_size, status.st_mtime_ns // 1_000_000, tag)


def close(opened: OpenFile) -> None:
    """Lets an open file go."""
    os.close(opened.descriptor)


def read_bytes(folder: Path, place: Place, limit: int = 16 << 20) -> bytes:
    """The whole of a file of at most `limit` bytes."""
    opened = open_file(folder, place)
    with os.fdopen(opened.descriptor, "rb") as file:
        if opened.size > limit:
            raise Invalid(f"The artifact '{place.path}' has {opened.size} bytes; {limit} are the most to read at once.")
        return file.read(limit)


def copy_tree(folder: Path, place: Place, target: Path) -> int:
    """Copies all files below `place` into `target` (a new folder of the host's) and returns their bytes."""
    total = 0
    for info in walk(folder, place):
        goal = target / info.path
        goal.parent.mkdir(parents=True, exist_ok=True)
        opened = open_file(folder, place.join(info.path))
        with os.fdopen(opened.descriptor, "rb") as source, goal.open("xb") as sink:
            shutil.copyfileobj(source, sink, COPY)
        total += opened.size
    return total


def remove(folder: Path, place: Place) -> None:
    """Deletes a file or a folder with all below it; nothing happens if there is none."""
    if not place.parts:
        raise Invalid("Invalid path.", "Name what to delete.")
    beneath.remove_tree(folder, place.parts)


def put(folder: Path, place: Place, received: Path) -> None:
    """Moves a file of the same file system to `place`, in one step, instead of a file that was there."""
    if not place.parts:
        raise Invalid("Invalid path.", "Name the file.")
    try:
        with _walked(folder, place.parts[:-1], make=True) as parent:
            os.rename(received, place.parts[-1], dst_dir_fd=parent)
            os.fsync(parent)
    except (IsADirectoryError, NotADirectoryError, FileExistsError) as error:
        raise Invalid(
            f"'{place.path}' cannot be written: a file and a folder would have the same name.", "Choose another."
        ) from error


@contextmanager
def _walked(folder: Path, parts: tuple[str, ...], *, make: bool = False) -> Iterator[int]:
    """The descriptor of the folder `parts` below `folder`; OSError on a link, a file or nothing in the way."""
    if make:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with beneath.folder(folder, parts, make=make) as descriptor:
        yield descriptor
