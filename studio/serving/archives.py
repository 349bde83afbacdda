"""model.tar.gz, the form in which SageMaker keeps models, read file by file without ever trusting what it says.

An archive is written by whoever made the model: nothing in it is created but ordinary files, below the folder, once
each, within limits of number and size; anything else refuses the whole archive.
"""

import gzip
import re
import struct
import tarfile
import zlib
from collections.abc import Iterable, Iterator
from typing import IO

from studio.errors import Invalid, TooLarge
from studio.runtime import beneath

NAME = "model.tar.gz"
# Text may shrink to a two-hundredth; what grows more than that from more than a little is a bomb.
LITTLE = 1 << 30
GROWTH = 200
# Of a member's own description; a file's name has its place in it.
_HEADER_BYTES = 64 << 10
_NAME_BYTES = 1000
_NOT_READ = (tarfile.TarError, EOFError, gzip.BadGzipFile, zlib.error, struct.error, ValueError, RecursionError)
_CONTROL = re.compile(r"[\x00-\x1f\x7f\\\ud800-\udfff]")


class Reader:
    """The bytes of one file, to be read before the next one is asked for."""

    def __init__(self, stream: "_Stream", member: IO[bytes]) -> None:
        self._stream, self._member = stream, member

    def read(self, size: int) -> bytes:
        """Up to `size` bytes, b"" at the end; `Invalid` if the archive ends within the file."""
        self._stream.in_body = True
        try:
            return self._member.read(size)
        except _NOT_READ as error:
            raise _broken(error) from error
        finally:
            self._stream.in_body = False


class _Stream:
    """What tarfile reads: the unpacked bytes, at most `limit` of them, and never a large header in one piece."""

    def __init__(self, packed: IO[bytes], limit: int) -> None:
        self._file = gzip.GzipFile(fileobj=packed, mode="rb")
        self._limit = limit
        self.in_body = False

    def read(self, size: int = -1) -> bytes:
        if not self.in_body and not 0 <= size <= _HEADER_BYTES:
            raise Invalid(f"A header in {NAME} has more than {_HEADER_BYTES} bytes.", "Pack the files again.")
        data = self._file.read(size)
        self._check()
        return data

    def seek(self, position: int) -> int:
        if position > self._limit:
            raise _too_large()
        if position < self._file.tell():
            # A size below zero would have the same members read for ever.
            raise Invalid(f"{NAME} leads back to where it was read already.", "Pack the files again.")
        return self._file.seek(position)

    def tell(self) -> int:
        return self._file.tell()

    def end(self) -> None:
        """Reads what follows the last file: behind it lies the checksum of all."""
        try:
            while self._file.read(_HEADER_BYTES):
                self._check()
        except _NOT_READ as error:
            raise _broken(error) from error

    def _check(self) -> None:
        if self._file.tell() > self._limit:
            raise _too_large()


def files(
    packed: IO[bytes], size: int, beside: Iterable[str] = (), *, most_files: int, most_bytes: int
) -> Iterator[tuple[str, Reader]]:
    """Name → bytes of each file of the gzipped tar `packed`, of `size` bytes itself, that lies by the files `beside`.

    `Invalid` for links, devices, names that are not below the folder or occur twice, and broken archives; `TooLarge`
    above the limits, or where little data becomes very much.
    """
    limit = min(most_bytes, max(LITTLE, GROWTH * size))
    stream = _Stream(packed, limit)
    found: set[str] = set()
    folders: set[str] = set()
    for name in beside:
        folders |= _add(name, found, folders, is_folder=False)
        found.add(name)
    try:
        # Plain tar on top of our own reader: it asks for one header after the other and holds no file.
        archive = tarfile.TarFile(fileobj=stream, mode="r", errors="surrogateescape")  # type: ignore[arg-type]
    except _NOT_READ as error:
        raise _broken(error) from error
    while (member := _next(archive)) is not None:
        name = _name(member)
        if member.isdir():
            if name:
                folders |= _add(name, found, folders, is_folder=True)
            continue
        folders |= _add(name, found, folders, is_folder=False)
        found.add(name)
        if len(found) > most_files:
            raise TooLarge(f"{NAME} has more than {most_files:,} files.", "Pack only what the model needs.")
        body = archive.extractfile(member)
        if body is None:
            raise Invalid(f"{name} in {NAME} is no file.", "Pack plain files.")
        yield name, Reader(stream, body)
    stream.end()


def _next(archive: tarfile.TarFile) -> tarfile.TarInfo | None:
    try:
        member = archive.next()
    except _NOT_READ as error:
        raise _broken(error) from error
    # tarfile remembers all of them, which nobody here asks for.
    archive.members.clear()  # type: ignore[attr-defined]
    return member


def _name(member: tarfile.TarInfo) -> str:
    """The path below the folder; "" is the folder itself."""
    name = member.name
    shown = name[:200].encode("ascii", "backslashreplace").decode()
    plain = member.isdir() or member.type in (tarfile.REGTYPE, tarfile.AREGTYPE)
    if not plain or member.issparse() or member.size < 0:
        how = "Pack plain files: tar --dereference --hard-dereference."
        raise Invalid(f"{shown} in {NAME} is a link or no file.", how)
    if _CONTROL.search(name) or len(name) > _NAME_BYTES:
        raise Invalid(f"The name {shown!r} in {NAME} cannot be used.", "Give the file a plain name.")
    while name.startswith("./"):
        name = name[2:]
    if name in ("", "."):
        return ""
    try:
        parts = beneath.parts_of(name)
    except Invalid as error:
        raise Invalid(f"{shown!r} in {NAME} is not below the folder.", "Pack the files with relative names.") from error
    if any(len(part.encode()) > 255 for part in parts):
        raise Invalid(f"The name {shown!r} in {NAME} is too long.", "Give the file a shorter name.")
    return "/".join(parts)


def _add(name: str, found: set[str], folders: set[str], *, is_folder: bool) -> set[str]:
    """The folders that come with it; `Invalid` where two members want one place."""
    parts = name.split("/")
    above = {"/".join(parts[:at]) for at in range(1, len(parts))}
    if not name or name in found or above & found or (not is_folder and name in folders):
        raise Invalid(f"{name or 'the folder itself'} is in {NAME} twice, or beside it.", "Pack every file once.")
    return above | {name} if is_folder else above


def _too_large() -> TooLarge:
    return TooLarge(f"{NAME} becomes too large when it is unpacked.", "Pack only what the model needs.")


def _broken(error: BaseException) -> Invalid:
    return Invalid(f"{NAME} cannot be unpacked: {error}."[:300], f"Make it with: tar -czf {NAME} -C FOLDER .")
