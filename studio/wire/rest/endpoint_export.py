"""Taking an endpoint to where one machine is too small: an image's files, and KServe's manifest, as a tar file."""

import asyncio

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response, StreamingResponse

from studio.access.principals import Principal
from studio.serving import export, export_plan, export_tar
from studio.wire.context import Studio, studio
from studio.wire.permission import Allow, allow

router = APIRouter(prefix="/domains/{domain}/endpoints", tags=["endpoints"])


@router.get("/{name}/export", response_class=Response)
async def export_endpoint(
    domain: str,
    name: str,
    request: Request,
    to: str = Query(description="docker or kserve"),
    registry: str = Query("", max_length=200, description="Where images go to, such as registry.example:5000/team"),
    studio: Studio = Depends(studio),
    _: Principal = Depends(Allow("serving.read")),
) -> Response:
    """What serves of it, with the model's files and the lock of its environment; who asks must be allowed those too."""
    export.check(to, registry)
    plan = await studio.store.read(lambda db: export_plan.plan(db, domain, name))
    await allow(request, "registry.read", domain, f"model/{plan.model}")
    for environment in sorted({part.environment for part in plan.parts}):
        await allow(request, "environments.read", domain, f"environment/{environment}")
    paths = studio.settings.paths
    items = await asyncio.to_thread(export.items, plan, to, registry, paths.models / domain, paths.environments)
    headers = {"content-disposition": f'attachment; filename="{name}-{to}.tar"', "x-content-type-options": "nosniff"}
    return StreamingResponse(export_tar.stream(items), media_type="application/x-tar", headers=headers)
