"""The end of a domain."""

import asyncio

from fastapi import APIRouter, Depends, Query
from sqlalchemy import Connection

from studio.access.principals import Principal
from studio.clock import monotonic
from studio.domains import domains, removed
from studio.domains.domains import Domain
from studio.errors import Conflict, Invalid, NotFound, Timeout
from studio.jobs import jobs
from studio.serving import endpoints
from studio.wire.context import Studio, studio
from studio.wire.permission import Allow
from studio.wire.rest.schemas.domains import RemovalAnswer

router = APIRouter(prefix="/domains/{domain}", tags=["domains"])
WAIT_S = 60.0


@router.delete("")
async def remove_domain(
    domain: str,
    confirm: str = Query("", description="The domain's name once more."),
    force: bool = Query(False, description="Also if endpoints serve in it."),
    studio: Studio = Depends(studio),
    principal: Principal = Depends(Allow("domains.remove")),
) -> RemovalAnswer:
    """Ends all that runs in a domain, moves its files aside and forgets it; waits for that, at most a minute."""
    if confirm != domain:
        raise Invalid("A domain is removed by saying its name once more.", f"Send confirm={domain}.")
    begun = await studio.store.write(lambda db: _begin(db, domain, principal.user, force))
    assert begun.removing_ms is not None
    kept = removed.folder(studio.settings.paths, domain, begun.removing_ms)
    await _gone(studio, domain, begun.removing_ms)
    await studio.people.fresh()
    await studio.gateway.confirmed()
    return RemovalAnswer(domain=domain, kept=str(kept))


def _begin(db: Connection, domain: str, user: str, force: bool) -> Domain:
    domains.get(db, domain)
    serving = endpoints.list_endpoints(db, domain)
    if serving and not force:
        names = ", ".join(item.name for item in serving)
        raise Conflict(f"Endpoints of {domain} would end: {names}.", "Delete them first, or send force=true.")
    for item in serving:
        endpoints.remove(db, domain, item.name, user)
    for job in jobs.active(db):
        if job.domain == domain:
            jobs.request_stop(db, domain, job.id)
    domains.begin_removal(db, domain)
    return domains.get(db, domain)


async def _gone(studio: Studio, domain: str, removing_ms: int) -> None:
    """Returns when the loop has removed it; `Timeout` if that takes longer than a caller waits."""
    event = studio.store.signals.event("domains", "supervisor")
    deadline = monotonic() + WAIT_S
    try:
        while True:
            event.clear()
            if not await studio.store.read(lambda db: _is_there(db, domain, removing_ms)):
                return
            if monotonic() > deadline:
                raise Timeout(f"The domain {domain} is being removed.", "That goes on by itself: look at the list.")
            await _pause(event)
    finally:
        studio.store.signals.forget(event)


def _is_there(db: Connection, domain: str, removing_ms: int) -> bool:
    try:
        return domains.get(db, domain).removing_ms == removing_ms
    except NotFound:
        return False


async def _pause(event: asyncio.Event) -> None:
    try:
        await asyncio.wait_for(event.wait(), 0.5)
    except TimeoutError:
        return
