"""Room on the disk: files leave some of it, so that the database can go on when uploads have filled the rest."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from studio.errors import OutOfSpace

RESERVE = 256 << 20  # bytes; of a small disk a twentieth
KEPT = "kept-for-the-database"  # a file in the home, given up when the disk is full
FULL = "full"  # a file in a sandbox's `in`, while its domain is over its quota: why
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def free_of(folder: Path) -> tuple[int, int]:
    """(free bytes, those of them that are the reserve) of the file system of `folder`."""
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize, min(RESERVE, found.f_blocks * found.f_frsize // 20)


def is_tight(folder: Path) -> bool:
    """Whether the reserve is being used."""
    free, reserve = free_of(folder)
    return free < reserve


def check(folder: Path, more: int) -> None:
    """`OutOfSpace` if `more` bytes in `folder` would not leave the reserve."""
    free, reserve = free_of(folder)
    if more + reserve > free:
        raise _full(f"{free >> 20} MiB are free, {max(1, more >> 20)} MiB more were to be written.")


@contextmanager
def explained() -> Iterator[None]:
    """What the operating system says of a full disk, as `OutOfSpace`."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise _full(f"{error.strerror}.") from error
        raise


def _full(detail: str) -> OutOfSpace:
    return OutOfSpace(
        f"The disk that holds Studio's files is full: {detail}",
        "Nothing of this was kept. Free space on it, or delete runs and models that nobody needs, then send it again.",
    )
