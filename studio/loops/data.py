"""Has registered files looked at inside their owner's sandbox, and takes what comes back."""

import asyncio
import os
import sys
from pathlib import Path

import studio
from studio.clock import now_ms
from studio.data import datasets, paths, reports
from studio.data.datasets import Dataset
from studio.data.decide import Fail, Finish, Observed, Start, decide
from studio.domains import sandboxes
from studio.errors import Denied, Invalid, NotFound, TooLarge
from studio.loops import placing
from studio.loops.context import LoopContext
from studio.loops.exit_book import ExitBook, book
from studio.loops.loop import each
from studio.runtime import beneath
from studio.runtime.specs import SandboxState, ServiceSpec, State

AT_ONCE = 4  # profiles that run side by side: each takes a core and up to a few hundred megabytes


async def step(context: LoopContext) -> None:
    """One round over the data sets that are being profiled."""
    waiting = await context.store.read(datasets.profiling)
    if not waiting:
        return
    # The state first, then the exits: what ended in between has its record, never neither.
    state = await context.supervisor.state()
    exits = book(context.supervisor, "data")
    await exits.read(context.supervisor)
    for dataset in waiting[:AT_ONCE]:
        await each(context, f"data set {dataset.domain}/{dataset.name}", _one(context, state, exits, dataset))


async def _one(context: LoopContext, state: State, exits: ExitBook, dataset: Dataset) -> None:
    try:
        sandbox = await context.store.write(lambda db: sandboxes.want(db, dataset.domain, dataset.owner))
    except (Denied, NotFound) as error:
        # The owner is gone from the domain: nobody is left in whose name the file could be read.
        message = str(error)
        await context.store.write(lambda db: datasets.fail(db, dataset, message))
        return
    place = placing.sandbox(state, sandbox)
    service = placing.service(state, sandbox, dataset.attempt)
    is_running = service is not None and service.state in ("Starting", "Running")
    record = exits.find(sandbox, dataset.attempt)
    seen = Observed(
        output=await asyncio.to_thread(_output, context, place, dataset) if place else None,
        is_running=is_running,
        is_place_up=placing.is_running(state, sandbox),
        attempts=dataset.attempts,
        ended=record.message if record else None,
        running_s=(now_ms() - service.started_ms) / 1000 if service else 0.0,
    )
    match decide(seen):
        case Start() if place is not None:
            await context.store.write(lambda db: datasets.count_attempt(db, dataset))
            await context.supervisor.service_start(sandbox, _service(context, place, dataset))
        case Finish(report):
            await context.store.write(lambda db: datasets.finish(db, dataset, report))
            await asyncio.to_thread(_forget, context, place, dataset)
            if service is not None:
                await context.supervisor.service_stop(sandbox, dataset.attempt)  # it has ended: only its name goes
        case Fail(reason):
            if service is not None:
                await context.supervisor.service_stop(sandbox, dataset.attempt)
            await context.store.write(lambda db: datasets.fail(db, dataset, reason))
        case _:
            pass


def _service(context: LoopContext, place: SandboxState, dataset: Dataset) -> ServiceSpec:
    layout = context.layout(place.domain, place.owner)
    where = paths.parse(dataset.path, dataset.owner)
    argv = [sys.executable, "-P", "-m", "studio.data.profile"]
    argv += ["--root", layout.inside_shared if where.is_shared else layout.inside_home, "--path", "/".join(where.parts)]
    argv += ["--out", f"{layout.inside_out}/{dataset.attempt}.json"]
    threads = str(min(2, os.cpu_count() or 1))
    # Studio's own package comes before anything that the person may have put on the path.
    env = {"POLARS_MAX_THREADS": threads, "PYTHONPATH": str(Path(studio.__file__).parent.parent)}
    return ServiceSpec(dataset.attempt, argv, env, cwd="/", kept=False)


def _output(context: LoopContext, place: SandboxState, dataset: Dataset) -> reports.Report | None:
    """The report, once it is there; a sandbox wrote it, so it is opened without following links, and capped."""
    try:
        folder = context.layout(place.domain, place.owner).host_out
        return reports.decode(beneath.read(folder, [f"{dataset.attempt}.json"], reports.MAX_BYTES))
    except NotFound:
        return None
    except (Invalid, TooLarge) as error:
        return reports.Report(error=str(error))


def _forget(context: LoopContext, place: SandboxState | None, dataset: Dataset) -> None:
    if place is not None:
        beneath.remove(context.layout(place.domain, place.owner).host_out, [f"{dataset.attempt}.json"])
