"""Model versions as read-only folders named by the hash of their content, for the domain's service sandbox.

A version that is a model.tar.gz is unpacked, by `archives`, into the same kind of folder.

Runs in threads: nothing here holds the interpreter for long (hashing and copying release it).
"""

import hashlib
import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from studio.errors import Invalid, NotFound, TooLarge
from studio.runtime import beneath
from studio.serving import archives

CHUNK = 1 << 20
MAX_FILES = 10_000
MAX_BYTES = 64 << 30


class Source(Protocol):
    """Bytes to copy."""

    def read(self, size: int, /) -> bytes:
        """Up to `size` of them, b"" at the end."""


@dataclass(frozen=True, slots=True)
class Materialised:
    """`digest` (SHA-256 in hex) is the folder's name; `size` in bytes."""

    digest: str
    size: int
    files: int


def materialise(source: Path, store: Path) -> Materialised:
    """Copies the folder (or single file) `source` to `store`/<digest>; there already: only reads it.

    `NotFound` if there is nothing, `Invalid` for links and special files, `TooLarge` above 10,000 files or 64 GiB.
    What is copied is what was hashed; a half-written folder never has its final name.
    """
    root, names = _files(source)
    if not names:
        raise NotFound("The version has no files.", "Log the model again: its artifacts are missing.")
    store.mkdir(parents=True, exist_ok=True)
    temporary = store / f".making-{os.getpid()}-{os.urandom(6).hex()}"
    temporary.mkdir()
    try:
        lines: dict[str, str] = {}
        size = 0
        for name, reader in _contents(root, names):
            target = temporary / name
            target.parent.mkdir(parents=True, exist_ok=True)
            digest, length = _copy(reader, target)
            lines[name] = f"{len(name)}:{name}:{length}:{digest}\n"
            size += length
        if not lines:
            raise NotFound(f"{archives.NAME} has no files.", "Pack the model again.")
        whole = hashlib.sha256("".join(lines[name] for name in sorted(lines)).encode())
        done = Materialised(whole.hexdigest(), size, len(lines))
        _publish(temporary, store / done.digest)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return done


def _files(source: Path) -> tuple[Path, list[str]]:
    """A folder, and the names below it of the files to copy, in order."""
    try:
        mode = source.lstat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        raise NotFound("The files are not in the artifact store.", "Log the model again.") from None
    if stat.S_ISREG(mode):
        return source.parent, [source.name]
    found: list[str] = []
    total = 0
    for entry in beneath.walk(source):
        if entry.is_folder:
            continue
        if not entry.is_file:
            raise Invalid(f"{entry.name} in the version's files is a link or no file.", "Log plain files.")
        found.append(entry.path)
        total += entry.status.st_size
        if len(found) > MAX_FILES or total > MAX_BYTES:
            raise TooLarge("The version has more than 10,000 files or 64 GiB.", "Log only what the model needs.")
    return source, sorted(found)


def _contents(root: Path, names: list[str]) -> Iterator[tuple[str, Source]]:
    """Name → bytes of the files to keep; of an archive that stands for the model, those in it."""
    packed = next((name for name in names if _is_packed(name, names)), "")
    for name in names:
        if name != packed:
            with os.fdopen(beneath.open_file(root, name.split("/")), "rb") as reader:
                yield name, reader
    if packed:
        with os.fdopen(beneath.open_file(root, packed.split("/")), "rb") as reader:
            size = os.fstat(reader.fileno()).st_size
            beside = [name for name in names if name != packed]
            yield from archives.files(reader, size, beside, most_files=MAX_FILES, most_bytes=MAX_BYTES)


def _is_packed(name: str, names: list[str]) -> bool:
    alone = len(names) == 1 and name.endswith(".tar.gz")
    return (alone or name == archives.NAME) and not {"MLmodel", "inference.py", "code/inference.py"} & set(names)


def _copy(reader: Source, target: Path) -> tuple[str, int]:
    digest = hashlib.sha256()
    length = 0
    write = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o444)
    with os.fdopen(write, "wb") as writer:
        while piece := reader.read(CHUNK):
            digest.update(piece)
            length += writer.write(piece)
        writer.flush()
        os.fsync(writer.fileno())
    return digest.hexdigest(), length


def _publish(temporary: Path, final: Path) -> None:
    if final.is_dir():
        return
    _sync(temporary)
    # Somebody else may have made the same content meanwhile: then it is there, which is all that is wanted.
    with suppress(OSError):
        temporary.rename(final)
    if not final.is_dir():
        raise Invalid(f"{final.name} could not be made.", "Is the disk full?")
    _sync(final.parent)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sweep(store: Path, kept: set[str]) -> list[str]:
    """Removes folders of `store` that are not in `kept`; call it only while nothing is being made there."""
    gone: list[str] = []
    if store.is_dir():
        for path in store.iterdir():
            if path.name not in kept:
                shutil.rmtree(path, ignore_errors=True)
                gone.append(path.name)
    return gone
