"""The content-addressed store of built environments: locks by definition, virtual environments by content."""

import hashlib
import json
import os
import platform
import sys
from pathlib import Path

from studio.environments.definitions import Definition
from studio.errors import Invalid

COMPLETE = ".complete"


def interpreter() -> str:
    """The base Python that Studio itself runs on; it is there, and sandboxes see it."""
    base = Path(sys.base_prefix) / "bin" / f"python{version()}"
    return str(base) if base.exists() else os.path.realpath(sys.executable)


def version() -> str:
    """Such as 3.12."""
    return f"{sys.version_info.major}.{sys.version_info.minor}"


def check_python(wanted: str) -> None:
    """`Invalid` unless environments can be made of that Python here ("": the one that Studio runs on)."""
    if wanted not in ("", version()):
        raise Invalid(
            f"Python {wanted} cannot be had here: environments are made of the Python {version()} that Studio runs on.",
            "Leave it out, or install Studio with that Python.",
        )


def lock_path(store: Path, definition: Definition) -> Path:
    """The lock of a definition: which packages, with their hashes."""
    return lock_of(store, definition.fingerprint)


def lock_of(store: Path, fingerprint: str) -> Path:
    """The lock of the definition with that fingerprint."""
    return store / "locks" / f"{fingerprint[:32]}-{version()}.txt"


def content_hash(lock: str) -> str:
    """Names the virtual environment that `lock` makes on this Python and this kind of machine."""
    parts = (lock, platform.machine(), sys.platform, interpreter(), sys.version)
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]


def folder(store: Path, name: str) -> Path:
    """Where the virtual environment of hash `name` is."""
    return store / "store" / name


def find_complete(store: Path, fingerprint: str) -> str:
    """The hash under which the definition of that fingerprint is there, complete; "" if it is not, or if this account
    may not look (a build then says so)."""
    try:
        name = content_hash(lock_of(store, fingerprint).read_text())
        return name if (folder(store, name) / COMPLETE).is_file() else ""
    except (FileNotFoundError, PermissionError):
        return ""


def size_bytes(store: Path, name: str) -> int:
    """What the build wrote down about the folder's size; 0 if it did not."""
    try:
        found = json.loads((folder(store, name) / COMPLETE).read_text())
        return int(found.get("bytes", 0))
    except (OSError, ValueError, AttributeError):
        return 0
