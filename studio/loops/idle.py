"""Ends sandboxes that nobody uses: no page, job, executing kernel or busy terminal for as long as their domain says.

The sandbox of `service` stays: it is kept warm so that endpoints wake in milliseconds."""

import asyncio
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
from studio.runtime import process
from studio.runtime.specs import SandboxState

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Seen:
    """What the last look saw: since when it is unused (None: it was used), and the processor time of its kernels and of
    what its lab's terminals started."""

    since_ms: int | None
    at_ms: int
    kernels_ms: int
    terminals_ms: int


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
    before = context.idle.get(box.id) or Seen(None, now_ms(), _kernels_ms(box), 0)
    lab = next((item.pid for item in box.services if item.name == LAB and item.pid), 0)
    now = Seen(None, now_ms(), _kernels_ms(box), await asyncio.to_thread(_below_ms, lab))
    activity = replace(await _activity(context, wanted, box, lab, before, now), pages=pages)
    since = idling.unused_since(activity, before.since_ms, now.at_ms)
    context.idle[box.id] = replace(now, since_ms=since)
    if idling.is_over(since, wanted.idle_minutes, now.at_ms):
        log.info("sandbox %s ends: nobody used it for %d minutes", box.id, wanted.idle_minutes)
        await context.store.write(lambda db: sandboxes.unwant(db, wanted.id))


async def _activity(
    context: LoopContext, wanted: Sandbox, box: SandboxState, lab: int, before: Seen, now: Seen
) -> Activity:
    kernels = sum(child.kind == "kernel" for child in box.children)
    runs = len(box.children) - kernels
    passed = now.at_ms - before.at_ms
    if not lab:
        # Nobody knows what kernels are at: those that compute are at work.
        busy = idling.computes(now.kernels_ms - before.kernels_ms, passed, kernels)
        return Activity(runs=runs, busy=int(busy))
    try:
        found = await lab_activity.read(context, wanted, lab)
    except Unavailable:
        return Activity(runs=runs, busy=1)  # who cannot be asked is not called idle
    # A program in a terminal may work for hours without a word.
    busy = idling.computes(now.terminals_ms - before.terminals_ms, passed, 1)
    return replace(found, runs=runs, busy=found.busy + int(busy))


def _kernels_ms(box: SandboxState) -> int:
    return sum(child.cpu_ms for child in box.children if child.kind == "kernel")


def _below_ms(pid: int) -> int:
    """Processor time of all that a process has started; 0 for none."""
    return sum(map(process.cpu_ms, process.descendants(pid))) if pid else 0
