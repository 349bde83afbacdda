"""Copies of folders that others may be writing to: sharing blocks where the file system can, holes kept, hashed, never
through a link. All of this takes long: it runs in programs of its own, not in the server.
"""

import ctypes
import fcntl
import hashlib
import os
from collections.abc import Callable, Collection
from contextlib import suppress
from pathlib import Path

import msgspec

from studio.errors import Conflict, Invalid, TooLarge
from studio.runtime import beneath, space

MOST_FILES = 500_000
MOST_BYTES = 1 << 40  # as files say of themselves: a sparse one counts whole, since all of it is hashed
_FICLONE = 0x40049409  # ioctl_ficlonerange(2)
_PIECE = 4 << 20
_TRIES = 3
Progress = Callable[[int], None]
_sharing: dict[int, bool] = {}  # by device


class Item(msgspec.Struct, frozen=True, omit_defaults=True):
    """A file (with its SHA-256), a folder ("d") or a link ("l", never followed, with its text)."""

    path: str
    kind: str = "f"
    mode: int = 0o644
    mtime_ns: int = 0
    size: int = 0
    sha256: str = ""
    target: str = ""


class Manifest(msgspec.Struct):
    """What a copy holds. `shared`: files that share their blocks with the original; `skipped`: sockets, FIFOs, devices
    and what was gone; `changed`: files that never stood still while they were copied."""

    items: list[Item] = []
    size: int = 0
    shared: int = 0
    skipped: list[str] = []
    changed: list[str] = []

    @property
    def files(self) -> int:
        return sum(item.kind == "f" for item in self.items)


class Use(msgspec.Struct, frozen=True):
    """Bytes on the disk (a hard link counts once), bytes as files say of themselves, files."""

    disk: int = 0
    apparent: int = 0
    files: int = 0


def measure(root: Path, leave: Collection[str] = ()) -> Use:
    """What lies below `root`, without the names `leave` directly in it; nothing if there is no such folder."""
    disk = apparent = files = 0
    seen: set[tuple[int, int]] = set()
    with suppress(FileNotFoundError):
        for entry in beneath.walk(root):
            if entry.path.partition("/")[0] in leave:
                continue
            status = entry.status
            if status.st_nlink > 1 and not entry.is_folder:
                if (status.st_dev, status.st_ino) in seen:
                    continue
                seen.add((status.st_dev, status.st_ino))
            disk += status.st_blocks * 512
            if entry.is_file:
                apparent += status.st_size
                files += 1
    return Use(disk, apparent, files)


def check_room(root: Path, target: Path, leave: Collection[str] = ()) -> Use:
    """What is to be copied; `TooLarge` over the limits, `OutOfSpace` if the disk of `target` would be too full."""
    use = measure(root, leave)
    if use.files > MOST_FILES or use.apparent > MOST_BYTES:
        raise TooLarge(
            f"There are {use.files} files of {use.apparent >> 30} GiB together.",
            f"At most {MOST_FILES} files and {MOST_BYTES >> 30} GiB are copied: remove what can be made again.",
        )
    space.check(target, 0 if can_share(target) else use.disk)
    return use


def can_share(folder: Path) -> bool:
    """Whether the file system of `folder` gives a copy the blocks of its original (reflinks: btrfs, xfs …); tried once
    for each, with two small files."""
    device = folder.stat().st_dev
    if device not in _sharing:
        names = [folder / f".share-{os.getpid()}-{number}" for number in (1, 2)]
        try:
            with names[0].open("xb") as source, names[1].open("xb") as goal:
                source.write(b"x" * 4096)
                source.flush()
                _sharing[device] = _share(source.fileno(), goal.fileno())
        except OSError:
            return False  # a full disk tells nothing
        finally:
            for name in names:
                name.unlink(missing_ok=True)
    return _sharing[device]


def copy(root: Path, target: Path, leave: Collection[str] = (), progress: Progress = lambda _: None) -> Manifest:
    """Copies what is below `root` into the new folder `target`, which nobody else can write, and hashes what is there
    then. `leave`: names directly in `root` that stay out; `progress` is told bytes."""
    made = Manifest()
    target.mkdir(mode=0o700)
    for entry in beneath.walk(root, most=2 * MOST_FILES, whole=True):
        if entry.path.partition("/")[0] in leave:
            continue
        item = _copy_entry(entry, target / entry.path, made)
        if item is None:
            made.skipped.append(entry.path)
            continue
        made.items.append(item)
        made.size += item.size
        progress(item.size)
    for item in reversed(made.items):
        if item.kind == "d":
            _finish(target / item.path, item)
    sync(target)
    return made


def _copy_entry(entry: beneath.Entry, goal: Path, made: Manifest) -> Item | None:
    mode, mtime = entry.status.st_mode & 0o777, entry.status.st_mtime_ns
    if entry.is_folder:
        goal.mkdir(mode=0o700)
        return Item(entry.path, "d", mode, mtime)
    try:
        if entry.is_link:
            text = os.readlink(entry.name, dir_fd=entry.folder)
            goal.symlink_to(text)
            return Item(entry.path, "l", mtime_ns=mtime, target=text)
        return _copy_file(entry, goal, made) if entry.is_file else None
    except (OSError, Invalid) as error:
        if isinstance(error, OSError) and error.errno not in beneath.SWAPPED:
            raise
        goal.unlink(missing_ok=True)
        return None  # gone, or swapped for something else


def _copy_file(entry: beneath.Entry, goal: Path, made: Manifest) -> Item:
    for attempt in range(1, _TRIES + 1):
        source = beneath.regular(entry.folder, [entry.name])
        sink = os.open(goal, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            before = os.fstat(source)
            is_shared = _share(source, sink)
            if not is_shared:
                _copy_data(source, sink, before.st_size)
            after = os.fstat(source)
            size, digest = _digest(sink)
        finally:
            os.close(source)
            os.close(sink)
        if (before.st_size, before.st_mtime_ns) == (after.st_size, after.st_mtime_ns):
            break
        if attempt == _TRIES:
            made.changed.append(entry.path)
    made.shared += is_shared
    item = Item(entry.path, "f", before.st_mode & 0o777, before.st_mtime_ns, size, digest)
    _finish(goal, item)
    return item


def _share(source: int, goal: int) -> bool:
    try:
        fcntl.ioctl(goal, _FICLONE, source)
    except OSError:
        return False
    return True


def _copy_data(source: int, goal: int, size: int) -> None:
    """Only what is data; holes stay holes."""
    at = 0
    while at < size:
        try:
            at = os.lseek(source, at, os.SEEK_DATA)
            end = min(size, os.lseek(source, at, os.SEEK_HOLE))
        except OSError:
            break  # only a hole is left
        while at < end:
            piece = os.pread(source, min(_PIECE, end - at), at)
            if not piece:
                return  # it became shorter
            at += os.pwrite(goal, piece, at)
    os.ftruncate(goal, size)


def _digest(descriptor: int) -> tuple[int, str]:
    digest, size = hashlib.sha256(), 0
    while piece := os.pread(descriptor, _PIECE, size):
        digest.update(piece)
        size += len(piece)
    return size, digest.hexdigest()


def _finish(path: Path, item: Item) -> None:
    path.chmod(item.mode | (0o700 if item.kind == "d" else 0o400))
    os.utime(path, ns=(item.mtime_ns, item.mtime_ns))


def same(wanted: Manifest, made: Manifest) -> None:
    """`Conflict` naming the first thing of which a copy is not what the manifest says."""
    expected = {item.path: item for item in wanted.items}
    found = {item.path: item for item in made.items}
    for path in sorted(expected.keys() | found.keys()):
        if _content(expected.get(path)) != _content(found.get(path)):
            raise Conflict(f"{path!r} is not what it was when the copy was made.", "The copy is damaged; use another.")


def _content(item: Item | None) -> tuple[str, str, str] | None:
    return None if item is None else (item.kind, item.sha256, item.target)


def sync(folder: Path) -> None:
    """Everything written to the file system of `folder` is on the disk: one call instead of one for every file."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        call = getattr(ctypes.CDLL(None), "syncfs", None)
        if call is None or call(descriptor) != 0:
            os.sync()
    finally:
        os.close(descriptor)
