"""What runs, as which process: for the command line."""

import msgspec
from fastapi import APIRouter, Depends

from studio import __version__
from studio.access.principals import Principal
from studio.wire.context import Studio, studio
from studio.wire.permission import Allow
from studio.wire.rest.schemas.domains import StatusAnswer

router = APIRouter(tags=["status"])


@router.get("/status")
async def get_status(studio: Studio = Depends(studio), _: Principal = Depends(Allow("status.read"))) -> StatusAnswer:
    """The installation: every process with its state."""
    state = msgspec.to_builtins(await studio.supervisor.state())
    return StatusAnswer(
        address=studio.address,
        home=str(studio.settings.paths.home),
        version=__version__,
        isolation=studio.isolation,
        domains=sorted(studio.people.now.domains),
        **{name: state[name] for name in ("supervisor", "gateway", "server", "sandboxes")},
    )
