"""Copies the example into a person's folders. Both can be written by code in a sandbox: no link is followed."""

from pathlib import Path

from studio.errors import NotFound
from studio.runtime import beneath
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
        _put(layout.host_home, source.name, content=source.read_bytes())
    for source in sorted((assets / DATA).iterdir()) if (assets / DATA).is_dir() else []:
        if source.is_file():
            _put(layout.host_shared, DATA, source.name, content=source.read_bytes())
    return f"{layout.owner}/{NOTEBOOK}"


def _put(root: Path, *parts: str, content: bytes) -> None:
    if not beneath.exists(root, parts):
        beneath.write(root, parts, content, mode=0o644)
