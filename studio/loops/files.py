"""Small files that a sandbox reads: complete or not at all, and written only when they change."""

import os
from contextlib import suppress
from pathlib import Path


def write_file(path: Path, content: str) -> bool:
    """Writes `content` (mode 0600) unless it is there already; whether it was written. The folder is the host's."""
    with suppress(FileNotFoundError):
        if path.read_text() == content:
            return False
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(content)
    temporary.replace(path)
    return True
