"""Endpoints as they are wanted: looks, decides, acts. What takes time runs beside the loop and wakes it at its end."""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field
from functools import partial
from weakref import WeakKeyDictionary

from studio.clock import now_ms
from studio.domains import sandboxes
from studio.errors import StudioError
from studio.loops import placing, serving_acts, serving_files, serving_processes
from studio.loops.context import LoopContext
from studio.loops.exit_book import book
from studio.loops.loop import each, say
from studio.runtime.specs import ChildState, State
from studio.runtime.supervising import Supervisor
from studio.serving import endpoints
from studio.serving.actions import (
    Action,
    Adopt,
    Decision,
    Fail,
    Forget,
    Materialise,
    Park,
    Probe,
    Remove,
    Retire,
    Roll,
    Route,
    Scale,
    StartReplica,
    StopReplica,
)
from studio.serving.decide import decide
from studio.serving.endpoints import Endpoint
from studio.serving.observing import needs_gateway, observe
from studio.serving.states import ReplicaState
from studio.serving.variants import new_replica_id
from studio.serving.warming import missing_places
from studio.store import Signal

CONFIRM_S = 2.0


@dataclass(slots=True)
class Work:
    """What runs beside the loop, by what it is; `starting`: names of replicas whose fork has been asked for."""

    tasks: dict[Action, asyncio.Task[bool]] = field(default_factory=dict)
    starting: set[str] = field(default_factory=set)


_WORK: WeakKeyDictionary[Supervisor, Work] = WeakKeyDictionary()


async def step(context: LoopContext) -> None:
    """One look at every endpoint, one decision for each, its actions applied or begun."""
    work = _WORK.setdefault(context.supervisor, Work())
    starting = frozenset(work.starting)  # before the state is read: what is forked meanwhile is alive
    found = await context.store.read(endpoints.list_endpoints)
    await each(context, "warming service sandboxes", _warm(context))
    if not found:
        return
    confirmed = await _confirmed(context, found)
    state = await context.supervisor.state()
    await book(context.supervisor, "serving").read(context.supervisor)
    jobs = (_one(context, work, endpoint, state, starting, confirmed) for endpoint in found)
    names = [f"endpoint {endpoint.domain}/{endpoint.name}" for endpoint in found]
    await asyncio.gather(*(each(context, name, job) for name, job in zip(names, jobs, strict=True)))


async def _warm(context: LoopContext) -> None:
    for domain, environment in await context.store.read(missing_places):
        want = partial(sandboxes.want, domain=domain, owner=sandboxes.SERVICE, environment=environment)
        await context.store.write(want)


async def _confirmed(context: LoopContext, found: list[Endpoint]) -> bool:
    """Whether the gateway has confirmed a table at least as new as `found`; asked only if a decision rests on it."""
    if not any(needs_gateway(endpoint) for endpoint in found):
        return True
    try:
        await context.gateway.confirmed(CONFIRM_S)
    except StudioError as error:
        say(context, "serving waits for the gateway", str(error))
        return False
    return True


async def _one(
    context: LoopContext, work: Work, endpoint: Endpoint, state: State, starting: frozenset[str], confirmed: bool
) -> None:
    running = _replicas(state, endpoint.sandbox)
    seen = observe(
        endpoint,
        alive=lambda id: id in running or id in starting,
        place=lambda environment: placing.ready(state, endpoint.sandbox, environment),
        confirmed=confirmed,
        stats=context.gateway_stats.get(f"{endpoint.domain}/{endpoint.name}", {}),
        now_ms=now_ms(),
    )
    if await serving_processes.heard_last_words(context, endpoint, seen):
        return  # a process that ended had said why: look again with that
    decision = decide(seen, now_ms())
    if (decision.state, decision.reason) != (endpoint.state, endpoint.reason):
        await serving_acts.note_state(context, endpoint, decision)
    for action in decision.actions:
        await _apply(context, work, endpoint, action, running)
    await _again_later(context, endpoint, decision)


def _replicas(state: State, sandbox: str) -> dict[str, ChildState]:
    found = placing.sandbox(state, sandbox)
    return {child.name: child for child in found.children if child.kind == "replica"} if found else {}


async def _apply(
    context: LoopContext, work: Work, endpoint: Endpoint, action: Action, running: dict[str, ChildState]
) -> None:
    match action:
        case Forget(replica, failed):
            await serving_processes.forget(context, endpoint, replica, failed=failed)
        case Route() | Park() | Fail() | Adopt() | Scale() | Roll():
            await serving_acts.write(context, endpoint, action)
        case Retire():
            await serving_acts.write(context, endpoint, action)
            _begin(context, work, endpoint, action, serving_files.tidy(context, endpoint))
        case StartReplica(_, parked, _):
            if action not in work.tasks:
                replica = parked or new_replica_id()
                work.starting.add(replica)
                job = serving_processes.start(context, endpoint, action, replica)
                _begin(context, work, endpoint, action, job, replica)
        case Probe(replica):
            # One that was started here is being asked already.
            if replica in running and replica not in work.starting:
                job = serving_processes.probe(context, endpoint, replica, running[replica].pid)
                _begin(context, work, endpoint, action, job)
        case StopReplica(replica):
            _begin(context, work, endpoint, action, serving_processes.stop(context, endpoint, replica))
        case Materialise(variant):
            _begin(context, work, endpoint, action, serving_files.make(context, endpoint, endpoint.variant(variant)))
        case Remove():
            _begin(context, work, endpoint, Retire(endpoint.id), serving_files.remove(context, endpoint))


def _begin(
    context: LoopContext,
    work: Work,
    endpoint: Endpoint,
    action: Action,
    job: Coroutine[None, None, None],
    replica: str = "",
) -> None:
    """Runs `job` beside the loop unless the same is under way; at its end the loop looks again."""
    if action in work.tasks:
        job.close()
        return

    def done(task: asyncio.Task[bool]) -> None:
        work.tasks.pop(action, None)
        work.starting.discard(replica)
        # What failed is tried at the loop's next regular look, not at once and for ever.
        if not task.cancelled() and task.result():
            context.store.signals.deliver([Signal("serving")])

    task = asyncio.create_task(each(context, f"{type(action).__name__} for {endpoint.domain}/{endpoint.name}", job))
    work.tasks[action] = task
    task.add_done_callback(done)


async def _again_later(context: LoopContext, endpoint: Endpoint, decision: Decision) -> None:
    """A back-off that ends before the loop's next regular look wakes it in time."""
    now = now_ms()
    waits = [v.retry_ms - now for v in endpoint.variants if now < v.retry_ms < now + 2000]
    if waits and not any(r.state is not ReplicaState.parked for v in endpoint.variants for r in v.replicas):
        later = [Signal("serving")]
        asyncio.get_running_loop().call_later(min(waits) / 1000 + 0.01, context.store.signals.deliver, later)
