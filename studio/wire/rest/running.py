"""What runs now, and ending it."""

from fastapi import APIRouter, Depends
from sqlalchemy import Connection

from studio import ledger
from studio.access.principals import Kind, Principal, Role
from studio.clock import now_ms
from studio.cost import running, stops
from studio.cost.running import Running
from studio.domains import sandboxes
from studio.errors import NotFound
from studio.jobs import jobs
from studio.jobs.states import ENDS
from studio.serving import endpoints
from studio.wire.context import Studio, studio
from studio.wire.owner import is_admin, require_owner
from studio.wire.permission import Allow
from studio.wire.rest.schemas.cost import RunningAnswer, StoppingAnswer

router = APIRouter(prefix="/domains/{domain}", tags=["running"])
_FIELDS = frozenset(RunningAnswer.model_fields) - {"idle_s", "stoppable"}
# What Stop all ends; a lab is somebody's open page: it stays, and may be ended by itself.
BY_STOP_ALL = ("job", "kernel", "dashboards", "endpoint")


@router.get("/running")
async def list_running(
    domain: str, studio: Studio = Depends(studio), principal: Principal = Depends(Allow("cost.read"))
) -> list[RunningAnswer]:
    """Everything that runs in the domain, longest first."""
    lines = running.lines(await studio.store.read(lambda db: ledger.open_entries(db, domain)))
    return [answer(studio, principal, domain, line) for line in lines]


@router.post("/running/{running_id}/stop", status_code=202)
async def stop_running(
    domain: str,
    running_id: str,
    studio: Studio = Depends(studio),
    principal: Principal = Depends(Allow("running.stop")),
) -> StoppingAnswer:
    """Ends one of them: one's own, an endpoint, or, as an admin, anybody's."""

    def write(db: Connection) -> None:
        line = _find(db, domain, running_id)
        if line.kind != "endpoint":
            require_owner(principal, domain, line.kind, line.owner)
        _stop(db, domain, line, principal.user)

    await studio.store.write(write)
    return StoppingAnswer(stopping=[running_id], kept=[])


@router.post("/stop-all", status_code=202)
async def stop_all(
    domain: str, studio: Studio = Depends(studio), principal: Principal = Depends(Allow("running.stop"))
) -> StoppingAnswer:
    """Ends all jobs, kernels, dashboards and endpoints that the caller may end; labs stay open."""

    def write(db: Connection) -> StoppingAnswer:
        lines = [line for line in _lines(db, domain) if line.kind in BY_STOP_ALL]
        mine = [line for line in lines if _may_stop(principal, domain, line)]
        for line in mine:
            if line.kind != "endpoint":  # they are stopped below, those at zero too
                _stop(db, domain, line, principal.user)
        queued = [
            job
            for job in jobs.active(db)
            if job.domain == domain and (is_admin(principal, domain) or job.owner == principal.user)
        ]
        for job in queued:  # those that nothing runs of yet
            jobs.request_stop(db, domain, job.id)
        stopping = dict.fromkeys([line.id for line in mine] + [job.id for job in queued])
        endpoints.stop_all(db, domain)
        return StoppingAnswer(stopping=list(stopping), kept=[line.id for line in lines if line not in mine])

    return await studio.store.write(write)


def answer(studio: Studio, principal: Principal, domain: str, line: Running) -> RunningAnswer:
    """A line with what the gateway knows about an endpoint."""
    stats = studio.gateway_stats.get(f"{domain}/{line.name}", {}) if line.kind == "endpoint" else {}
    last_ms = stats.get("last_ms") or 0
    idle_s = max(0.0, (now_ms() - last_ms) / 1000) if last_ms else None
    return RunningAnswer(
        **{field: getattr(line, field) for field in _FIELDS},
        idle_s=idle_s,
        stoppable=_may_stop(principal, domain, line),
    )


def _lines(db: Connection, domain: str) -> list[Running]:
    return running.lines(ledger.open_entries(db, domain))


def _find(db: Connection, domain: str, running_id: str) -> Running:
    found = next((line for line in _lines(db, domain) if line.id == running_id), None)
    if found is None:
        raise NotFound(f"Nothing called {running_id!r} runs in {domain}.", "It may have ended: look at the list again.")
    return found


def _may_stop(principal: Principal, domain: str, line: Running) -> bool:
    """Endpoints are the domain's; the rest is its owner's or an admin's to end. A viewer ends nothing."""
    role = principal.role_in(domain)
    if principal.kind is not Kind.operator and (role is None or role.rank < Role.editor.rank):
        return False
    return line.kind == "endpoint" or line.owner == principal.user or is_admin(principal, domain)


def _stop(db: Connection, domain: str, line: Running, user: str) -> None:
    if line.kind == "job":
        job = jobs.get(db, domain, line.id)
        if job.state not in ENDS:
            jobs.request_stop(db, domain, job.id)
    elif line.kind == "endpoint":
        endpoints.stop(db, domain, line.name)
    elif line.kind == "lab":
        sandboxes.unwant_lab(db, line.id.split(":")[1])
    elif line.kind == "fork server":
        _, sandbox, environment, _ = line.id.split(":")
        sandboxes.unwant_fork_server(db, sandbox, environment)
    else:
        for resource in line.resources:
            stops.request(db, ledger.get(db, domain, resource), user)
