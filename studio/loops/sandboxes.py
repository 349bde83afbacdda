"""Makes sandboxes, their doors, fork servers and labs what `domains.sandboxes` says they should be."""

import asyncio
import logging
import shutil
from dataclasses import dataclass
from pathlib import Path

import msgspec

from studio import environments
from studio.clock import monotonic
from studio.domains import instance_types, sandboxes, settings
from studio.domains.decide import (
    Action,
    Limit,
    OpenDoor,
    Refuse,
    Start,
    StartForkServer,
    StartLab,
    Stop,
    StopService,
    Terms,
    decide,
)
from studio.domains.instance_types import InstanceType
from studio.domains.sandboxes import Sandbox
from studio.environments import Environment, defaults
from studio.environments.kernelspecs import kernelspec
from studio.errors import Conflict, Denied, StudioError
from studio.loops import labs
from studio.loops.context import Attempts, LoopContext
from studio.loops.files import write_file
from studio.loops.loop import each, pause_s
from studio.runtime import guests, isolation_report
from studio.runtime import sandbox as runtime
from studio.runtime.specs import Limits, Network, SandboxSpec, SandboxState
from studio.store import Signal

KERNEL_PIDS = 1024  # threads count too; joblib and BLAS pools want some

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Ready:
    """The environments that a domain can use now, and the one it begins with."""

    by_name: dict[str, Environment]
    default: str


async def step(context: LoopContext) -> None:
    """One round over all sandboxes, wanted or running; each on its own, side by side."""
    wanted = {item.id: item for item in await context.store.read(sandboxes.list_all)}
    defined = await context.store.read(environments.list_all)
    state = await context.supervisor.state()
    observed = {item.id: item for item in state.sandboxes}
    names = sorted(wanted.keys() | observed.keys())
    reached = isolation_report.reached(context.isolation, state.supervisor.held)
    chosen = await context.store.read(defaults.list_all)
    ready = {
        domain: Ready(environments.usable(defined, domain), chosen.get(domain, environments.DEFAULT))
        for domain in {_domain(name) for name in names}
    }
    work = [_one(context, name, wanted.get(name), observed.get(name), ready[_domain(name)], reached) for name in names]
    await asyncio.gather(*(each(context, f"sandbox {name}", item) for name, item in zip(names, work, strict=True)))


def _domain(sandbox: str) -> str:
    return sandbox.partition(".")[0]


async def _one(
    context: LoopContext,
    name: str,
    wanted: Sandbox | None,
    observed: SandboxState | None,
    ready: Ready,
    reached: str,
) -> None:
    terms = settings.terms(wanted, reached) if wanted is not None else Terms()
    actions = decide(wanted, observed, {item.name: item.hash for item in ready.by_name.values()}, terms)
    if observed is None and (wanted is None or not wanted.wanted):
        await context.doors.close(name)
        context.attempts.pop(name, None)
        return
    if wanted is None:
        for action in actions:
            if isinstance(action, Stop):
                await _stop(context, name, action.why)
        return
    if not _is_due(context, wanted) and actions:
        return
    try:
        if observed is not None and observed.state == "Running":
            await asyncio.to_thread(write_kernelspecs, context.layout(wanted.domain, wanted.owner), ready)
        for action in actions:
            await _apply(context, action, wanted, ready)
    except StudioError as error:
        await _failed(context, wanted, error)
        raise
    if wanted.reason and observed is not None and observed.state == "Running":
        await context.store.write(lambda db: sandboxes.set_reason(db, wanted.id, ""))
        context.attempts.pop(wanted.id, None)


async def _apply(context: LoopContext, action: Action, wanted: Sandbox, ready: Ready) -> None:
    layout = context.layout(wanted.domain, wanted.owner)
    match action:
        case Start():
            await _start(context, wanted, ready)
        case Stop(why):
            await _stop(context, wanted.id, why)
        case Refuse(why, cure):
            raise Denied(why, cure)
        case Limit(limits):
            await context.supervisor.sandbox_limit(wanted.id, limits)
        case OpenDoor():
            await context.doors.open(wanted.id, wanted.token(context.secret))
        case StartForkServer(name):
            environment = ready.by_name[name]
            prefix = environment.folder(context.settings.paths.environments)
            own = environment.used.preload
            then = [*(module for module in own if module not in guests.PRELOAD), *guests.THEN]
            service = guests.fork_server(layout, name, prefix, guests.PRELOAD, list(dict.fromkeys(then)))
            await context.supervisor.service_start(wanted.id, service)
        case StartLab():
            await labs.start(context, wanted)
        case StopService(name):
            await context.supervisor.service_stop(wanted.id, name)


async def _start(context: LoopContext, wanted: Sandbox, ready: Ready) -> None:
    # A new nonce first: if this process ends before the start, the next one starts it with another.
    renewed = await context.store.write(lambda db: sandboxes.renew(db, wanted.id, wanted.role))
    layout = context.layout(wanted.domain, wanted.owner)
    await asyncio.to_thread(runtime.prepare, layout)
    await asyncio.to_thread(write_kernelspecs, layout, ready)
    # Without a network there is nobody to show a token to, and no socket of Studio's inside.
    shown = "" if renewed.network == "none" else renewed.token(context.secret)
    await asyncio.to_thread(write_file, layout.host_in / "token", shown)
    if shown:
        await context.doors.open(wanted.id, shown)
    else:
        await context.doors.close(wanted.id)
    try:
        smallest = await context.store.read(instance_types.get)
        await context.supervisor.sandbox_start(spec(context, renewed, smallest))
    except Conflict:
        # One that another server process started since: its token is not known, so it is replaced.
        await _stop(context, wanted.id, "it was started with other settings")
        raise
    log.info("sandbox %s started", wanted.id)
    _look_again(context, wanted)


async def _stop(context: LoopContext, name: str, why: str) -> None:
    log.info("sandbox %s ends: %s", name, why)
    await context.doors.close(name)
    await context.supervisor.sandbox_stop(name)
    context.store.signals.deliver([Signal("sandboxes"), Signal("running", name.partition(".")[0], (name,))])


def spec(context: LoopContext, wanted: Sandbox, kernel: InstanceType) -> SandboxSpec:
    """What the supervisor is asked to run. A viewer's has the volume read-only. A kernel gets the size of `kernel`."""
    network: Network = "none" if wanted.network == "none" else "studio"
    if wanted.network == "open":
        network = "open"
    isolation = context.layout(wanted.domain, wanted.owner).isolation
    return runtime.build_spec(
        context.settings.paths,
        wanted.domain,
        wanted.owner,
        isolation=isolation,
        network=network,
        token="" if network == "none" else wanted.token(context.secret),
        address=context.address,
        read_only=wanted.role == "viewer",
        limits=settings.limits(wanted),
        child_limits=Limits(kernel.cpu, kernel.memory_mb, KERNEL_PIDS),
    )


def write_kernelspecs(layout: runtime.Layout, ready: Ready) -> None:
    """`in/kernels/<environment>/kernel.json` for every environment that is ready; others are taken away."""
    root = layout.host_in / "kernels"
    for name, environment in ready.by_name.items():
        made = kernelspec(environment, is_default=name == ready.default)
        content = msgspec.json.format(msgspec.json.encode(made), indent=1).decode()
        folder = root / name
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_file(folder / "kernel.json", content)
    for folder in _folders(root):
        if folder.name not in ready.by_name:
            shutil.rmtree(folder, ignore_errors=True)


def _folders(root: Path) -> list[Path]:
    return [item for item in root.iterdir() if item.is_dir()] if root.is_dir() else []


def _is_due(context: LoopContext, wanted: Sandbox) -> bool:
    attempts = context.attempts.get(wanted.id)
    # Without a reason somebody has asked again since the failure.
    return attempts is None or not wanted.reason or monotonic() >= attempts.not_before


async def _failed(context: LoopContext, wanted: Sandbox, error: StudioError) -> None:
    attempts = context.attempts.setdefault(wanted.id, Attempts())
    attempts.failures += 1
    attempts.not_before = monotonic() + pause_s(attempts.failures)
    await context.store.write(lambda db: sandboxes.set_reason(db, wanted.id, str(error)))


def _look_again(context: LoopContext, wanted: Sandbox) -> None:
    signals = [Signal("sandboxes", wanted.domain, (wanted.id,)), Signal("running", wanted.domain, (wanted.id,))]
    context.store.signals.deliver(signals)
