"""Whether this process is alive and ready; tells nothing else to anybody."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from studio.wire.context import context_of
from studio.wire.permission import PUBLIC, permission


@permission(PUBLIC)
async def healthz(request: Request) -> Response:
    """200 when the database is open and the loops run, else 503."""
    is_ready = "loops" in context_of(request).ready
    return JSONResponse({"ready": is_ready}, 200 if is_ready else 503)


ROUTES: list[BaseRoute] = [Route("/healthz", healthz)]
