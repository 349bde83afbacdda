"""A tar stream of files: always the same bytes for the same files (POSIX pax, sorted by the caller, no times)."""

import os
import tarfile
from collections.abc import Iterator, Sequence

from studio.errors import Conflict
from studio.runtime import beneath
from studio.serving.export import Item

_PIECE = 1 << 20


def stream(items: Sequence[Item]) -> Iterator[bytes]:
    """Its pieces, read from the disk as they are asked for; `Conflict` if a file is not as long any more as it was."""
    for item in items:
        size = item.size if item.data is None else len(item.data)
        yield _head(item.path, size)
        yield from _read(item) if item.data is None else filter(None, [item.data])
        if rest := -size % tarfile.BLOCKSIZE:
            yield bytes(rest)
    yield bytes(2 * tarfile.BLOCKSIZE)


def _head(path: str, size: int) -> bytes:
    info = tarfile.TarInfo(path)
    info.size, info.mode = size, 0o644
    return info.tobuf(tarfile.PAX_FORMAT)


def _read(item: Item) -> Iterator[bytes]:
    left = item.size
    with os.fdopen(beneath.open_file(item.root, item.source.split("/")), "rb") as file:
        while left and (piece := file.read(min(_PIECE, left))):
            left -= len(piece)
            yield piece
    if left:
        raise Conflict(f"{item.source} of the model is shorter than it was.", "Export it again.")
