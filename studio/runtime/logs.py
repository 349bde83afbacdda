"""Log files: opened by the host below one folder, capped, read without following links."""

import os
from contextlib import suppress
from pathlib import Path, PurePosixPath

from msgspec import Struct

from studio.errors import Invalid, NotFound
from studio.runtime import beneath

CAP_BYTES = 32 * 1024 * 1024


class Tail(Struct, frozen=True):
    """A piece of a log. `next_offset` is where to go on; `truncated`: older text was cut away since `offset`."""

    text: str
    next_offset: int
    size: int
    truncated: bool = False


def _parts(name: str) -> tuple[str, ...]:
    parts = PurePosixPath(name).parts
    if not parts or any(part in ("/", "..", ".") or "\0" in part or "\\" in part for part in parts):
        raise Invalid(f"{name!r} is not the name of a log.")
    return parts


def _open(root: Path, name: str, flags: int, *, make: bool) -> int:
    parts = _parts(name)
    with beneath.folder(root, parts[:-1], make=make) as folder:
        return beneath.regular(folder, parts[-1:], flags)


def name_below(root: Path, path: str) -> str:
    """The part of `path` below `root`; `Invalid` if it is not below it."""
    try:
        name = str(PurePosixPath(path).relative_to(root)) if path.startswith("/") else path
    except ValueError:
        raise Invalid(f"The log {path!r} is not below {root}.") from None
    _parts(name)
    return name


def open_append(root: Path, name: str) -> int:
    """A descriptor that appends to the log `name` below `root`; folders are made, links are refused."""
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    return _open(root, name, os.O_WRONLY | os.O_APPEND | os.O_CREAT, make=True)


def tail(root: Path, name: str, offset: int = 0, limit: int = 262_144) -> Tail:
    """Text of the log from byte `offset` (negative: that many bytes before the end), at most `limit` bytes."""
    try:
        descriptor = _open(root, name, os.O_RDONLY, make=False)
    except (FileNotFoundError, NotADirectoryError):
        raise NotFound(f"There is no log {name}.", "It appears when the process has started.") from None
    except OSError as error:
        raise Invalid(f"The log {name} cannot be read: {error.strerror}.") from error
    try:
        size = os.fstat(descriptor).st_size
        truncated = offset > size
        begin = max(0, size + offset) if offset < 0 else 0 if truncated else offset
        data = os.pread(descriptor, max(0, limit), begin)
    finally:
        os.close(descriptor)
    cut = len(data) - _incomplete(data) if begin + len(data) < size else len(data)
    return Tail(data[:cut].decode("utf-8", "replace"), begin + cut, size, truncated)


def _incomplete(data: bytes) -> int:
    """Bytes at the end of `data` that begin a UTF-8 character without finishing it (0 to 3)."""
    for back in range(1, min(4, len(data) + 1)):
        byte = data[-back]
        if byte & 0xC0 != 0x80:
            need = 4 if byte >= 0xF0 else 3 if byte >= 0xE0 else 2 if byte >= 0xC0 else 1
            return back if need > back else 0
    return 0


def size_of(root: Path, name: str) -> int:
    """Bytes of the log `name`; 0 if there is none."""
    try:
        return (root / name).lstat().st_size
    except OSError:
        return 0


def cut(root: Path, name: str, cap_bytes: int = CAP_BYTES) -> bool:
    """Cuts the log `name` to the last eighth of `cap_bytes`; writers append, so they go on. False if it could not."""
    with suppress(OSError, Invalid):
        descriptor = _open(root, name, os.O_RDWR, make=False)
        try:
            size = os.fstat(descriptor).st_size
            kept = os.pread(descriptor, cap_bytes // 8, max(0, size - cap_bytes // 8))
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, b"[earlier output was cut: the log had reached its cap]\n" + kept, 0)
        finally:
            os.close(descriptor)
        return True
    return False


def cap(root: Path, cap_bytes: int = CAP_BYTES) -> list[str]:
    """Cuts every log below `root` that is over `cap_bytes`; the names that were cut."""
    names = [str(path.relative_to(root)) for path in root.rglob("*.log")] if root.is_dir() else []
    return [name for name in names if size_of(root, name) > cap_bytes and cut(root, name, cap_bytes)]
