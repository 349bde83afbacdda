"""Makes jobs so: a place is wanted, a process is forked in it, its end is written down; adopted after a restart."""

import asyncio
import json
from pathlib import PurePosixPath

from sqlalchemy import Connection

from studio import environments
from studio.clock import monotonic, now_ms
from studio.domains import instance_types, sandboxes
from studio.environments import Environment
from studio.environments.states import State as EnvironmentState
from studio.errors import Conflict, StudioError, Timeout, Unavailable
from studio.jobs import jobs, scripts, staging
from studio.jobs.decide import End, Exit, Fork, Mark, Observed, Stop, Wait, decide
from studio.jobs.jobs import Job
from studio.jobs.states import State
from studio.loops import placing
from studio.loops.context import LoopContext
from studio.loops.exit_book import ExitBook, book
from studio.loops.loop import each
from studio.runtime import guests, specs

GRACE_S = 5.0
PIDS = 512
# Of this process: since when a job is missed, and which are being stopped. Lost in a restart without harm.
_missed: dict[str, float] = {}
_stopping: dict[str, asyncio.Task[None]] = {}


async def step(context: LoopContext) -> None:
    """One round over the jobs that have not ended."""
    active = await context.store.read(jobs.active)
    for gone in _missed.keys() - {job.id for job in active}:
        del _missed[gone]
    if not active:
        return
    # The state first, then the exits: what ended in between has its record, never neither.
    state = await context.supervisor.state()
    exits = book(context.supervisor, "jobs")
    await exits.read(context.supervisor)
    for job in active:
        await each(context, f"job {job.id}", _one(context, state, exits, job))


async def _one(context: LoopContext, state: specs.State, exits: ExitBook, job: Job) -> None:
    match decide(await _observe(context, state, exits, job)):
        case Fork():
            await _fork(context, state, job)
        case Mark(started_ms):
            await context.store.write(lambda db: jobs.run(db, job, started_ms))
        case Stop():
            _stop(context, job)
        case End() as end:
            await context.store.write(lambda db: _end(db, job, end))
        case Wait(reason) if reason:
            await context.store.write(lambda db: jobs.explain(db, job, reason))
        case _:
            pass


async def _observe(context: LoopContext, state: specs.State, exits: ExitBook, job: Job) -> Observed:
    record = exits.find(job.sandbox, job.id)
    child = placing.child(state, job.sandbox, job.id)
    seen = Observed(
        job.state,
        job.is_stop_requested,
        exit=_exit(record) if record else None,
        child_started_ms=child.started_ms if child else None,
        missing_s=_missing_s(job, is_seen=record is not None or child is not None),
    )
    if record or child or job.is_stop_requested or job.state is State.running:
        return seen
    try:
        environment, place = await context.store.write(lambda db: _want(db, job))
    except StudioError as error:  # the owner or the environment is gone: waiting would not help
        return Observed(job.state, False, environment_error=str(error))
    return Observed(
        job.state,
        False,
        environment_error=_environment_error(environment),
        waiting_for=_lacks(state, job, environment, place.reason),
    )


def _exit(record: specs.ExitRecord) -> Exit:
    return Exit(record.code, record.reason, record.message, record.started_ms, record.ended_ms)


def _missing_s(job: Job, *, is_seen: bool) -> float:
    if is_seen or job.state is not State.running:
        _missed.pop(job.id, None)
        return 0.0
    return monotonic() - _missed.setdefault(job.id, monotonic())


def _want(db: Connection, job: Job) -> tuple[Environment, sandboxes.Sandbox]:
    environment = environments.get(db, job.domain, job.environment)
    wanted = job.environment if environment.is_ready else None
    return environment, sandboxes.get(db, sandboxes.want(db, job.domain, job.owner, environment=wanted))


def _environment_error(environment: Environment) -> str:
    version = environment.newest
    if environment.is_ready or version.state is not EnvironmentState.failed:
        return ""
    return f"The environment {environment.name} could not be built: {version.error} Build it again, then the job."


def _lacks(state: specs.State, job: Job, environment: Environment, reason: str) -> str:
    if not environment.is_ready and environment.newest.state is EnvironmentState.not_built:
        return f"The environment {job.environment} is not built: `studio env build {job.environment}`."
    if not environment.is_ready:
        return f"The environment {job.environment} is being built."
    if reason:
        return f"The sandbox does not start: {reason}"
    return "" if placing.ready(state, job.sandbox, job.environment) else "Its sandbox is starting."


async def _fork(context: LoopContext, state: specs.State, job: Job) -> None:
    kind = await context.store.read(lambda db: instance_types.get(db, job.instance_type))
    place = placing.service(state, job.sandbox, guests.fork_service(job.environment))
    revision = place.revision if place else ""
    # Committed before the process is asked for: a server that is killed in between finds it by its name.
    await context.store.write(lambda db: jobs.start(db, job, revision))
    limits = specs.Limits(kind.cpu, kind.memory_mb, PIDS)
    try:
        await context.supervisor.child_fork(job.sandbox, job.environment, _spec(context, job, kind.cpu), limits)
    except (Unavailable, Timeout, Conflict):
        raise  # it may run: the next round sees it, or asks again under the same name
    except StudioError as error:
        message = str(error)
        await context.store.write(lambda db: jobs.end(db, job, State.failed, message))
    else:
        # Said at once; the exact time is that of its exit record.
        await context.store.write(lambda db: jobs.run(db, job, now_ms()))


def _spec(context: LoopContext, job: Job, cpu: float) -> specs.ChildSpec:
    layout = context.layout(job.domain, job.owner)
    script = str(PurePosixPath(layout.inside_home, *staging.parts(job.id, job.script)))
    threads = str(max(1, int(cpu)))
    env = {
        "STUDIO_JOB_ID": job.id,
        "STUDIO_JOB_NAME": job.name,
        # Tags that the mlflow client gives to every run it starts.
        "MLFLOW_RUN_CONTEXT": json.dumps({"studio.job_id": job.id, "studio.job_name": job.name}),
        "OMP_NUM_THREADS": threads,
        "OPENBLAS_NUM_THREADS": threads,
        "LOKY_MAX_CPU_COUNT": threads,
    }
    if job.experiment:
        env["MLFLOW_EXPERIMENT_NAME"] = job.experiment
    args = {"script": script, "argv": scripts.argv(job.params)}
    return specs.ChildSpec(job.id, "job", cwd=layout.inside_home, env=env, args=args)


def _stop(context: LoopContext, job: Job) -> None:
    """Asks for the end without waiting for it: a job may take its time, others shall not wait as long."""

    async def stop() -> None:
        await each(context, f"stop of {job.id}", context.supervisor.child_stop(job.sandbox, job.id, GRACE_S))

    if job.id not in _stopping:
        _stopping[job.id] = task = asyncio.create_task(stop(), name=f"stop {job.id}")
        task.add_done_callback(lambda _: _stopping.pop(job.id, None))


def _end(db: Connection, job: Job, end: End) -> Job:
    if end.exit is None:
        return jobs.end(db, job, end.state, end.reason)
    found = end.exit
    return jobs.end(
        db,
        job,
        end.state,
        end.reason,
        exit_code=found.code,
        started_ms=found.started_ms,
        ended_ms=found.ended_ms,
    )
