"""The catalogue of environments: what everybody may use, and building it."""

import asyncio

from fastapi import APIRouter, Depends, Query

from studio.access.principals import Principal
from studio.environments import collect, versions
from studio.environments.environments import CATALOGUE, get, visible
from studio.errors import Conflict
from studio.wire.context import Studio, studio
from studio.wire.environment_answers import answer, detail, settled
from studio.wire.permission import Allow
from studio.wire.rest.schemas.environments import CollectAnswer, CollectBody, EnvironmentAnswer, EnvironmentDetail

router = APIRouter(prefix="/environments", tags=["environments"])


@router.get("")
async def list_catalogue(
    studio: Studio = Depends(studio), _: Principal = Depends(Allow("catalogue.read"))
) -> list[EnvironmentAnswer]:
    """All that the catalogue defines."""
    found = await studio.store.read(lambda db: visible(db, CATALOGUE))
    return [EnvironmentAnswer(**answer(studio, item, "")) for item in found]


@router.get("/{name}")
async def get_from_catalogue(
    name: str,
    wait_s: float = Query(0, ge=0, le=30, description="Waits so long for a change while it is being built."),
    studio: Studio = Depends(studio),
    _: Principal = Depends(Allow("catalogue.read")),
) -> EnvironmentDetail:
    """One of them, with the end of its build's log."""
    found = await settled(studio, CATALOGUE, name, wait_s)
    return await detail(studio, CATALOGUE, found)


@router.post("/{name}/build", status_code=202)
async def build_of_catalogue(
    name: str, studio: Studio = Depends(studio), _: Principal = Depends(Allow("environments.build"))
) -> EnvironmentAnswer:
    """Queues a build; nothing happens if it is being built or ready."""
    found = await studio.store.write(lambda db: versions.request_build(db, get(db, CATALOGUE, name)))
    return EnvironmentAnswer(**answer(studio, found, ""))


@router.post("/collect")
async def collect_unused(
    body: CollectBody, studio: Studio = Depends(studio), _: Principal = Depends(Allow("environments.collect"))
) -> CollectAnswer:
    """Removes built environments that no version in use and no running process needs, and that were not used for
    `days`; they can be built again from their locks."""
    if studio.settings.environments is not None and not body.shared:
        raise Conflict(
            "The store of environments was chosen by STUDIO_ENVIRONMENTS, so another installation may use it too.",
            "Say so if it is this one's alone: `studio env gc --shared`.",
        )
    root = studio.settings.paths.environments
    used = await studio.store.read(collect.wanted) | collect.running(await studio.supervisor.state())
    await asyncio.to_thread(collect.touch, root, used)
    found = await asyncio.to_thread(collect.unused, root, used, body.days)
    for item in found if not body.dry_run else ():
        await asyncio.to_thread(collect.remove, root, item.hash)
        await studio.store.write(lambda db, name=item.hash: versions.removed(db, name))  # type: ignore[misc]
    return CollectAnswer(hashes=[item.hash for item in found], bytes=sum(item.bytes for item in found))
