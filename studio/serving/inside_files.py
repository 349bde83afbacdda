"""Reads files that code in a sandbox may have written: no link is followed, only regular files, never too much."""

import os
import stat
from contextlib import suppress
from pathlib import Path, PurePosixPath

from studio.errors import Invalid, NotFound, TooLarge


def _folder(root: Path, folders: tuple[str, ...]) -> int:
    descriptor = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    for name in folders:
        try:
            following = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=descriptor)
        finally:
            os.close(descriptor)
        descriptor = following
    return descriptor


def _parts(name: str) -> tuple[str, ...]:
    parts = PurePosixPath(name).parts
    if not parts or any(part in ("/", "..", ".") or "\0" in part for part in parts):
        raise Invalid(f"{name!r} is not a name below a folder.")
    return parts


def read(root: Path, name: str, cap_bytes: int) -> bytes:
    """The bytes of `name` below `root`; `NotFound`, `TooLarge` above `cap_bytes`, `Invalid` if it is no plain file."""
    *folders, last = _parts(name)
    try:
        parent = _folder(root, tuple(folders))
        try:
            descriptor = os.open(last, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=parent)
        finally:
            os.close(parent)
    except FileNotFoundError:
        raise NotFound(f"There is no {name}.") from None
    except OSError as error:
        raise Invalid(f"{name} cannot be read: {error.strerror}.") from error
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise Invalid(f"{name} is not a regular file.")
        data = file.read(cap_bytes + 1)
    if len(data) > cap_bytes:
        raise TooLarge(f"{name} has more than {cap_bytes} bytes.")
    return data


def names(root: Path, folder: str, suffix: str, limit: int = 1000) -> list[str]:
    """Names in `folder` below `root` that end in `suffix`, sorted; none if there is no such folder."""
    try:
        descriptor = _folder(root, _parts(folder))
    except OSError:
        return []
    try:
        found: list[str] = []
        with os.scandir(descriptor) as entries:
            for entry in entries:
                if entry.name.endswith(suffix):
                    found.append(entry.name)
                if len(found) >= limit:
                    break
        return sorted(found)
    finally:
        os.close(descriptor)


def unlink(root: Path, name: str) -> None:
    """Removes the name (a link itself, never what it points at); nothing happens if it is not there."""
    *folders, last = _parts(name)
    with suppress(FileNotFoundError, NotADirectoryError):
        parent = _folder(root, tuple(folders))
        try:
            os.unlink(last, dir_fd=parent)
        finally:
            os.close(parent)
