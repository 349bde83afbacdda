"""Ends sandboxes that nobody uses: no page, no job, no executing kernel for as long as their domain says.

The sandbox of `service` stays: it is kept warm so that endpoints wake in milliseconds."""

import logging
from dataclasses import dataclass, replace

from studio.clock import now_ms
from studio.domains import idling, sandboxes
from studio.domains.idling import Activity
from studio.domains.labs import LAB
from studio.domains.sandboxes import SERVICE, Sandbox
from studio.errors import Unavailable
from studio.loops import lab_activity
from studio.loops.context import LoopContext
from studio.loops.loop import each
from studio.runtime.specs import SandboxState

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Seen:
    """What the last look saw: since when it is unused (None: it was used), and the processor time of its kernels."""

    since_ms: int | None
    at_ms: int
    cpu_ms: int


async def step(context: LoopContext) -> None:
    """One look at every sandbox that runs for a person."""
    state = await context.supervisor.state()
    running = {box.id: box for box in state.sandboxes if box.state == "Running" and box.owner != SERVICE}
    for gone in context.idle.keys() - running.keys():
        del context.idle[gone]
    if not running:
        return
    pages = await context.gateway.pages()
    for wanted in await context.store.read(sandboxes.list_all):
        if wanted.wanted and wanted.id in running:
            look = _one(context, wanted, running[wanted.id], pages.get(f"{wanted.domain}/{wanted.owner}", 0))
            await each(context, f"idle {wanted.id}", look)


async def _one(context: LoopContext, wanted: Sandbox, box: SandboxState, pages: int) -> None:
    now, before = now_ms(), context.idle.get(box.id)
    activity = replace(await _activity(context, wanted, box, before, now), pages=pages)
    since = idling.unused_since(activity, before.since_ms if before else None, now)
    context.idle[box.id] = Seen(since, now, _cpu_ms(box))
    if idling.is_over(since, wanted.idle_minutes, now):
        log.info("sandbox %s ends: nobody used it for %d minutes", box.id, wanted.idle_minutes)
        await context.store.write(lambda db: sandboxes.unwant(db, wanted.id))


async def _activity(
    context: LoopContext, wanted: Sandbox, box: SandboxState, before: Seen | None, now: int
) -> Activity:
    kernels = [child for child in box.children if child.kind == "kernel"]
    runs = len(box.children) - len(kernels)
    lab = next((item for item in box.services if item.name == LAB and item.pid), None)
    if lab is not None:
        try:
            return replace(await lab_activity.read(context, wanted, lab.pid), runs=runs)
        except Unavailable:
            return Activity(runs=runs, busy=1)  # who cannot be asked is not called idle
    # Without a lab nobody knows what kernels are at: those that compute are at work.
    used, passed = _cpu_ms(box) - (before.cpu_ms if before else 0), now - (before.at_ms if before else now)
    return Activity(runs=runs, busy=int(bool(kernels) and used > idling.WAITING_SHARE * passed))


def _cpu_ms(box: SandboxState) -> int:
    return sum(child.cpu_ms for child in box.children if child.kind == "kernel")
