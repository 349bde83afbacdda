"""Who is asking."""

from fastapi import APIRouter, Depends

from studio import __version__
from studio.access.principals import Principal
from studio.domains import addresses, domains
from studio.wire.context import Studio, studio
from studio.wire.permission import Allow
from studio.wire.rest.schemas.access import DomainLink, Isolation, SessionAnswer

router = APIRouter(tags=["session"])


@router.get("/session")
async def get_session(
    studio: Studio = Depends(studio), principal: Principal = Depends(Allow("session.read"))
) -> SessionAnswer:
    """The asker, their domains, and what this installation is."""
    people = studio.people.now
    session = people.session(principal.credential)
    found = await studio.store.read(domains.list_all)
    links = [
        DomainLink(name=item.name, title=item.title, role=role, address=addresses.origin(studio.address, item) + "/")
        for item in found
        if (role := principal.roles.get(item.name))
    ]
    return SessionAnswer(
        user=principal.user,
        kind=principal.kind,
        role=principal.role_in(principal.domain) if principal.domain else None,
        domain=principal.domain,
        csrf=session.csrf if session else None,
        operates=session is not None and principal.user == studio.operator,
        domains=links,
        isolation=isolation(studio, next((item.network_mode for item in found if item.name == principal.domain), "")),
        version=__version__,
        address=studio.address,
        currency=studio.settings.currency,
    )


def isolation(studio: Studio, network_mode: str) -> Isolation:
    """What keeps domains apart here; claims no more than was tried. `network_mode`: of the asker's domain, if any."""
    is_isolated = studio.isolation == "bubblewrap"
    return Isolation(
        level=studio.isolation,
        network=(network_mode or "studio") if is_isolated else "open",
        detail=studio.isolation_detail or ("" if is_isolated else "Not isolated: see `studio doctor`."),
    )
