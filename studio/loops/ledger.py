"""Keeps the ledger: what the supervisor runs is begun, ticked and ended in it. kill -9 loses at most one tick."""

import asyncio
from dataclasses import replace

from sqlalchemy import Connection

from studio import ledger
from studio.clock import monotonic, now_ms
from studio.cost import replicas
from studio.jobs import jobs
from studio.ledger.decide import Seen, decide
from studio.ledger.writing import write
from studio.loops import watching
from studio.loops.context import LoopContext
from studio.loops.exit_book import book
from studio.loops.watching import Names
from studio.runtime.specs import ExitRecord, SandboxState, State

# The wall clock at the first step, continued by the clock that never jumps: setting the host's clock costs nothing.
_epoch_ms: float | None = None


def steady_now_ms() -> int:
    """Milliseconds since 1970 on a clock that does not jump while this process lives."""
    global _epoch_ms
    if _epoch_ms is None:
        _epoch_ms = now_ms() - monotonic() * 1000
    return int(_epoch_ms + monotonic() * 1000)


async def step(context: LoopContext) -> None:
    """One round: everything that runs, everything that ended since the last one."""
    # The state first, then the exits: what ended in between has its record, never neither.
    state = await context.supervisor.state()
    exits = book(context.supervisor, "ledger")
    before = exits.seq
    records = await exits.read(context.supervisor)
    try:
        await _keep(context, state, records)
    except BaseException:
        exits.seq = before  # not written: to be read again
        raise


async def _keep(context: LoopContext, state: State, records: list[ExitRecord]) -> None:
    names = await context.store.read(lambda db: _names(db, state, records))
    alive = await asyncio.to_thread(_alive, state, names)
    ended = [seen for record in records if (seen := watching.ended(record, names)) is not None]
    # After a restart all records come again; the writer is spared those that are written.
    known = await context.store.read(lambda db: ledger.ended_among(db, [seen.resource for seen in ended]))
    ended = [seen for seen in ended if seen.resource not in known]
    now = steady_now_ms()
    await context.store.write(lambda db: _write(db, alive, ended, now))


def _names(db: Connection, state: State, records: list[ExitRecord]) -> Names:
    ids = [child.name for box in state.sandboxes for child in box.children if child.kind == "job"]
    ids += [record.name for record in records if record.kind == "job"]
    return Names(jobs.named(db, ids), replicas.endpoints_of_replicas(db))


def _alive(state: State, names: Names) -> list[Seen]:
    found: list[Seen] = []
    for box in state.sandboxes:
        found += [watching.child(box, item, names) for item in box.children]
        found += _services(box)
    return found


def _services(box: SandboxState) -> list[Seen]:
    return [seen for item in box.services for seen in watching.service(box, item)]


def _write(db: Connection, alive: list[Seen], ended: list[Seen], now: int) -> None:
    dated = [replace(seen, started_ms=seen.started_ms or now) for seen in alive]
    # Read in the same write: what is decided holds when it is written.
    write(db, decide(dated, ended, ledger.open_entries(db)), now)
