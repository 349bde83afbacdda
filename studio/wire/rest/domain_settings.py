"""What a domain allows and asks of the host, and what of it holds."""

import asyncio

from fastapi import APIRouter, Depends
from sqlalchemy import Connection

from studio.access.principals import Principal
from studio.clock import monotonic
from studio.domains import domains, quotas, settings
from studio.domains.domains import Domain
from studio.domains.quotas import Volume
from studio.runtime import isolation, isolation_report
from studio.runtime.isolation_report import Host, Mechanism
from studio.runtime.specs import Limits, SandboxState, State
from studio.wire import trail
from studio.wire.context import Studio, studio
from studio.wire.permission import Allow
from studio.wire.rest.schemas.domains import (
    DomainSettingsAnswer,
    DomainSettingsBody,
    IsolationAnswer,
    LimitsAnswer,
    MechanismAnswer,
    SandboxTermsAnswer,
)

router = APIRouter(prefix="/domains/{domain}", tags=["domains"])
APPLY_S = 5.0


@router.get("/settings")
async def get_settings(
    domain: str, studio: Studio = Depends(studio), _: Principal = Depends(Allow("domain.read"))
) -> DomainSettingsAnswer:
    """The domain's settings, and in which running sandboxes they hold."""
    found = await studio.store.read(lambda db: domains.get(db, domain))
    return _settings(found, _running(await _state(studio), domain))


@router.patch("")
async def change_settings(
    domain: str,
    body: DomainSettingsBody,
    studio: Studio = Depends(studio),
    _: Principal = Depends(Allow("domain.admin")),
) -> DomainSettingsAnswer:
    """Changes settings. Limits hold in running sandboxes at once where the kernel lets them; the answer says where the
    rest holds from the next start only."""
    changes = body.model_dump(exclude_unset=True, exclude={"restart"})
    trail.about(detail=", ".join(f"{name} {value}" for name, value in changes.items()))

    def write(db: Connection) -> Domain:
        found = settings.change(db, domain, changes)
        if body.restart:
            settings.restart(db, domain)
        return found

    event = studio.store.signals.event("supervisor", "sandboxes", "running")
    try:
        found = await studio.store.write(write)
        limits, deadline = settings.limits(found), monotonic() + APPLY_S
        while True:
            event.clear()
            running = _running(await _state(studio), domain)
            if all(box.limits == limits for box in running) or monotonic() > deadline:
                return _settings(found, running)
            await _pause(event)
    finally:
        studio.store.signals.forget(event)


@router.get("/isolation")
async def get_isolation(
    domain: str, studio: Studio = Depends(studio), _: Principal = Depends(Allow("domain.read"))
) -> IsolationAnswer:
    """What keeps this domain's code in: every mechanism, as tried on this host."""
    found, volume = await studio.store.read(lambda db: (domains.get(db, domain), quotas.get(db, domain)))
    state = await _state(studio)
    network = found.network_mode if studio.isolation == "bubblewrap" else "open"
    host = await asyncio.to_thread(_host, studio, network, state)
    reached = isolation_report.reached(studio.isolation, host.held)
    why, cure = isolation_report.shortfall(found.required_isolation, reached)
    mechanisms = isolation_report.report(host, network, settings.limits(found))  # type: ignore[arg-type]  # checked
    mechanisms.append(_quota(volume))
    return IsolationAnswer(
        level=reached,
        required=found.required_isolation,
        runs=not why,
        refusal=f"{why} {cure}".strip(),
        network_mode=network,
        levels=isolation_report.MEANING,
        mechanisms=[MechanismAnswer.model_validate(item) for item in mechanisms],
        sandboxes=[_terms(found, box) for box in _running(state, domain)],
    )


def _quota(volume: Volume) -> Mechanism:
    """No host-side limit of the system's: Studio measures and refuses, and says so."""
    found = quotas.enforcement(volume.quota_mb)
    why = "the system itself stops no write" if volume.quota_mb else "the domain sets none"
    return Mechanism("volume quota", False, found.words, why, found.advice)


def _host(studio: Studio, network: str, state: State) -> Host:
    """In a thread: it makes a sandbox to look around in, once per process."""
    if studio.isolation != "bubblewrap":
        found = isolation.probe()
        off = isolation.Isolation("none", "", "not isolated", found.cause, found.cure)
        return Host(off, None, state.supervisor.held, state.supervisor.limits)
    facts = isolation.tried(network == "open")
    return Host(isolation.probe(), facts, state.supervisor.held, state.supervisor.limits)


async def _state(studio: Studio) -> State:
    return await studio.supervisor.state()


def _running(state: State, domain: str) -> list[SandboxState]:
    return [box for box in state.sandboxes if box.domain == domain and box.state == "Running"]


def _settings(found: Domain, running: list[SandboxState]) -> DomainSettingsAnswer:
    fields = ("network_mode", "memory_mb", "cpu", "processes", "required_isolation", "idle_minutes")
    return DomainSettingsAnswer(
        **{field: getattr(found, field) for field in fields},
        limits=_limits(settings.limits(found)),
        sandboxes=[_terms(found, box) for box in running],
    )


def _terms(found: Domain, box: SandboxState) -> SandboxTermsAnswer:
    limits = settings.limits(found)
    late = [
        *(["network_mode"] if box.isolation == "bubblewrap" and box.network != found.network_mode else []),
        # Only where the kernel limits at all: what it never holds does not come with another start.
        *(["memory_mb"] if box.held.memory_mb and box.held.memory_mb != limits.memory_mb else []),
    ]
    return SandboxTermsAnswer(
        id=box.id,
        owner=box.owner,
        network=box.network,
        filtered=box.filtered,
        held=_limits(box.held),
        at_next_start=late,
    )


def _limits(limits: Limits) -> LimitsAnswer:
    return LimitsAnswer(memory_mb=limits.memory_mb, cpu=limits.cpu, pids=limits.pids)


async def _pause(event: asyncio.Event) -> None:
    try:
        await asyncio.wait_for(event.wait(), 0.2)
    except TimeoutError:
        return
