"""Room on the disk: files leave some of it, so that the database can go on when uploads have filled the rest."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from studio.errors import OutOfSpace

RESERVE = 256 << 20  # bytes; of a small disk a twentieth
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def check(folder: Path, more: int) -> None:
    """`OutOfSpace` if `more` bytes in `folder` would not leave the reserve."""
    found = os.statvfs(folder)
    whole, free = found.f_blocks * found.f_frsize, found.f_bavail * found.f_frsize
    if more + min(RESERVE, whole // 20) > free:
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
