"""When the disk is nearly full: ends the sandboxes of domains that are over their quota, and gives the database the
room that was kept for it, so that everybody else goes on."""

import asyncio
import logging
import os
from pathlib import Path

from studio.domains import quotas, sandboxes
from studio.domains.quotas import Volume
from studio.domains.sandboxes import SERVICE
from studio.loops.context import LoopContext
from studio.loops.volumes import folders, volume
from studio.runtime import space, trees
from studio.runtime.specs import SandboxState

_KEPT = 64 << 20  # bytes; of a small disk a fiftieth
_MORE = 1 << 20  # a domain that was ended for it may come back to tidy up; it is ended again only when it grew
log = logging.getLogger(__name__)


async def step(context: LoopContext) -> None:
    """One look at the file system of the home, which costs next to nothing while there is room."""
    home = context.settings.paths.home
    is_tight, is_kept = await asyncio.to_thread(_look, home)
    if not is_tight:
        context.spilled.clear()
    if is_kept and not is_tight:
        return
    known = await context.store.read(quotas.list_all)
    if not is_tight:
        if any(found.quota_mb for found in known.values()):
            await asyncio.to_thread(_keep, home / space.KEPT)
        return
    running: dict[str, list[SandboxState]] = {}
    for box in (await context.supervisor.state()).sandboxes:
        if box.owner != SERVICE and known.get(box.domain, Volume(box.domain)).quota_mb:
            running.setdefault(box.domain, []).append(box)
    for domain, boxes in running.items():
        await _hold(context, known[domain], boxes)


async def _hold(context: LoopContext, known: Volume, boxes: list[SandboxState]) -> None:
    found = await asyncio.to_thread(_measured, context, known)
    if not found.is_over or found.used_bytes <= context.spilled.get(found.domain, -_MORE) + _MORE:
        return
    context.spilled[found.domain] = found.used_bytes
    context.full[found.domain] = found.words
    log.warning("the disk is nearly full: the sandboxes of %s end. %s", found.domain, found.words)
    # First the writers, then the room, then the rows: those need it.
    for box in boxes:
        await context.supervisor.sandbox_stop(box.id)
    await asyncio.to_thread((context.settings.paths.home / space.KEPT).unlink, True)
    for box in boxes:
        await context.store.write(lambda db, box=box: sandboxes.unwant(db, box.id))  # type: ignore[misc]
    await context.store.write(lambda db: quotas.measured(db, found))


def _measured(context: LoopContext, known: Volume) -> Volume:
    places = folders(context.settings.paths, known.domain)
    return volume(known, {name: trees.measure(folder) for name, folder in places.items()}, known.took_ms)


def _look(home: Path) -> tuple[bool, bool]:
    return space.is_tight(home), (home / space.KEPT).exists()


def _keep(path: Path) -> None:
    """Room that is the database's in need; only where a quota says who must then give way."""
    found = os.statvfs(path.parent)
    fresh = path.with_name(f".{path.name}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        os.posix_fallocate(descriptor, 0, min(_KEPT, found.f_blocks * found.f_frsize // 50))
        fresh.rename(path)
    except OSError:
        fresh.unlink(missing_ok=True)  # in the next round
    finally:
        os.close(descriptor)
