"""Environments: what is defined, building it."""

import asyncio

from fastapi import APIRouter, Depends, Query

from studio import environments
from studio.access.principals import Principal
from studio.environments.environments import Environment, request_build
from studio.errors import NotFound
from studio.runtime import logs
from studio.wire.context import Studio, studio
from studio.wire.permission import Allow
from studio.wire.rest.schemas.environments import EnvironmentAnswer, EnvironmentDetail, ProgressAnswer

router = APIRouter(prefix="/environments", tags=["environments"])
LOG_BYTES = 16_384


@router.get("")
async def list_environments(
    studio: Studio = Depends(studio), _: Principal = Depends(Allow("environments.read"))
) -> list[EnvironmentAnswer]:
    """All that are defined."""
    return [EnvironmentAnswer(**_fields(studio, item)) for item in await studio.store.read(environments.list_all)]


@router.get("/{name}")
async def get_environment(
    name: str,
    wait_s: float = Query(0, ge=0, le=30, description="Waits so long for a change while it is being built."),
    studio: Studio = Depends(studio),
    _: Principal = Depends(Allow("environments.read")),
) -> EnvironmentDetail:
    """One environment, with the end of its build's log."""
    found = await _changed(studio, name, wait_s)
    log = await asyncio.to_thread(_log, studio, found)
    return EnvironmentDetail(**_fields(studio, found), log=log)


@router.post("/{name}/build", status_code=202)
async def build_environment(
    name: str, studio: Studio = Depends(studio), _: Principal = Depends(Allow("environments.build"))
) -> EnvironmentAnswer:
    """Queues a build; nothing happens if it is being built or ready."""
    found = await studio.store.write(lambda db: request_build(db, name))
    return EnvironmentAnswer(**_fields(studio, found))


async def _changed(studio: Studio, name: str, wait_s: float) -> Environment:
    event = studio.store.signals.event("environments")
    try:
        found = await studio.store.read(lambda db: environments.get(db, name))
        if wait_s and found.state in ("Queued", "Building"):
            try:
                await asyncio.wait_for(event.wait(), wait_s)
            except TimeoutError:
                return found
            return await studio.store.read(lambda db: environments.get(db, name))
        return found
    finally:
        studio.store.signals.forget(event)


def _log(studio: Studio, found: Environment) -> str:
    try:
        return logs.tail(studio.settings.paths.logs, f"{found.tool}.log", -LOG_BYTES, LOG_BYTES).text
    except NotFound:
        return ""


def _fields(studio: Studio, item: Environment) -> dict[str, object]:
    progress = ProgressAnswer.model_validate(item.progress)
    python = str(item.python_path(studio.settings.paths.environments)) if item.is_ready else item.python
    fields = ("name", "title", "state", "hash", "packages", "preload", "error")
    return {name: getattr(item, name) for name in fields} | {"progress": progress, "python": python}
