"""The content-addressed store of built environments: locks by definition, virtual environments by content."""

import hashlib
import os
import platform
import sys
from pathlib import Path

from studio.environments.definitions import Definition

COMPLETE = ".complete"


def interpreter() -> str:
    """The base Python that Studio itself runs on; it is there, and sandboxes see it."""
    base = Path(sys.base_prefix) / "bin" / f"python{version()}"
    return str(base) if base.exists() else os.path.realpath(sys.executable)


def version() -> str:
    """Such as 3.12."""
    return f"{sys.version_info.major}.{sys.version_info.minor}"


def lock_path(store: Path, definition: Definition) -> Path:
    """The lock of a definition: which packages, with their hashes."""
    return store / "locks" / f"{definition.fingerprint[:32]}-{version()}.txt"


def content_hash(lock: str) -> str:
    """Names the virtual environment that `lock` makes on this Python and this kind of machine."""
    parts = (lock, platform.machine(), sys.platform, interpreter(), sys.version)
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]


def folder(store: Path, name: str) -> Path:
    """Where the virtual environment of hash `name` is."""
    return store / "store" / name


def find_complete(store: Path, definition: Definition) -> str:
    """The hash under which a definition is there, complete; "" if it is not."""
    try:
        name = content_hash(lock_path(store, definition).read_text())
    except FileNotFoundError:
        return ""
    return name if (folder(store, name) / COMPLETE).is_file() else ""
