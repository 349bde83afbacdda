"""Who belongs to a domain."""

import asyncio

from fastapi import APIRouter, Depends, Response
from sqlalchemy import Connection

from studio.access import memberships, users
from studio.access.principals import Principal
from studio.domains import volumes
from studio.wire import trail
from studio.wire.context import Studio, studio
from studio.wire.permission import Allow
from studio.wire.rest.schemas.access import MemberAnswer, MemberBody

router = APIRouter(prefix="/domains/{domain}/members", tags=["domains"])


@router.get("")
async def list_members(
    domain: str, studio: Studio = Depends(studio), _: Principal = Depends(Allow("domain.read"))
) -> list[MemberAnswer]:
    """The members and their roles."""
    found = await studio.store.read(lambda db: memberships.list_all(db, domain))
    return [MemberAnswer.model_validate(item) for item in found]


@router.get("/candidates")
async def list_candidates(
    domain: str, studio: Studio = Depends(studio), _: Principal = Depends(Allow("members.write"))
) -> list[str]:
    """Names of people who could be made members: all who are none yet."""

    def read(db: Connection) -> list[str]:
        members = {item.user for item in memberships.list_all(db, domain)}
        return [user.name for user in users.list_all(db) if user.name not in members]

    return await studio.store.read(read)


@router.post("")
async def put_member(
    domain: str,
    body: MemberBody,
    studio: Studio = Depends(studio),
    _: Principal = Depends(Allow("members.write")),
) -> MemberAnswer:
    """Adds a member or changes their role; holds everywhere when it returns."""
    trail.about(detail=f"as {body.role}")
    member = await studio.store.write(lambda db: memberships.put(db, domain, body.user, body.role))
    await asyncio.to_thread(volumes.create_home, studio.settings.paths, domain, body.user)
    await studio.gateway.confirmed()
    return MemberAnswer.model_validate(member)


@router.delete("/{user}", status_code=204)
async def remove_member(
    domain: str,
    user: str,
    studio: Studio = Depends(studio),
    _: Principal = Depends(Allow("members.write")),
) -> Response:
    """Ends a membership with its keys, pages and sandbox; their files stay."""
    await studio.store.write(lambda db: memberships.remove(db, domain, user))
    await studio.gateway.confirmed()
    return Response(status_code=204)
