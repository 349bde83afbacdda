"""The folders of a domain. Run these in a thread, never inside a write."""

import stat
from pathlib import Path

from studio.errors import Denied
from studio.settings import Paths


def create(paths: Paths, domain: str) -> None:
    """`shared` and `users` of a domain; what is there already is kept, links are refused."""
    for folder in (paths.domain(domain), paths.shared(domain), paths.domain(domain) / "users"):
        _make(folder)


def create_home(paths: Paths, domain: str, user: str) -> Path:
    """The private folder of a member."""
    _make(folder := paths.user(domain, user))
    return folder


def _make(folder: Path) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not stat.S_ISDIR(folder.lstat().st_mode):
        raise Denied(f"{folder} is not a folder.", "Remove it: a volume must be a real folder.")
