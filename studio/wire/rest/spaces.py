"""Spaces: places to work inside a domain."""

import asyncio

from fastapi import APIRouter, Depends, Query
from sqlalchemy import Connection

from studio.access.permissions import require
from studio.access.principals import Principal
from studio.domains import addresses, domains, quotas, space_folders, spaces
from studio.domains.domains import Domain
from studio.domains.spaces import Space
from studio.ids import check_name
from studio.wire.context import Studio, studio
from studio.wire.owner import owner_of
from studio.wire.permission import Allow
from studio.wire.rest.schemas.volumes import SpaceAnswer, SpaceBody, SpaceChange

router = APIRouter(prefix="/domains/{domain}/spaces", tags=["spaces"])
READ, WRITE = Allow("spaces.read"), Allow("spaces.write")


@router.get("")
async def list_spaces(
    domain: str,
    trash: bool = Query(False, description="What is in the trash instead."),
    studio: Studio = Depends(studio),
    principal: Principal = Depends(READ),
) -> list[SpaceAnswer]:
    """The shared spaces and one's own private ones."""

    def read(db: Connection) -> tuple[Domain, list[Space]]:
        return domains.get(db, domain), spaces.list_all(db, domain, principal.user, trash=trash)

    place, found = await studio.store.read(read)
    return [_shown(studio, place, item) for item in found]


@router.post("", status_code=201)
async def create_space(
    domain: str, body: SpaceBody, studio: Studio = Depends(studio), principal: Principal = Depends(WRITE)
) -> SpaceAnswer:
    """A new space with its folder; a folder of that name which is there already becomes the space's."""
    quotas.require(studio.full, domain)
    owner = owner_of(principal, domain) if body.kind == "private" else ""
    title = body.title.strip()
    check_name(body.name, "space")
    async with space_folders.made(studio.settings.paths, domain, owner, body.name):
        found = await studio.store.write(
            lambda db: spaces.create(db, domain, body.name, principal.user, owner=owner, title=title)
        )
    return await _answer(studio, found)


@router.get("/{space}")
async def get_space(
    domain: str, space: str, studio: Studio = Depends(studio), principal: Principal = Depends(READ)
) -> SpaceAnswer:
    """One space, by id or name."""
    return await _answer(studio, await studio.store.read(lambda db: spaces.get(db, domain, space, principal.user)))


@router.post("/{space}/open")
async def open_space(
    domain: str, space: str, studio: Studio = Depends(studio), principal: Principal = Depends(READ)
) -> SpaceAnswer:
    """Its address, after looking that the folder is there: one that somebody removed is made again."""
    found = await studio.store.read(lambda db: spaces.get(db, domain, space, principal.user))
    await asyncio.to_thread(space_folders.make, studio.settings.paths, domain, found.owner, found.name)
    return await _answer(studio, found)


@router.patch("/{space}")
async def change_space(
    domain: str,
    space: str,
    body: SpaceChange,
    studio: Studio = Depends(studio),
    principal: Principal = Depends(WRITE),
) -> SpaceAnswer:
    """Another name (its folder follows) or title; a shared one: by who made it, or an admin."""
    found = await studio.store.read(lambda db: _own(db, domain, space, principal))
    name = check_name(body.name or found.name, "space")

    def write(db: Connection) -> Space:
        return spaces.change(db, found, name=name, title=body.title)

    if name == found.name:
        return await _answer(studio, await studio.store.write(write))
    old, new = space_folders.parts(found.name), space_folders.parts(name)
    async with space_folders.moved(studio.settings.paths, found, old, new):
        changed = await studio.store.write(write)
    return await _answer(studio, changed)


@router.delete("/{space}")
async def delete_space(
    domain: str, space: str, studio: Studio = Depends(studio), principal: Principal = Depends(WRITE)
) -> SpaceAnswer:
    """Into the trash, with its folder; from there it can be brought back."""
    found = await studio.store.read(lambda db: _own(db, domain, space, principal))
    if found.trashed_ms is not None:
        return await _answer(studio, found)
    old, new = space_folders.parts(found.name), space_folders.trashed(found)
    async with space_folders.moved(studio.settings.paths, found, old, new):
        gone = await studio.store.write(lambda db: spaces.trash(db, found))
    return await _answer(studio, gone)


@router.post("/{space}/restore")
async def restore_space(
    domain: str, space: str, studio: Studio = Depends(studio), principal: Principal = Depends(WRITE)
) -> SpaceAnswer:
    """Back from the trash."""
    found = await studio.store.read(lambda db: _own(db, domain, space, principal))
    old, new = space_folders.trashed(found), space_folders.parts(found.name)
    async with space_folders.moved(studio.settings.paths, found, old, new):
        back = await studio.store.write(lambda db: spaces.untrash(db, found))
    return await _answer(studio, back)


@router.post("/{space}/empty", status_code=202)
async def empty_space(
    domain: str, space: str, studio: Studio = Depends(studio), principal: Principal = Depends(WRITE)
) -> None:
    """Removes the files of one that is in the trash, for good."""
    found = await studio.store.read(lambda db: _own(db, domain, space, principal))
    await studio.store.write(lambda db: spaces.empty(db, found))


def _own(db: Connection, domain: str, space: str, principal: Principal) -> Space:
    """A space that the asker may change."""
    found = spaces.get(db, domain, space, principal.user)
    if not found.owner and found.made_by != principal.user:
        require(principal, "spaces.admin", domain)
    return found


async def _answer(studio: Studio, item: Space) -> SpaceAnswer:
    return _shown(studio, await studio.store.read(lambda db: domains.get(db, item.domain)), item)


def _shown(studio: Studio, domain: Domain, item: Space) -> SpaceAnswer:
    path = space_folders.in_lab(item, isolated=studio.isolation == "bubblewrap")
    address = f"{addresses.origin(studio.address, domain)}/lab/workspaces/{item.id}"
    return SpaceAnswer(
        id=item.id,
        name=item.name,
        title=item.title,
        kind=item.kind,
        owner=item.owner,
        made_by=item.made_by,
        created_ms=item.created_ms,
        trashed_ms=item.trashed_ms,
        path=path,
        workspace=item.id,
        address=f"{address}/tree/{path}" if path else address,
    )
