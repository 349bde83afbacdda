"""What routes work with; made once by `server`, found by a route as `studio: Studio = Depends(studio)`."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from starlette.requests import HTTPConnection

from studio.access.audit import Audit
from studio.access.passwords import Passwords
from studio.access.people import People
from studio.runtime.gateway_control import GatewayControl
from studio.settings import Settings
from studio.store import Store

if TYPE_CHECKING:
    from studio.runtime.supervising import Supervisor


@dataclass(slots=True)
class Studio:
    """One server process: its settings, its database, and the supervisor that spawns for it."""

    settings: Settings
    store: Store
    supervisor: "Supervisor"
    address: str  # http://127.0.0.1:PORT of the gateway
    gateway_stats: dict[str, dict[str, Any]]  # "domain/endpoint" → the gateway's last figures, kept fresh by a loop
    gateway: GatewayControl
    people: People
    secret: str  # the installation's master key
    operator: str  # the user who runs this installation: as whom the operator's socket acts
    isolation: str = "bubblewrap"  # what this host can do: bubblewrap or none
    isolation_detail: str = ""  # what was tried, for people
    full: dict[str, str] = field(default_factory=dict)  # domains over their quota, and why; kept fresh by a loop
    ready: list[str] = field(default_factory=list)  # what has been started, for the readiness probe
    audit: Audit = field(init=False)
    passwords: Passwords = field(init=False)

    def __post_init__(self) -> None:
        self.audit = Audit(self.store, self.secret)
        self.passwords = Passwords(self.store, self.audit)


def context_of(connection: HTTPConnection) -> Studio:
    """The context of the server that received `connection`."""
    return cast("Studio", connection.app.state.studio)


async def studio(connection: HTTPConnection) -> Studio:
    """The dependency of routes; async, since a plain function would be run in a thread for each request."""
    return context_of(connection)
