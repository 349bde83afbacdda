"""Opens what lies beneath a folder that somebody else can write: never through a link, so that no name, and nothing
that is swapped between a look and an open, leads out of it; and nothing but files and folders, so that a FIFO or a
device holds nobody up. Every reader and writer of a volume on the host's side comes through here.

The functions in the first half raise `OSError` as the system gives it, those in the second tell people what to do.
"""

import ctypes
import errno
import os
import secrets
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from studio.errors import Invalid, NotFound, TooLarge

FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# Non-blocking, so that a FIFO which somebody planted cannot hold a thread.
FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
# What an entry of a walk says that is gone, or has become something else meanwhile.
SWAPPED = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.EINVAL)
_FULL = (errno.ENOSPC, errno.EDQUOT)
_OPENAT2 = 437  # the same number on every architecture
# RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS | RESOLVE_BENEATH (openat2(2))
_BENEATH = 0x02 | 0x04 | 0x08


class _How(ctypes.Structure):
    _fields_ = (("flags", ctypes.c_uint64), ("mode", ctypes.c_uint64), ("resolve", ctypes.c_uint64))


def _syscall() -> "ctypes._NamedFuncPointer | None":
    if not hasattr(os, "pidfd_open"):  # not Linux
        return None
    call = ctypes.CDLL(None, use_errno=True).syscall
    call.argtypes = (ctypes.c_long, ctypes.c_int, ctypes.c_char_p, ctypes.POINTER(_How), ctypes.c_size_t)
    call.restype = ctypes.c_long
    return call


_call = _syscall()


class Entry(NamedTuple):
    """What `walk` found: `name` in the open folder `folder` (until the walk goes on), `path` below the root."""

    folder: int
    name: str
    path: str
    status: os.stat_result

    @property
    def is_folder(self) -> bool:
        return stat.S_ISDIR(self.status.st_mode)

    @property
    def is_file(self) -> bool:
        return stat.S_ISREG(self.status.st_mode)

    @property
    def is_link(self) -> bool:
        return stat.S_ISLNK(self.status.st_mode)


def open_at(root: Path | int, parts: Sequence[str], flags: int = FILE, mode: int = 0o600) -> int:
    """A descriptor of `parts` below `root` (a folder, or one that is open already); `OSError` if a link is on the way,
    or is what is there. Whether it is an ordinary file is for the caller to see: `regular` does."""
    check(parts)
    with folder(root) as top:
        opened = _open_whole(top, "/".join(parts), flags | os.O_NOFOLLOW | os.O_CLOEXEC, mode)
        if opened >= 0:
            return opened
        with folder(top, parts[:-1]) as parent:
            return os.open(parts[-1], flags | os.O_NOFOLLOW | os.O_CLOEXEC, mode, dir_fd=parent)


def _open_whole(top: int, path: str, flags: int, mode: int) -> int:
    """With one call of a kernel that can; -1 where it cannot or did not, and the walk then says why."""
    if _call is None:
        return -1
    how = _How(flags, mode if flags & os.O_CREAT else 0, _BENEATH)
    return int(_call(_OPENAT2, top, os.fsencode(path), ctypes.byref(how), ctypes.sizeof(how)))


@contextmanager
def folder(root: Path | int, parts: Sequence[str] = (), *, make: bool = False) -> Iterator[int]:
    """A descriptor of the folder `parts` below `root` (none: `root` itself); `OSError` if a link, a file or nothing is
    in the way. `make`: what is missing is made, for this user alone."""
    descriptor = os.dup(root) if isinstance(root, int) else os.open(root, FOLDER)
    try:
        if parts and not make and (opened := _open_whole(descriptor, "/".join(check(parts)), FOLDER, 0)) >= 0:
            os.close(descriptor)
            descriptor, parts = opened, ()
        for part in check(parts) if parts else ():
            if make:
                with suppress(FileExistsError):
                    os.mkdir(part, 0o700, dir_fd=descriptor)
            below = os.open(part, FOLDER, dir_fd=descriptor)
            os.close(descriptor)
            descriptor = below
        yield descriptor
    finally:
        os.close(descriptor)


def regular(root: Path | int, parts: Sequence[str], flags: int = FILE) -> int:
    """A descriptor of an ordinary file; `OSError`, or `Invalid` for a folder, a device, a FIFO or a socket."""
    opened = open_at(root, parts, flags | os.O_NONBLOCK)
    mode = os.fstat(opened).st_mode
    if not stat.S_ISREG(mode):
        os.close(opened)
        what = "a folder" if stat.S_ISDIR(mode) else "no ordinary file"
        raise Invalid(f"{'/'.join(parts)!r} is {what}.", "Name a file with data in it.")
    return opened


def walk(root: Path | int, parts: Sequence[str] = (), *, most: int = 0, whole: bool = False) -> Iterator[Entry]:
    """Everything below the folder, a folder before what is in it, by name; links and special files are entries that
    nobody opened. `TooLarge` over `most` entries (0: any number); `whole`: `PermissionError` for a folder that may not
    be read, which else is empty. However deep folders lie, one of them is open at a time."""
    count = 0
    with folder(root, parts) as top:
        for entry in _below(top, whole):
            count += 1
            if most and count > most:
                raise TooLarge(f"There are more than {most} files and folders.", "Remove what nobody needs.")
            yield entry


class _Level(NamedTuple):
    """A folder on the way down: which one it is, and what of it is still to come, last first."""

    name: str
    path: str
    identity: tuple[int, int]
    left: list[tuple[str, os.stat_result]]


def _level(descriptor: int, name: str, path: str) -> _Level:
    found: list[tuple[str, os.stat_result]] = []
    with os.scandir(descriptor) as entries:
        for item in entries:
            with suppress(OSError):  # gone meanwhile
                found.append((item.name, item.stat(follow_symlinks=False)))
    return _Level(name, path, _identity(descriptor), sorted(found, key=lambda one: one[0], reverse=True))


def _identity(descriptor: int) -> tuple[int, int]:
    status = os.fstat(descriptor)
    return status.st_dev, status.st_ino


def _below(top: int, whole: bool) -> Iterator[Entry]:
    here = os.dup(top)
    levels = [_level(here, "", "")]
    try:
        while levels:
            level = levels[-1]
            if not level.left:
                levels.pop()
                here = _up(top, here, levels)
                continue
            name, status = level.left.pop()
            path = f"{level.path}/{name}" if level.path else name
            yield Entry(here, name, path, status)
            if not stat.S_ISDIR(status.st_mode):
                continue
            try:
                opened = os.open(name, FOLDER, dir_fd=here)
            except OSError as error:
                if whole and isinstance(error, PermissionError):
                    raise
                continue  # gone, or swapped for something else
            os.close(here)
            here = opened
            levels.append(_level(here, name, path))
    finally:
        os.close(here)


def _up(top: int, here: int, levels: list[_Level]) -> int:
    """The folder above `here`, which is closed. It must be the one that the walk came from: if a folder was moved
    meanwhile it is looked for from the top, and what cannot be found again is left out."""
    if not levels:
        return here
    wanted = levels[-1]
    for is_short in (True, False):
        with suppress(OSError):
            above = os.open("..", FOLDER, dir_fd=here) if is_short else _again(top, levels)
            if _identity(above) == wanted.identity:
                os.close(here)
                return above
            os.close(above)
    wanted.left.clear()
    return here


def _again(top: int, levels: list[_Level]) -> int:
    with folder(top, [level.name for level in levels[1:]]) as found:
        return os.dup(found)


def check(parts: Sequence[str]) -> Sequence[str]:
    """`parts` themselves, or `Invalid` if they could mean anything but something below."""
    if not parts or any(part in ("", ".", "..") or "/" in part or "\0" in part for part in parts):
        raise Invalid(f"{'/'.join(parts)!r} is not a path below the folder.", "Write it without '..' and empty parts.")
    return parts


def parts_of(name: str) -> tuple[str, ...]:
    """The components of a relative path such as `spool/1.frames`; `Invalid` for one that is absolute or climbs."""
    if name.startswith("/"):
        raise Invalid(f"{name!r} is not a path below the folder.", "Write it relative to the folder.")
    return tuple(check(PurePosixPath(name).parts))


@contextmanager
def explained(root: Path | int, parts: Sequence[str]) -> Iterator[None]:
    """What the system says of `parts` below `root` as `NotFound` or `Invalid`, in words for people."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise
        raise _refusal(root, parts, error) from error


def open_file(root: Path | int, parts: Sequence[str]) -> int:
    """A descriptor to read an ordinary file.

    `NotFound` if it is not there; `Invalid` if it is a folder, a device, a link, or lies behind a link.
    """
    check(parts)
    with explained(root, parts):
        return regular(root, parts)


def read(root: Path | int, parts: Sequence[str], limit: int) -> bytes:
    """All of the file; `TooLarge` over `limit` bytes, else as `open_file`."""
    with os.fdopen(open_file(root, parts), "rb") as file:
        data = file.read(limit + 1)
    if len(data) > limit:
        raise TooLarge(f"{parts[-1]!r} is over {limit} bytes.", "Make it smaller.")
    return data


def write(root: Path | int, parts: Sequence[str], data: bytes, *, mode: int = 0o600) -> None:
    """Writes the whole file or nothing; folders are made. What had the name is replaced, a link there too."""
    check(parts)
    with explained(root, parts), folder(root, parts[:-1], make=True) as parent:
        fresh = f".{secrets.token_hex(8)}"
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode, dir_fd=parent)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            os.rename(fresh, parts[-1], src_dir_fd=parent, dst_dir_fd=parent)
        except OSError:
            with suppress(FileNotFoundError):
                os.unlink(fresh, dir_fd=parent)
            raise


def make_folder(root: Path | int, parts: Sequence[str]) -> None:
    """Makes the folder and those on the way, and keeps what is there; `Invalid` if a link or a file is in the way."""
    check(parts)
    with explained(root, parts), folder(root, parts, make=True):
        pass


def exists(root: Path | int, parts: Sequence[str]) -> bool:
    """Whether anything, a link too, has that name below `root`."""
    try:
        with folder(root, check(parts)[:-1]) as parent:
            os.stat(parts[-1], dir_fd=parent, follow_symlinks=False)
    except OSError:
        return False
    return True


def names(root: Path | int, parts: Sequence[str], suffix: str, limit: int = 1000) -> list[str]:
    """Names in the folder that end in `suffix`, sorted; none if there is no such folder."""
    found: list[str] = []
    with suppress(OSError), folder(root, parts) as descriptor, os.scandir(descriptor) as entries:
        for entry in entries:
            if entry.name.endswith(suffix):
                found.append(entry.name)
            if len(found) >= limit:
                break
    return sorted(found)


def remove(root: Path | int, parts: Sequence[str]) -> None:
    """Removes a file, a link itself, or an empty folder; nothing happens if it is not there or not empty."""
    with suppress(OSError), folder(root, check(parts)[:-1]) as parent:
        try:
            os.unlink(parts[-1], dir_fd=parent)
        except OSError:
            os.rmdir(parts[-1], dir_fd=parent)


def remove_tree(root: Path | int, parts: Sequence[str]) -> None:
    """Removes whatever has that name, a folder with all below it, however deep; nothing happens if there is none."""
    with suppress(FileNotFoundError, NotADirectoryError), folder(root, check(parts)[:-1]) as parent:
        try:
            os.unlink(parts[-1], dir_fd=parent)
        except (IsADirectoryError, PermissionError):
            with folder(parent, parts[-1:]) as top:
                _empty(top)
            os.rmdir(parts[-1], dir_fd=parent)


def _empty(top: int) -> None:
    """What cannot be removed stays, and with it the folders above it."""
    here = os.dup(top)
    levels = [_level(here, "", "")]
    try:
        while levels:
            if not levels[-1].left:
                gone = levels.pop().name
                here = _up(top, here, levels)
                with suppress(OSError):
                    if levels:
                        os.rmdir(gone, dir_fd=here)
                continue
            name, status = levels[-1].left.pop()
            with suppress(OSError):
                if not stat.S_ISDIR(status.st_mode):
                    os.unlink(name, dir_fd=here)
                    continue
                opened = os.open(name, FOLDER, dir_fd=here)
                os.close(here)
                here = opened
                levels.append(_level(here, name, ""))
    finally:
        os.close(here)


def _refusal(root: Path | int, parts: Sequence[str], error: OSError) -> NotFound | Invalid:
    """What an open that failed means to a person: the first component that is not what it should be."""
    for count in range(1, len(parts) + 1):
        name = "/".join(parts[:count])
        try:
            with folder(root, parts[: count - 1]) as parent:
                found = os.stat(parts[count - 1], dir_fd=parent, follow_symlinks=False)
        except OSError:
            return NotFound(f"There is no {name!r}.", "Look for it in the file browser; upload it if it is not there.")
        if stat.S_ISLNK(found.st_mode):
            return Invalid(f"{name!r} is a link.", "Links are not followed: name the file itself, or copy it here.")
        if count < len(parts) and not stat.S_ISDIR(found.st_mode):
            return Invalid(f"{name!r} is not a folder.", "Correct the path.")
    return Invalid(f"{'/'.join(parts)!r} cannot be opened: {error.strerror}.", "Check its permissions in a terminal.")
