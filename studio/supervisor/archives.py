"""The two forms of a backup, a folder and a tar file: what is written to them and read from them, piece by piece.

Both hold `home/…` and, written last, `manifest.json`: without it a backup is not whole.
"""

import contextlib
import hashlib
import io
import os
import shutil
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Literal, cast

import msgspec

from studio.errors import Invalid
from studio.runtime import beneath

MANIFEST = "manifest.json"
HOME = "home"
MOST_MANIFEST = 1 << 30
_PIECE = 1 << 20


class Item(msgspec.Struct, frozen=True, omit_defaults=True):
    """A file with its SHA-256, a folder or a link; `path` is relative to the home."""

    path: str
    kind: Literal["file", "folder", "link"] = "file"
    mode: int = 0o600
    mtime_ns: int = 0
    size: int = 0
    sha256: str = ""
    target: str = ""


class Manifest(msgspec.Struct):
    """What a backup holds and what not. `database`: sqlite (in it) or postgresql (not in it)."""

    format: int
    version: str
    made_ms: int
    home: str
    database: Literal["sqlite", "postgresql"]
    schema: str
    items: list[Item] = []
    changed: list[str] = []
    skipped: list[str] = []
    left_out: list[str] = []


class Hashing:
    """Reads exactly `size` bytes of a file that may shrink meanwhile, and hashes what it gave."""

    def __init__(self, source: BinaryIO, size: int) -> None:
        self._source, self._left = source, size
        self._digest = hashlib.sha256()
        self.is_short = False

    def read(self, size: int = -1) -> bytes:
        """As a file's; what is missing at the end is zeros."""
        wanted = self._left if size < 0 else min(size, self._left)
        data = self._source.read(wanted)
        if len(data) < wanted:
            self.is_short = True
            data += bytes(wanted - len(data))
        self._left -= wanted
        self._digest.update(data)
        return data

    @property
    def sha256(self) -> str:
        return self._digest.hexdigest()


class FolderSink:
    """A backup as a folder."""

    def __init__(self, path: Path) -> None:
        self._path = path
        path.mkdir(mode=0o700)
        (path / HOME).mkdir(mode=0o700)

    def folder(self, item: Item) -> None:
        (self._path / HOME / item.path).mkdir(mode=0o700)

    def link(self, item: Item) -> None:
        (self._path / HOME / item.path).symlink_to(item.target)

    def file(self, item: Item, source: Hashing) -> None:
        goal = self._path / HOME / item.path
        with os.fdopen(os.open(goal, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            while data := source.read(_PIECE):
                file.write(data)
        os.utime(goal, ns=(item.mtime_ns, item.mtime_ns))

    def finish(self, manifest: bytes) -> None:
        (self._path / MANIFEST).write_bytes(manifest)

    def abort(self) -> None:
        shutil.rmtree(self._path, ignore_errors=True)


class TarSink:
    """A backup as a tar file, compressed if its name ends so."""

    def __init__(self, path: Path, *, compress: bool) -> None:
        self._path = path
        self._raw = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
        form = {"mode": "w:gz", "compresslevel": 3} if compress else {"mode": "w"}
        self._tar = tarfile.open(fileobj=self._raw, format=tarfile.PAX_FORMAT, **form)  # noqa: SIM115 - `finish` closes it

    def folder(self, item: Item) -> None:
        self._tar.addfile(self._info(item, tarfile.DIRTYPE))

    def link(self, item: Item) -> None:
        info = self._info(item, tarfile.SYMTYPE)
        info.linkname = item.target
        self._tar.addfile(info)

    def file(self, item: Item, source: Hashing) -> None:
        info = self._info(item, tarfile.REGTYPE)
        info.size = item.size
        self._tar.addfile(info, source)

    def _info(self, item: Item, kind: bytes) -> tarfile.TarInfo:
        info = tarfile.TarInfo(f"{HOME}/{item.path}")
        info.type, info.mode, info.mtime = kind, item.mode, item.mtime_ns // 1_000_000_000
        return info

    def finish(self, manifest: bytes) -> None:
        info = tarfile.TarInfo(MANIFEST)
        info.size, info.mode = len(manifest), 0o600
        self._tar.addfile(info, io.BytesIO(manifest))
        self._tar.close()
        self._raw.flush()
        os.fsync(self._raw.fileno())
        self._raw.close()

    def abort(self) -> None:
        self._raw.close()
        self._path.unlink(missing_ok=True)


@contextlib.contextmanager
def files(path: Path) -> Iterator[Iterator[tuple[str, BinaryIO]]]:
    """(path in the backup, open file) of every ordinary file in a backup, the manifest too; nothing else is read."""
    if path.is_dir():
        yield _files_of_folder(path)
        return
    try:
        with tarfile.open(path, "r|*") as tar:
            yield _files_of_tar(tar)
    except (tarfile.TarError, EOFError, OSError) as error:
        raise Invalid(f"{path} cannot be read as a backup: {error}.", "Choose another one.") from error


def _files_of_folder(path: Path) -> Iterator[tuple[str, BinaryIO]]:
    for entry in beneath.walk(path, whole=True):
        if entry.is_file:
            with os.fdopen(beneath.open_file(entry.folder, [entry.name]), "rb") as file:
                yield entry.path, file


def _files_of_tar(tar: tarfile.TarFile) -> Iterator[tuple[str, BinaryIO]]:
    for member in tar:
        if member.isreg() and (file := tar.extractfile(member)) is not None:
            yield member.name, cast("BinaryIO", file)
