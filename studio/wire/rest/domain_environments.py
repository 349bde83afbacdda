"""Environments of a domain: the catalogue's as it sees them, and its own."""

import asyncio
from typing import Literal

from fastapi import APIRouter, Depends, Query, Response
from sqlalchemy import Connection

from studio.access.principals import Principal
from studio.domains import sandboxes
from studio.environments import buildlog, defaults, environments, versions
from studio.environments.definitions import Definition, check_packages, check_preload
from studio.environments.environments import CATALOGUE, Environment, Version
from studio.environments.versions import Change, add_packages
from studio.wire.context import Studio, studio
from studio.wire.environment_answers import answer, detail, lock, settled, version_detail
from studio.wire.environment_uses import require_unused, uses
from studio.wire.permission import Allow
from studio.wire.rest.schemas.environments import (
    AddBody,
    ChangeBody,
    DefaultBody,
    EnvironmentAnswer,
    EnvironmentBody,
    EnvironmentDetail,
    EnvironmentInDomain,
    EnvironmentVersionDetail,
    RollbackBody,
)
from studio.wire.rest.schemas.jobs import LogAnswer

router = APIRouter(prefix="/domains/{domain}", tags=["environments"])
READ = Allow("environments.read")
WRITE = Allow("environments.write")


@router.get("/environments")
async def list_environments(
    domain: str, studio: Studio = Depends(studio), _: Principal = Depends(READ)
) -> list[EnvironmentInDomain]:
    """What the domain may use, by name."""
    found = await studio.store.read(lambda db: environments.visible(db, domain))
    used = await uses(studio, domain)
    default = await studio.store.read(lambda db: defaults.get_default(db, domain))
    return [
        EnvironmentInDomain(**answer(studio, item, default), used_by=len(used.get(item.name, []))) for item in found
    ]


@router.post("/environments", status_code=202)
async def create_environment(
    domain: str, body: EnvironmentBody, studio: Studio = Depends(studio), principal: Principal = Depends(WRITE)
) -> EnvironmentAnswer:
    """A new environment of the domain, from nothing or as a clone; its build begins at once."""

    def write(db: Connection) -> Environment:
        definition, note = _defined(db, domain, body)
        return versions.create(db, domain, definition, principal.user, note)

    return await _answer(studio, domain, await studio.store.write(write))


@router.get("/environments/{name}")
async def get_environment(
    domain: str,
    name: str,
    wait_s: float = Query(0, ge=0, le=30, description="Waits so long for a change while it is being built."),
    studio: Studio = Depends(studio),
    _: Principal = Depends(READ),
) -> EnvironmentDetail:
    """One environment: its versions, what uses it here, the end of its build's log."""
    return await detail(studio, domain, await settled(studio, domain, name, wait_s))


@router.delete("/environments/{name}", status_code=204)
async def delete_environment(
    domain: str, name: str, studio: Studio = Depends(studio), _: Principal = Depends(WRITE)
) -> Response:
    """Forgets one of the domain's own. Refused while a job, an endpoint or the domain's choice needs it; kernels that
    run from it go on."""

    def write(db: Connection) -> None:
        found = environments.require_own(db, domain, name)
        require_unused(db, found)
        for box in sandboxes.list_all(db, domain):
            sandboxes.unwant_fork_server(db, box.id, name)
        environments.remove(db, found)

    await studio.store.write(write)
    return Response(status_code=204)


@router.post("/environments/{name}/build", status_code=202)
async def build_environment(
    domain: str, name: str, studio: Studio = Depends(studio), _: Principal = Depends(WRITE)
) -> EnvironmentAnswer:
    """Builds one of the domain's own again after a failure or when it was removed from the disk."""
    found = await studio.store.write(lambda db: versions.request_build(db, environments.require_own(db, domain, name)))
    return await _answer(studio, domain, found)


@router.post("/environments/{name}/versions", status_code=202)
async def change_environment(
    domain: str,
    name: str,
    body: ChangeBody,
    studio: Studio = Depends(studio),
    principal: Principal = Depends(WRITE),
) -> EnvironmentAnswer:
    """Another definition of one of the domain's own: a new version, built at once, used when it is ready."""
    wanted = Change(body.packages, body.remove, body.add, body.preload)
    found = await studio.store.write(
        lambda db: versions.change(db, environments.require_own(db, domain, name), wanted, principal.user)
    )
    return await _answer(studio, domain, found)


@router.post("/environments/{name}/packages", status_code=202)
async def add_to_environment(
    domain: str, name: str, body: AddBody, studio: Studio = Depends(studio), principal: Principal = Depends(WRITE)
) -> EnvironmentAnswer:
    """Adds packages. One of the catalogue stays as it is: the domain gets a clone that has them (or its clone of that
    name gets them)."""

    def write(db: Connection) -> Environment:
        found = environments.get(db, domain, name)
        if found.domain == CATALOGUE:
            clone = body.name or f"{domain}-{name}"[:40].rstrip("-")
            own = {item.name: item for item in environments.visible(db, domain) if item.domain == domain}
            if clone not in own:
                definition, note = _defined(db, domain, EnvironmentBody(name=clone, source=name, add=body.packages))
                return versions.create(db, domain, definition, principal.user, note)
            found = own[clone]
        return versions.change(db, found, Change(add=body.packages), principal.user)

    return await _answer(studio, domain, await studio.store.write(write))


@router.post("/environments/{name}/rollback", status_code=202)
async def roll_back(
    domain: str, name: str, body: RollbackBody, studio: Studio = Depends(studio), principal: Principal = Depends(WRITE)
) -> EnvironmentAnswer:
    """Back to what an earlier version had, with the very same lock, as a new version."""
    found = await studio.store.write(
        lambda db: versions.roll_back(db, environments.require_own(db, domain, name), body.number, principal.user)
    )
    return await _answer(studio, domain, found)


@router.get("/environments/{name}/versions/{number}")
async def get_version(
    domain: str,
    name: str,
    number: int,
    against: int = Query(0, ge=0, description="The version to compare with; 0: the one before."),
    studio: Studio = Depends(studio),
    _: Principal = Depends(READ),
) -> EnvironmentVersionDetail:
    """One version with its lock, and what differs from another's."""

    def read(db: Connection) -> tuple[Version, Version | None]:
        item = environments.get(db, domain, name)
        other = against or number - 1
        return versions.get(db, item, number), versions.get(db, item, other) if other > 0 else None

    version, other = await studio.store.read(read)
    return await version_detail(studio, version, other)


@router.get("/environments/{name}/versions/{number}/log")
async def get_build_log(
    domain: str,
    name: str,
    number: int,
    offset: int = Query(0, ge=0),
    studio: Studio = Depends(studio),
    _: Principal = Depends(READ),
) -> LogAnswer:
    """What its last build said from byte `offset` on, while it runs and afterwards."""
    # The state before the text: what was written until the build's end is in the log by then.
    version = await studio.store.read(lambda db: versions.get(db, environments.get(db, domain, name), number))
    piece = await asyncio.to_thread(buildlog.read, studio.settings.paths.logs, version, offset)
    done = not version.state.is_on_its_way and piece.next_offset >= piece.size
    return LogAnswer(text=piece.text, next_offset=piece.next_offset, done=done)


@router.get("/environments/{name}/export")
async def export_environment(
    domain: str,
    name: str,
    form: Literal["requirements", "toml"] = Query("requirements", description="requirements: the lock with hashes."),
    version: int = Query(0, ge=0, description="Default: the one in use."),
    studio: Studio = Depends(studio),
    _: Principal = Depends(READ),
) -> Response:
    """A file that makes the same environment elsewhere: for pip and uv, or for a catalogue."""
    item = await studio.store.read(lambda db: environments.get(db, domain, name))
    found = await studio.store.read(lambda db: versions.get(db, item, version)) if version else item.used
    if form == "toml":
        own = Definition(name, item.title, found.python, found.packages, found.preload, item.about)
        text, kind, file = own.toml, "application/toml", f"{name}.toml"
    else:
        text, kind, file = await lock(studio, item, found), "text/plain", f"{name}-{found.number}.txt"
    headers = {"Content-Disposition": f'attachment; filename="{file}"', "X-Content-Type-Options": "nosniff"}
    return Response(text, media_type=kind, headers=headers)


@router.put("/default-environment")
async def set_default(
    domain: str, body: DefaultBody, studio: Studio = Depends(studio), _: Principal = Depends(WRITE)
) -> EnvironmentAnswer:
    """What new notebooks, jobs and endpoints begin with that name no environment."""
    await studio.store.write(lambda db: defaults.set_default(db, domain, body.name))
    return await _answer(studio, domain, await studio.store.read(lambda db: environments.get(db, domain, body.name)))


async def _answer(studio: Studio, domain: str, found: Environment) -> EnvironmentAnswer:
    default = await studio.store.read(lambda db: defaults.get_default(db, domain))
    return EnvironmentAnswer(**answer(studio, found, default))


def _defined(db: Connection, domain: str, body: EnvironmentBody) -> tuple[Definition, str]:
    """The definition that is asked for, and what to note about it."""
    packages, preload, python, title, note = body.packages, body.preload, body.python, body.title, ""
    if body.source:
        base = environments.get(db, domain, body.source)
        version = versions.get(db, base, body.source_version) if body.source_version else base.used
        packages = list(version.packages) if packages is None else packages
        preload = list(version.preload) if preload is None else preload
        python, title = python or version.python, title or base.title
        note = f"Cloned from {body.source}, version {version.number}."
    lines = add_packages(check_packages(packages or []), body.add)
    if body.add and note:
        note = f"{note} Added {', '.join(body.add)}."
    return Definition(body.name, title or body.name, python, lines, check_preload(preload or [])), note
