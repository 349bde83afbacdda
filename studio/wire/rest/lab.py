"""The caller's lab, its fork servers, and the example in it."""

import asyncio

from fastapi import APIRouter, Depends
from sqlalchemy import Connection

from studio.access.principals import Principal
from studio.clock import monotonic
from studio.domains import addresses, domains, examples, sandboxes
from studio.domains.labs import LAB, LabState, lab_state
from studio.domains.sandboxes import Sandbox
from studio.environments.defaults import get_default
from studio.environments.environments import require_ready
from studio.errors import Denied, NotFound, StudioError
from studio.runtime import sockets
from studio.runtime.sandbox import Layout
from studio.runtime.specs import SandboxState
from studio.wire.context import Studio, studio
from studio.wire.isolation import require_isolation
from studio.wire.permission import Allow
from studio.wire.rest.schemas.domains import ExampleAnswer, ForkServerAnswer, LabAnswer

router = APIRouter(prefix="/domains/{domain}", tags=["lab"])
WAIT_S = 60.0
LOOK_S = 1.0  # at the latest; signals come earlier


@router.get("/lab")
async def get_lab(
    domain: str, studio: Studio = Depends(studio), principal: Principal = Depends(Allow("lab.open"))
) -> LabAnswer:
    """Whether the caller's lab runs."""
    return await _answer(studio, domain, await observe(studio, domain, principal.user))


@router.post("/lab")
async def open_lab(
    domain: str, studio: Studio = Depends(studio), principal: Principal = Depends(Allow("lab.open"))
) -> LabAnswer:
    """Wants the caller's lab and waits until it answers, at most 60 s; then it is still starting."""
    await require_isolation(studio, domain)
    return await _answer(studio, domain, await wait_for_lab(studio, domain, principal.user, WAIT_S))


@router.delete("/lab")
async def close_lab(
    domain: str, studio: Studio = Depends(studio), principal: Principal = Depends(Allow("lab.open"))
) -> LabAnswer:
    """Ends the caller's lab; kernels and jobs go on."""
    await studio.store.write(lambda db: sandboxes.unwant_lab(db, f"{domain}.{principal.user}"))
    return await _answer(studio, domain, await observe(studio, domain, principal.user))


@router.post("/fork-servers/{environment}")
async def ensure_fork_server(
    domain: str,
    environment: str,
    studio: Studio = Depends(studio),
    principal: Principal = Depends(Allow("lab.open")),
) -> ForkServerAnswer:
    """Wants a fork server of an environment in the caller's sandbox and waits until it runs, at most 60 s."""

    def write(db: Connection) -> str:
        require_ready(db, domain, environment)
        return sandboxes.want(db, domain, principal.user, environment=environment)

    event = studio.store.signals.event("supervisor", "sandboxes", "running")
    try:
        sandbox = await studio.store.write(write)
        deadline = monotonic() + WAIT_S
        while True:
            event.clear()
            found = await _service(studio, sandbox, f"fork-{environment}")
            if found.state == "Running" or monotonic() > deadline:
                return ForkServerAnswer(
                    sandbox=sandbox, environment=environment, state=found.state, reason=found.reason
                )
            await _pause(event)
    finally:
        studio.store.signals.forget(event)


@router.post("/example")
async def open_example(
    domain: str, studio: Studio = Depends(studio), principal: Principal = Depends(Allow("data.write"))
) -> ExampleAnswer:
    """Puts the example's notebook into the caller's home, its data into the shared folder; keeps what is there."""
    if principal.user not in {name for name, roles in studio.people.now.roles.items() if domain in roles}:
        raise Denied(f"{principal.user} is no member of {domain}.", "Add them to the domain first.")
    layout = Layout(studio.settings.paths, domain, principal.user, _isolation(studio))
    path = await asyncio.to_thread(examples.copy, studio.settings.assets, layout)
    return ExampleAnswer(path=path, inside=f"{layout.inside_home}/{path.partition('/')[2]}")


async def wait_for_lab(studio: Studio, domain: str, user: str, timeout_s: float) -> LabState:
    """Wants the lab; returns when it answers and the gateway knows it, or with its state after `timeout_s`."""
    event = studio.store.signals.event("supervisor", "sandboxes", "labs", "running")
    try:
        # The fork server comes with the lab, so that the first notebook finds it warm.
        first = studio.settings.first_environment

        def want(db: Connection) -> str:
            return sandboxes.want(db, domain, user, lab=True, environment=get_default(db, domain, first))

        await studio.store.write(want)
        deadline = monotonic() + timeout_s
        while True:
            event.clear()
            found = await observe(studio, domain, user)
            if found.state == "Running":
                await studio.gateway.confirmed()
                return found
            if monotonic() > deadline:
                return found
            await _pause(event)
    finally:
        studio.store.signals.forget(event)


async def observe(studio: Studio, domain: str, user: str) -> LabState:
    """The lab's state now, as the supervisor and its socket show it."""
    wanted = await studio.store.read(lambda db: _find(db, f"{domain}.{user}"))
    if wanted is None or not wanted.lab_wanted:
        return lab_state(wanted, None, is_listening=False)
    state = await studio.supervisor.state()
    observed = next((item for item in state.sandboxes if item.id == wanted.id), None)
    return lab_state(wanted, observed, is_listening=_is_listening(studio, domain, user, observed))


def _is_listening(studio: Studio, domain: str, user: str, observed: SandboxState | None) -> bool:
    if observed is None or not any(item.name == LAB for item in observed.services):
        return False
    layout = Layout(studio.settings.paths, domain, user, _isolation(studio))
    try:
        sockets.connect_beneath(layout.host_out, "lab.sock", timeout_s=0.2).close()
    except StudioError:
        return False
    return True


async def _service(studio: Studio, sandbox: str, name: str) -> LabState:
    wanted = await studio.store.read(lambda db: sandboxes.get(db, sandbox))
    state = await studio.supervisor.state()
    observed = next((item for item in state.sandboxes if item.id == sandbox), None)
    service = next((item for item in observed.services if item.name == name), None) if observed else None
    if service is not None and service.state == "Running":
        return LabState("Running")
    if wanted.reason:
        return LabState("Failed", wanted.reason)
    return LabState("Starting", service.reason if service else "")


async def _answer(studio: Studio, domain: str, found: LabState) -> LabAnswer:
    row = await studio.store.read(lambda db: domains.get(db, domain))
    return LabAnswer(state=found.state, reason=found.reason, address=addresses.origin(studio.address, row) + "/lab")


def _isolation(studio: Studio):  # type: ignore[no-untyped-def]
    return "bubblewrap" if studio.isolation == "bubblewrap" else "none"


def _find(db: Connection, sandbox: str) -> Sandbox | None:
    try:
        return sandboxes.get(db, sandbox)
    except NotFound:
        return None


async def _pause(event: asyncio.Event) -> None:
    try:
        await asyncio.wait_for(event.wait(), LOOK_S)
    except TimeoutError:
        return
