"""What routes work with; made once by `server`, found by a route as `studio: Studio = Depends(studio)`."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from starlette.requests import HTTPConnection

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
    gateway_stats: dict[str, dict[str, float]]  # "domain/endpoint" → the gateway's last figures, kept fresh by a loop


def studio(connection: HTTPConnection) -> Studio:
    """The context of the server that received `connection`."""
    return cast("Studio", connection.app.state.studio)
