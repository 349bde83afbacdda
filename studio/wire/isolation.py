"""Whether a domain's code may run on this host: asked before something is begun that could then never start."""

from studio.domains import domains
from studio.errors import Denied
from studio.runtime import isolation_report
from studio.wire.context import Studio


async def require_isolation(studio: Studio, domain: str) -> None:
    """`Denied` if the domain requires more isolation than this host has; the sandbox loop refuses it as well."""
    found = await studio.store.read(lambda db: domains.get(db, domain))
    if found.required_isolation == "none":
        return
    state = await studio.supervisor.state()
    reached = isolation_report.reached(studio.isolation, state.supervisor.held)
    why, cure = isolation_report.shortfall(found.required_isolation, reached)
    if why:
        raise Denied(why, cure)
