"""The folders of spaces: `spaces/<name>` in the shared folder or in a home. Code in sandboxes writes there too, so no
link is followed."""

import asyncio
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from studio.domains import volumes
from studio.domains.spaces import Space
from studio.errors import AlreadyExists, NotFound
from studio.ids import check_name
from studio.runtime import beneath
from studio.settings import Paths

FOLDER = "spaces"
TRASH = (volumes.OWN, "trash")


def parts(name: str) -> tuple[str, str]:
    """Below the shared folder or the home."""
    return FOLDER, check_name(name, "space")


def make(paths: Paths, domain: str, owner: str, name: str) -> None:
    """Makes the folder; one that is there already is taken as it is, a link or a file is refused."""
    beneath.make_folder(volumes.root(paths, domain, owner), parts(name))


@asynccontextmanager
async def made(paths: Paths, domain: str, owner: str, name: str) -> AsyncIterator[None]:
    """As `make`, taken back (if it was not there and is empty still) when what is done meanwhile fails."""
    root = volumes.root(paths, domain, owner)
    was_there = await asyncio.to_thread(beneath.exists, root, parts(name))
    await asyncio.to_thread(make, paths, domain, owner, name)
    try:
        yield
    except BaseException:
        if not was_there:
            await asyncio.to_thread(beneath.remove, root, parts(name))
        raise


@asynccontextmanager
async def moved(paths: Paths, space: Space, old: Sequence[str], new: Sequence[str]) -> AsyncIterator[None]:
    """Moves the folder (`parts`, `trashed`), and back when what is done meanwhile fails; `AlreadyExists` if something
    has the name."""
    await asyncio.to_thread(_move, paths, space, old, new)
    try:
        yield
    except BaseException:
        await asyncio.to_thread(_move, paths, space, new, old)
        raise


def trashed(space: Space) -> tuple[str, ...]:
    """Where the folder of one that was deleted is kept, in the same volume."""
    return (*TRASH, space.id)


def in_lab(space: Space, *, isolated: bool) -> str:
    """Its folder as the lab's file browser knows it; "" where the lab does not see it. Without isolation the browser's
    top is the person's home."""
    below = "/".join(parts(space.name))
    if isolated:
        return f"{space.owner or 'shared'}/{below}"
    return below if space.owner else ""


def _move(paths: Paths, space: Space, old: Sequence[str], new: Sequence[str]) -> None:
    root = volumes.root(paths, space.domain, space.owner)
    with beneath.explained(root, new), beneath.folder(root, new[:-1], make=True) as target:
        if beneath.exists(target, new[-1:]):
            raise AlreadyExists(f"There is already {'/'.join(new)!r}.", "Rename or remove it first.")
        with beneath.explained(root, old), beneath.folder(root, old[:-1]) as source:
            try:
                os.rename(old[-1], new[-1], src_dir_fd=source, dst_dir_fd=target)
            except FileNotFoundError:
                raise NotFound(f"The folder {'/'.join(old)!r} is not there.", "Was it renamed or removed?") from None
