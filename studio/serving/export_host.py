"""The files of Studio's replica host: what it takes to run it without the rest of Studio."""

import ast
import importlib.metadata
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import studio

ENTRY = "studio.guest.serving.standalone"
_ROOT = Path(studio.__file__).resolve().parent.parent


@cache
def files() -> dict[str, bytes]:
    """Path → content: every module of ours that the host's own imports, and the licence."""
    found: dict[str, bytes] = {}
    wanted = [ENTRY]
    while wanted:
        module = wanted.pop()
        path = _path(module)
        if path is None or (name := path.relative_to(_ROOT).as_posix()) in found:
            continue
        found[name] = path.read_bytes()
        wanted += _imports(found[name])
    return dict(sorted(found.items())) | {"LICENSE": _licence()}


def _path(module: str) -> Path | None:
    """The file of a module or package of ours; None for a name inside of one."""
    path = _ROOT.joinpath(*module.split("."))
    return next((found for found in (path.with_suffix(".py"), path / "__init__.py") if found.is_file()), None)


def _imports(source: bytes) -> Iterator[str]:
    """Every name of ours that is imported anywhere in it, with the packages above it."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import(names):
                named = [alias.name for alias in names]
            case ast.ImportFrom(module=str(module), names=names):
                named = [f"{module}.{alias.name}" for alias in names]
            case _:
                continue
        for name in named:
            parts = name.split(".")
            if parts[0] == "studio":
                yield from (".".join(parts[:end]) for end in range(1, len(parts) + 1))


def _licence() -> bytes:
    for path in importlib.metadata.files("jupyterlab-studio") or ():
        if path.name == "LICENSE":
            return path.read_binary()
    return (_ROOT / "LICENSE").read_bytes()
