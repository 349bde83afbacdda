"""A first look at a file from the host, so that common mistakes are told at once: what it is, not what is in it."""

import os

from studio.data import paths
from studio.errors import Invalid
from studio.runtime import beneath
from studio.settings import Paths


def check(folders: Paths, domain: str, owner: str, path: str) -> None:
    """Returns if `path` is a file with something in it, as `owner` sees it; else `NotFound`, `Invalid` or `Denied`."""
    where = paths.parse(path, owner)
    root = folders.shared(domain) if where.is_shared else folders.user(domain, owner)
    root.mkdir(parents=True, exist_ok=True)
    descriptor = beneath.open_file(root, where.parts)
    try:
        size = os.fstat(descriptor).st_size
    finally:
        os.close(descriptor)
    if size == 0:
        raise Invalid(f"{path!r} is empty.", "Put data in it first.")
