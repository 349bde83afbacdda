"""The folders of a domain. Run these in a thread, never inside a write.

`shared` and `users/<user>` are seen in sandboxes; `snapshots` is the host's alone. In each of the first two Studio
keeps what is its own (scripts of jobs, the trash) in `.studio`, which snapshots and restores leave alone.
"""

import stat
from pathlib import Path

from studio.errors import Denied
from studio.ids import check_name
from studio.settings import Paths

OWN = ".studio"


def create(paths: Paths, domain: str) -> None:
    """`shared` and `users` of a domain; what is there already is kept, links are refused."""
    for folder in (paths.domain(domain), paths.shared(domain), paths.domain(domain) / "users"):
        _make(folder)


def create_home(paths: Paths, domain: str, user: str) -> Path:
    """The private folder of a member."""
    _make(folder := paths.user(domain, user))
    return folder


def root(paths: Paths, domain: str, user: str) -> Path:
    """The home of `user`; "" means the shared folder."""
    return paths.user(domain, user) if user else paths.shared(domain)


def homes(paths: Paths, domain: str) -> list[str]:
    """Whose homes are on the disk, also of people who are no members any more."""
    folder = paths.domain(domain) / "users"
    return sorted(item.name for item in folder.iterdir() if item.is_dir()) if folder.is_dir() else []


def snapshot_folder(paths: Paths, domain: str, snapshot: str) -> Path:
    """Where a snapshot lies: `tree` and `manifest.json`."""
    return paths.domain(domain) / "snapshots" / check_name(snapshot, "snapshot")


def _make(folder: Path) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not stat.S_ISDIR(folder.lstat().st_mode):
        raise Denied(f"{folder} is not a folder.", "Remove it: a volume must be a real folder.")
