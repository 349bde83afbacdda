"""Copies the example into a person's folders. Both can be written by code in a sandbox: no link is followed."""

import os
import stat
from contextlib import suppress
from pathlib import Path

from studio.errors import Denied, NotFound
from studio.runtime.sandbox import Layout

NOTEBOOK = "welcome.ipynb"
DATA = "data"


def copy(assets: Path, layout: Layout) -> str:
    """Copies the notebook with its modules into the home, the data into the shared folder; keeps what is there.

    Returns the notebook's path below the lab's root (which holds one folder per user and `shared`).
    """
    notebook = assets / "notebooks" / NOTEBOOK
    if not notebook.is_file():
        raise NotFound("The example's notebook is not part of this installation.", "Install Studio again.")
    # With the modules it imports and the script that its job runs.
    for source in (notebook, *sorted(notebook.parent.glob("*.py"))):
        _put(layout.host_home, source.name, source.read_bytes())
    for source in sorted((assets / DATA).iterdir()) if (assets / DATA).is_dir() else []:
        if source.is_file():
            _put(layout.host_shared, source.name, source.read_bytes(), folder=DATA)
    return f"{layout.owner}/{NOTEBOOK}"


def _put(root: Path, name: str, content: bytes, folder: str = "") -> None:
    descriptor = _open_folder(root, folder)
    temporary = f".{name}.{os.getpid()}.part"
    try:
        try:
            os.stat(name, dir_fd=descriptor, follow_symlinks=False)
            return
        except FileNotFoundError:
            pass
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW
        with os.fdopen(os.open(temporary, flags, 0o644, dir_fd=descriptor), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.rename(temporary, name, src_dir_fd=descriptor, dst_dir_fd=descriptor)
    finally:
        os.close(descriptor)


def _open_folder(root: Path, folder: str) -> int:
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
    try:
        descriptor = os.open(root, flags)
        if not folder:
            return descriptor
        try:
            with suppress(FileExistsError):
                os.mkdir(folder, 0o755, dir_fd=descriptor)
            return os.open(folder, flags, dir_fd=descriptor)
        finally:
            os.close(descriptor)
    except NotADirectoryError as error:
        raise Denied(f"{folder or root.name} is not a folder.", "Rename what is there, then try again.") from error
    except OSError as error:
        if stat.S_ISLNK((root / folder).lstat().st_mode):
            raise Denied(f"{folder or root.name} is a link.", "Remove it, then try again.") from error
        raise
