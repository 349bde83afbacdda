"""Folders of the store that nothing needs any more: when each was used last, and taking it away."""

import os
import re
import shutil
import time
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, select

from studio.environments import store
from studio.environments.states import State
from studio.runtime.specs import State as Running
from studio.store.tables.environments import environment_versions as versions
from studio.store.tables.environments import environments
from studio.store.tenancy import EVERY, scope_query

_HASH = re.compile(r"[0-9a-f]{32}")
_TRASH = ".removed-"


@dataclass(frozen=True, slots=True)
class Unused:
    """A folder that could go. `bytes` 0: not known."""

    hash: str
    days: float
    bytes: int


def wanted(db: Connection) -> set[str]:
    """Hashes that new processes may start from at any moment: of versions in use, and of those on their way."""
    current = versions.c.number == environments.c.current
    on_its_way = versions.c.state.in_([State.queued, State.building])
    joined = (
        scope_query(select(versions.c.hash), environments, EVERY)
        .join_from(versions, environments)
        .where(current | on_its_way)
    )
    return set(db.execute(joined).scalars()) - {""}


def running(state: Running) -> set[str]:
    """Hashes that something runs from now, as the supervisor knows it."""
    found = {item.revision for box in state.sandboxes for item in box.services}
    found |= {item.revision for box in state.sandboxes for item in box.children}
    return {name for name in found if _HASH.fullmatch(name)}


def touch(root: Path, used: Collection[str]) -> None:
    """Notes that these are used now."""
    for name in used:
        with suppress(FileNotFoundError):
            os.utime(store.folder(root, name) / store.COMPLETE)


def unused(root: Path, used: Collection[str], days: float) -> list[Unused]:
    """Complete folders that are not among `used` and were not for `days`; the longest unused first."""
    found = []
    now = time.time()
    for marker in (root / "store").glob(f"*/{store.COMPLETE}"):
        name = marker.parent.name
        if name in used or not _HASH.fullmatch(name):
            continue
        with suppress(FileNotFoundError):  # somebody else removes it now
            idle = max(0.0, (now - marker.stat().st_mtime) / 86_400)
            if idle >= days:
                found.append(Unused(name, idle, store.size_bytes(root, name)))
    return sorted(found, key=lambda item: -item.days)


def remove(root: Path, name: str) -> None:
    """Takes a folder out of the store at once, then from the disk; what a killed removal left goes with it."""
    away = root / "store" / f"{_TRASH}{name}-{os.getpid()}"
    with suppress(FileNotFoundError):
        store.folder(root, name).rename(away)
    for rest in (root / "store").glob(f"{_TRASH}*"):
        shutil.rmtree(rest, ignore_errors=True)
