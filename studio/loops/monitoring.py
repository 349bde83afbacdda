"""Has captured requests made into Parquet and checked inside the service sandbox, and takes what comes back."""

import asyncio
import os
import sys
from contextlib import suppress
from pathlib import Path

import msgspec
from sqlalchemy import Connection

import studio
from studio.clock import now_ms
from studio.domains import sandboxes
from studio.errors import NotFound
from studio.ids import new_id
from studio.loops import placing
from studio.loops.context import LoopContext
from studio.loops.loop import each
from studio.monitoring import captures, monitors
from studio.monitoring.decide import AGAIN_MS, Seen, runs_now
from studio.monitoring.ground_truth import SPOOL
from studio.monitoring.monitors import Monitor
from studio.runtime import beneath
from studio.runtime.sandbox import Layout
from studio.runtime.specs import ServiceSpec, State
from studio.serving import endpoints
from studio.serving.endpoints import Endpoint
from studio.store import Signal

SOON_S = 0.1
_NICE = 10  # predictions come first: nobody waits for the job


async def step(context: LoopContext) -> None:
    """One look at every endpoint that captures its requests, or did: what it keeps grows old all the same."""

    def read(db: Connection) -> list[tuple[Endpoint, Monitor | None]]:
        found = [(e, monitors.find(db, e.id)) for e in endpoints.list_endpoints(db) if not e.deleting]
        return [(endpoint, monitor) for endpoint, monitor in found if endpoint.capture or monitor is not None]

    watched = await context.store.read(read)
    if not watched:
        return
    state = await context.supervisor.state()
    for endpoint, monitor in watched:
        name = f"monitor {endpoint.domain}/{endpoint.name}"
        await each(context, name, _one(context, state, endpoint, monitor))


async def _one(context: LoopContext, state: State, endpoint: Endpoint, monitor: Monitor | None) -> None:
    if monitor is None:
        monitor = await context.store.write(lambda db: monitors.ensure(db, endpoint))
    root = captures.root(context.settings.paths.capture, endpoint.domain, endpoint.name)
    service = placing.service(state, endpoint.sandbox, _name(endpoint))
    running = service is not None and service.state in ("Starting", "Running")
    if monitor.run and await _take(context, endpoint, monitor, root):
        return  # written: the loop is woken and looks again
    segments, open_ms = await asyncio.to_thread(_spool, root)
    seen = Seen(
        segments=segments,
        open_ms=open_ms,
        run_ms=monitor.run_ms,
        is_running=running,
        looked_ms=monitor.looked_ms,
        wanted_ms=monitor.wanted_ms,
        place=placing.is_running(state, endpoint.sandbox),
    )
    if runs_now(seen, int(context.settings.monitor_seconds * 1000), now_ms()):
        await _send(context, endpoint, monitor)
    elif monitor.wanted_ms > monitor.looked_ms or running:
        # Somebody waits: the end of a segment or of the job is looked for soon.
        again = context.store.signals.deliver
        asyncio.get_running_loop().call_later(SOON_S, again, [Signal("monitoring")])


def _name(endpoint: Endpoint) -> str:
    """Of the job among the sandbox's services: one per endpoint, so that it never runs twice and has one log."""
    return f"monitor-{endpoint.name}"


def _spool(root: Path) -> tuple[bool, int]:
    """(closed segments or labels wait, when the one being written was begun)."""
    closed = beneath.names(root, ("spool",), ".frames", limit=1) or beneath.names(root, SPOOL, ".json", limit=1)
    being_written = [name.partition("-")[0] for name in beneath.names(root, ("spool",), ".open")]
    return bool(closed), max((int(ms) for ms in being_written if ms.isdigit()), default=0)


async def _send(context: LoopContext, endpoint: Endpoint, monitor: Monitor) -> None:
    """Starts the job; its row first, so that it is never out twice."""
    run = new_id("monitor")
    argv = [sys.executable, "-P", "-m", "studio.monitoring.collect", "--run", run]
    argv += arguments(endpoint, monitor, context.layout(endpoint.domain, sandboxes.SERVICE))
    env = {
        "POLARS_MAX_THREADS": str(min(2, os.cpu_count() or 1)),
        "PYTHONPATH": str(Path(studio.__file__).parent.parent),
    }
    await context.store.write(lambda db: monitors.change(db, endpoint, run=run, run_ms=now_ms()))
    await context.supervisor.service_start(
        endpoint.sandbox, ServiceSpec(_name(endpoint), argv, env, cwd="/", kept=False, nice=_NICE)
    )


def arguments(endpoint: Endpoint, monitor: Monitor, layout: Layout) -> list[str]:
    """What the job is told; paths are those inside the sandbox."""
    shown = endpoint.shown
    folders = {str(v.version): f"{layout.inside_models}/{v.digest}" for v in endpoint.variants if v.digest}
    told = ["--root", f"{layout.inside_capture}/{endpoint.name}", "--after", str(monitor.cursor)]
    told += ["--version", str(shown.version if shown else endpoint.version), "--threshold", str(monitor.threshold)]
    told += ["--days", str(endpoint.capture_days), "--redact", _json(endpoint.redact), "--models", _json(folders)]
    told += ["--shadows", _json([variant.name for variant in endpoint.variants if variant.shadow])]
    if shown is not None and shown.baseline:
        told += ["--baseline", f"{layout.inside_models}/{shown.baseline}"]
    return told


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()


async def _take(context: LoopContext, endpoint: Endpoint, monitor: Monitor, root: Path) -> bool:
    """Takes in the result of a job that has ended; gives up one that left none. Whether anything was written."""
    result = await asyncio.to_thread(captures.result, root, monitor.run)
    if result is not None:
        await context.store.write(lambda db: monitors.take(db, endpoint, result))
    elif now_ms() - monitor.run_ms > AGAIN_MS:
        gone = "The check ended without a result; the next one begins again."
        values = {"run": "", "run_ms": 0, "looked_ms": now_ms(), "error": gone}
        await context.store.write(lambda db: monitors.change(db, endpoint, **values))
    else:
        return False
    await asyncio.to_thread(beneath.remove, root, ("results", f"{monitor.run}.json"))
    with suppress(NotFound):  # the sandbox has ended since
        # The job has written its result, the last thing it does.
        await context.supervisor.service_stop(endpoint.sandbox, _name(endpoint))
    return True
