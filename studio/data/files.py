"""Opens and writes files in folders that a sandbox can write, without following any link: what is opened lies below the
root, whatever was planted there meanwhile. Standard library only: the same code runs inside the sandbox."""

import os
import secrets
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from studio.errors import Invalid, NotFound, TooLarge


def _check(parts: Sequence[str]) -> None:
    if not parts or any(part in ("", ".", "..") or "/" in part or "\0" in part for part in parts):
        raise Invalid(f"{'/'.join(parts)!r} is not a path below the folder.", "Write it without '..' and empty parts.")


@contextmanager
def folder_beneath(root: Path, parts: Sequence[str], *, make: bool = False) -> Iterator[int]:
    """A descriptor of the folder `parts` below `root` (none: `root` itself); `make`: what is missing is made."""
    if parts:
        _check(parts)
    descriptor = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
    try:
        for index, part in enumerate(parts):
            if make:
                with suppress(FileExistsError):
                    os.mkdir(part, 0o700, dir_fd=descriptor)
            try:
                following = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=descriptor)
            except OSError as error:
                raise _refusal(error, descriptor, parts[: index + 1]) from error
            os.close(descriptor)
            descriptor = following
        yield descriptor
    finally:
        os.close(descriptor)


def open_beneath(root: Path, parts: Sequence[str]) -> int:
    """A descriptor to read the regular file `parts` below `root`.

    `NotFound` if it is not there; `Invalid` if it is a folder, a device, a link, or lies behind a link.
    """
    _check(parts)
    with folder_beneath(root, parts[:-1]) as folder:
        try:
            opened = os.open(parts[-1], os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
        except OSError as error:
            raise _refusal(error, folder, parts) from error
    if not stat.S_ISREG(os.fstat(opened).st_mode):
        is_folder = stat.S_ISDIR(os.fstat(opened).st_mode)
        os.close(opened)
        raise Invalid(
            f"{'/'.join(parts)!r} is {'a folder' if is_folder else 'no ordinary file'}.", "Name a file with data in it."
        )
    return opened


def read_beneath(root: Path, parts: Sequence[str], limit: int) -> bytes:
    """All of the file; `TooLarge` over `limit` bytes."""
    descriptor = open_beneath(root, parts)
    with os.fdopen(descriptor, "rb") as file:
        data = file.read(limit + 1)
    if len(data) > limit:
        raise TooLarge(f"{parts[-1]!r} is over {limit} bytes.", "Make it smaller.")
    return data


def write_beneath(root: Path, parts: Sequence[str], data: bytes) -> None:
    """Writes the whole file or nothing; folders are made. What had the name is replaced, a link there too."""
    _check(parts)
    with folder_beneath(root, parts[:-1], make=True) as folder:
        fresh = f".{secrets.token_hex(8)}"
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600, dir_fd=folder)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            os.rename(fresh, parts[-1], src_dir_fd=folder, dst_dir_fd=folder)
        except OSError:
            with suppress(FileNotFoundError):
                os.unlink(fresh, dir_fd=folder)
            raise


def remove_beneath(root: Path, parts: Sequence[str]) -> None:
    """Removes a file, or an empty folder; nothing happens if it is not there or not empty."""
    _check(parts)
    with suppress(NotFound, Invalid), folder_beneath(root, parts[:-1]) as folder:
        try:
            os.unlink(parts[-1], dir_fd=folder)
        except OSError:
            with suppress(OSError):
                os.rmdir(parts[-1], dir_fd=folder)


def _refusal(error: OSError, folder: int, parts: Sequence[str]) -> NotFound | Invalid:
    """What an open that failed means to a person."""
    name = "/".join(parts)
    try:
        found = os.stat(parts[-1], dir_fd=folder, follow_symlinks=False)
    except OSError:
        return NotFound(f"There is no {name!r}.", "Look for it in the file browser; upload it if it is not there.")
    if stat.S_ISLNK(found.st_mode):
        return Invalid(f"{name!r} is a link.", "Links are not followed: name the file itself, or copy it here.")
    if isinstance(error, NotADirectoryError):
        return Invalid(f"{name!r} is not a folder.", "Correct the path.")
    return Invalid(f"{name!r} cannot be opened: {error.strerror}.", "Check its permissions in a terminal.")
