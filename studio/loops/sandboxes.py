"""Makes sandboxes, their doors, fork servers and labs what `domains.sandboxes` says they should be."""

import asyncio
import logging
import shutil
from dataclasses import dataclass
from pathlib import Path

import msgspec

from studio import environments
from studio.clock import monotonic
from studio.domains import instance_types, sandboxes
from studio.domains.decide import Action, OpenDoor, Start, StartForkServer, StartLab, Stop, StopService, decide
from studio.domains.instance_types import InstanceType
from studio.domains.sandboxes import Sandbox
from studio.environments import Environment
from studio.environments.kernelspecs import kernelspec
from studio.errors import Conflict, StudioError
from studio.loops import labs
from studio.loops.context import Attempts, LoopContext
from studio.loops.files import write_file
from studio.loops.loop import each, pause_s
from studio.runtime import guests
from studio.runtime import sandbox as runtime
from studio.runtime.specs import Limits, Network, SandboxSpec, SandboxState
from studio.store import Signal

KERNEL_PIDS = 1024  # threads count too; joblib and BLAS pools want some

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Ready:
    """The environments that can be used."""

    by_name: dict[str, Environment]


async def step(context: LoopContext) -> None:
    """One round over all sandboxes, wanted or running; each on its own, side by side."""
    wanted = {item.id: item for item in await context.store.read(sandboxes.list_all)}
    ready = {item.name: item for item in await context.store.read(environments.list_all) if item.is_ready}
    state = await context.supervisor.state()
    observed = {item.id: item for item in state.sandboxes}
    names = sorted(wanted.keys() | observed.keys())
    work = [_one(context, name, wanted.get(name), observed.get(name), _Ready(ready)) for name in names]
    await asyncio.gather(*(each(context, f"sandbox {name}", item) for name, item in zip(names, work, strict=True)))


async def _one(
    context: LoopContext, name: str, wanted: Sandbox | None, observed: SandboxState | None, ready: _Ready
) -> None:
    actions = decide(wanted, observed, ready.by_name)
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
            await asyncio.to_thread(write_kernelspecs, context.layout(wanted.domain, wanted.owner), ready.by_name)
        for action in actions:
            await _apply(context, action, wanted, ready)
    except StudioError as error:
        await _failed(context, wanted, error)
        raise
    if wanted.reason and observed is not None and observed.state == "Running":
        await context.store.write(lambda db: sandboxes.set_reason(db, wanted.id, ""))
        context.attempts.pop(wanted.id, None)


async def _apply(context: LoopContext, action: Action, wanted: Sandbox, ready: _Ready) -> None:
    layout = context.layout(wanted.domain, wanted.owner)
    match action:
        case Start():
            await _start(context, wanted, ready)
        case Stop(why):
            await _stop(context, wanted.id, why)
        case OpenDoor():
            await context.doors.open(wanted.id, wanted.token(context.secret))
        case StartForkServer(name):
            environment = ready.by_name[name]
            prefix = environment.folder(context.settings.paths.environments)
            preload = [*guests.PRELOAD, *(module for module in environment.preload if module not in guests.PRELOAD)]
            await context.supervisor.service_start(wanted.id, guests.fork_server(layout, name, prefix, preload))
        case StartLab():
            await labs.start(context, wanted)
        case StopService(name):
            await context.supervisor.service_stop(wanted.id, name)


async def _start(context: LoopContext, wanted: Sandbox, ready: _Ready) -> None:
    # A new nonce first: if this process ends before the start, the next one starts it with another.
    renewed = await context.store.write(lambda db: sandboxes.renew(db, wanted.id, wanted.role))
    layout = context.layout(wanted.domain, wanted.owner)
    await asyncio.to_thread(runtime.prepare, layout)
    await asyncio.to_thread(write_file, layout.host_in / "token", renewed.token(context.secret))
    await asyncio.to_thread(write_kernelspecs, layout, ready.by_name)
    await context.doors.open(wanted.id, renewed.token(context.secret))
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
    network: Network = "none" if wanted.network_mode == "none" else "studio"
    if wanted.network_mode == "open":
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
        child_limits=Limits(kernel.cpu, kernel.memory_mb, KERNEL_PIDS),
    )


def write_kernelspecs(layout: runtime.Layout, ready: dict[str, Environment]) -> None:
    """`in/kernels/<environment>/kernel.json` for every environment that is ready; others are taken away."""
    root = layout.host_in / "kernels"
    for name, environment in ready.items():
        content = msgspec.json.format(msgspec.json.encode(kernelspec(environment)), indent=1).decode()
        folder = root / name
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_file(folder / "kernel.json", content)
    for folder in _folders(root):
        if folder.name not in ready:
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
