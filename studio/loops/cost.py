"""Ends what somebody asked to be ended and has no row of its own: kernels and dashboards."""

from studio.cost import stops
from studio.cost.stops import Stop
from studio.loops import lab_kernels, placing, watching
from studio.loops.context import LoopContext
from studio.loops.loop import each
from studio.runtime import process
from studio.runtime.specs import State

GRACE_S = 3.0


async def step(context: LoopContext) -> None:
    """One round over the requests."""
    pending = await context.store.read(stops.pending)
    if not pending:
        return
    state = await context.supervisor.state()
    for stop in pending:
        await each(context, f"stop of {stop.resource}", _one(context, state, stop))


async def _one(context: LoopContext, state: State, stop: Stop) -> None:
    if not stop.is_over:
        if stop.kind == "dashboards":
            await _stop_dashboards(state, stop)
        else:
            _, sandbox, name, _ = stop.resource.split(":")
            if _runs(state, sandbox, name, stop) and not await lab_kernels.shut_down(context, state, sandbox, name):
                await context.supervisor.child_stop(sandbox, name, GRACE_S)
    await context.store.write(lambda db: stops.forget(db, stop.resource))


def _runs(state: State, sandbox: str, name: str, stop: Stop) -> bool:
    found = placing.child(state, sandbox, name)
    # A kernel that was restarted keeps its name: the one that was meant is gone.
    return found is not None and watching.resource(found.kind, sandbox, name, found.started_ms) == stop.resource


async def _stop_dashboards(state: State, stop: Stop) -> None:
    _, sandbox, name = stop.resource.split(":")
    lab = placing.service(state, sandbox, "lab")
    pid = watching.dashboards_pid(process.descendants(lab.pid)) if lab and lab.pid else 0
    handle = process.handle(pid) if pid else None
    if handle is not None and f"{handle.pid}-{handle.start_time}" == name:
        await process.stop(handle, GRACE_S)
