"""Bytecode of an environment: sandboxes see it read-only, and would compile it at each start.

The same package in another environment of the store has it already; only what is new is compiled. Environments never
change, so bytecode is not compared with its source any more (PEP 552, unchecked).
"""

import csv
import importlib.util
import os
import struct
import subprocess
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from studio.environments import store

_UNCHECKED = 0b01
Told = Callable[[int, int], None]


def make(root: Path, folder: Path, told: Told) -> None:
    """Bytecode for every module of the environment in `folder` but tests; `told(done, all)` while it compiles."""
    packages = _packages(folder)
    for other in (root / "store").glob(f"*/{store.COMPLETE}"):
        if other.parent != folder:
            with suppress(OSError):  # one that is being removed
                share(_packages(other.parent), packages)
    missing = [path for path in packages.rglob("*.py") if _is_wanted(path) and not _bytecode(path).exists()]
    _compile(missing, told)


def share(there: Path, here: Path) -> None:
    """Takes over the bytecode of the modules that both environments have, by each package's list of hashes."""
    for record in here.glob("*.dist-info/RECORD"):
        mine, theirs = _modules(record), _modules(there / record.relative_to(here))
        for name in mine.keys() & theirs.keys():
            if mine[name] == theirs[name]:
                _take(_bytecode(there / name), here / name)


def _modules(record: Path) -> dict[str, str]:
    """Path → hash of its modules, from the file that every wheel brings; empty if there is none."""
    with suppress(FileNotFoundError), record.open(newline="", encoding="utf-8") as file:
        lines = [line for line in csv.reader(file) if len(line) > 1 and line[0].endswith(".py") and line[1]]
        return {line[0]: line[1] for line in lines if ".." not in Path(line[0]).parts}
    return {}


def _take(made: Path, source: Path) -> None:
    mine = _bytecode(source)
    if not _is_wanted(source) or mine.exists() or not _is_valid(made, source):
        return
    mine.parent.mkdir(exist_ok=True)
    with suppress(OSError):  # another file system, or too many links: then it is compiled
        os.link(made, mine)


def _is_valid(made: Path, source: Path) -> bool:
    """Whether the bytecode may stand for `source`, whose text is the same: made by this Python, and not bound to
    another time of change."""
    try:
        with made.open("rb") as file:
            magic, flags, changed, size = struct.unpack("<4sLLL", file.read(16))
    except (OSError, struct.error):
        return False
    found = source.stat()
    is_current = (changed, size) == (int(found.st_mtime) & 0xFFFFFFFF, found.st_size & 0xFFFFFFFF)
    return magic == importlib.util.MAGIC_NUMBER and (flags == _UNCHECKED or (flags == 0 and is_current))


def _compile(paths: list[Path], told: Told) -> None:
    """By the base Python without `site`, so that no file of a package (such as a .pth) is run here."""
    if not paths:
        return
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as names:
        names.write("".join(f"{path}\n" for path in paths))
        names.flush()
        argv = [store.interpreter(), "-I", "-S", "-m", "compileall", "-j", "0", "-i", names.name]
        argv += ["--invalidation-mode", "unchecked-hash"]
        # A template that is not Python is no failure: what cannot be compiled is never imported either.
        with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as child:
            assert child.stdout
            compiled = 0
            for line in child.stdout:
                compiled += line.startswith("Compiling")
                if line.startswith("Compiling") and compiled % 250 == 0:
                    told(compiled, len(paths))


def _bytecode(source: Path) -> Path:
    return Path(importlib.util.cache_from_source(str(source)))


def _is_wanted(path: Path) -> bool:
    return "tests" not in path.parts


def _packages(folder: Path) -> Path:
    return next(folder.glob("lib/python*/site-packages"))
