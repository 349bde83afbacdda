"""Reading a folder that somebody else may have written: nothing outside of it, through no link, nothing endless."""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath
from typing import BinaryIO
from urllib.parse import unquote, urlsplit

from studio.errors import Invalid
from studio.runtime import beneath

MOST_TEXT = 1 << 20
MOST_DEEP = 64


class Bad(Exception):
    """What is wrong with one thing of the source; the rest goes on."""


class Tree:
    """A folder; paths are relative to it, of plain names, `/` between them."""

    def __init__(self, root: Path) -> None:
        self.root = root
        if not root.is_dir():
            raise Invalid(f"{root} is not a folder.", "Give the path of MLflow's folder.")

    def names(self, path: str = "") -> list[str]:
        """What lies in a folder, sorted; nothing if there is no such folder."""
        found = []
        with suppress(OSError), self._walked(path) as folder, os.scandir(folder) as entries:
            found = [entry.name for entry in entries]
        return sorted(found)

    def folders(self, path: str = "") -> list[str]:
        """The real folders in a folder."""
        found = []
        with suppress(OSError), self._walked(path) as folder, os.scandir(folder) as entries:
            found = [entry.name for entry in entries if entry.is_dir(follow_symlinks=False)]
        return sorted(found)

    def has_folder(self, path: str) -> bool:
        """Whether there is such a folder, not behind a link."""
        with suppress(OSError), self._walked(path):
            return True
        return False

    def open(self, path: str) -> BinaryIO:
        """A regular file, opened for reading; `Bad` for anything else."""
        parent, _, name = path.rpartition("/")
        try:
            with self._walked(parent) as folder:
                descriptor = os.open(name, beneath.FILE, dir_fd=folder)
        except OSError as error:
            is_link = error.errno in (errno.ELOOP, errno.ENOTDIR)
            reason = "it is a link or behind one; links are not followed" if is_link else error.strerror
            raise Bad(f"{path}: cannot be read ({reason})") from error
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise Bad(f"{path}: is not a file")
        return os.fdopen(descriptor, "rb")

    def text(self, path: str, most: int = MOST_TEXT) -> str:
        """A whole file of at most `most` bytes of UTF-8."""
        with self.open(path) as file:
            raw = file.read(most + 1)
        if len(raw) > most:
            raise Bad(f"{path}: is larger than {most} bytes")
        try:
            return raw.decode()
        except UnicodeDecodeError as error:
            raise Bad(f"{path}: is not UTF-8") from error

    def walk(self, path: str, problems: list[str]) -> Iterator[tuple[str, int]]:
        """(path below `path`, bytes) of all regular files; links and special files are named in `problems`."""
        yield from self._below(path, "", problems, 0)

    def _below(self, root: str, path: str, problems: list[str], depth: int) -> Iterator[tuple[str, int]]:
        whole = f"{root}/{path}" if path else root
        if depth > MOST_DEEP:
            problems.append(f"{whole}: folders lie too deep")
            return
        found: list[tuple[str, os.stat_result]] = []
        with suppress(OSError), self._walked(whole) as folder, os.scandir(folder) as entries:
            found = sorted((entry.name, entry.stat(follow_symlinks=False)) for entry in entries)
        for name, status in found:
            below = f"{path}/{name}" if path else name
            if stat.S_ISDIR(status.st_mode):
                yield from self._below(root, below, problems, depth + 1)
            elif stat.S_ISREG(status.st_mode):
                yield below, status.st_size
            else:
                problems.append(f"{root}/{below}: is a link or no ordinary file; links are not followed")

    @contextmanager
    def _walked(self, path: str) -> Iterator[int]:
        descriptor = os.open(
            self.root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
        )  # itself may be a link: the caller's
        try:
            parts = path.split("/") if path else []
            if any(part in ("", ".", "..") for part in parts):
                raise NotADirectoryError(path)
            with beneath.folder(descriptor, parts) as found:
                yield found
        finally:
            os.close(descriptor)


def parts_of(uri: str) -> tuple[str, ...]:
    """The components of an artifact URI's path: file:///a/b, /a/b, mlflow-artifacts:/a/b, s3://bucket/a/b …"""
    if "://" in uri or uri.startswith(("file:", "mlflow-artifacts:")):
        split = urlsplit(uri)
        path = unquote(split.path)
        path = f"{split.netloc}/{path}" if split.netloc and split.scheme not in ("file", "mlflow-artifacts") else path
    else:
        path = uri
    return tuple(part for part in PurePosixPath(path.replace("\\", "/")).parts if part not in ("/", ".", ".."))


def find(trees: list[Tree], uri: str, key: str) -> tuple[Tree, str] | None:
    """Where the files of the thing `key` are, which its source says are at `uri`: the longest end of that path which is
    in one of the trees and names `key`. So a source may have been moved, and can point nowhere else."""
    parts = parts_of(uri)
    if key not in parts:
        return None
    last = max(index for index, part in enumerate(parts) if part == key)
    for start in range(last + 1):
        path = "/".join(parts[start:])
        for tree in trees:
            if tree.has_folder(path):
                return tree, path
    return None
