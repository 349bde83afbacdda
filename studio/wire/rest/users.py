"""People and their sign-in links."""

import asyncio
from pathlib import Path

from fastapi import APIRouter, Depends
from sqlalchemy import Connection

from studio.access import codes, leaving, memberships, users
from studio.access.principals import Principal
from studio.access.users import User
from studio.domains import domains
from studio.errors import Conflict
from studio.settings import Paths
from studio.wire import trail
from studio.wire.context import Studio, studio
from studio.wire.permission import Allow
from studio.wire.rest.schemas.access import (
    MembershipAnswer,
    RemovedUser,
    SigninAnswer,
    SigninBody,
    UserAnswer,
    UserBody,
    UserDetail,
)

router = APIRouter(tags=["users"])


@router.get("/users")
async def list_users(
    studio: Studio = Depends(studio), _: Principal = Depends(Allow("users.write"))
) -> list[UserAnswer]:
    """Everybody."""
    return [_answer(studio, user) for user in await studio.store.read(users.list_all)]


@router.post("/users", status_code=201)
async def create_user(
    body: UserBody, studio: Studio = Depends(studio), _: Principal = Depends(Allow("users.write"))
) -> UserAnswer:
    """Adds a person."""
    trail.about(f"user/{body.name}")
    made = await studio.store.write(lambda db: users.create_user(db, body.name))
    return UserAnswer(name=made.name, created_ms=made.created_ms, has_password=False)


@router.get("/users/{user}")
async def get_user(
    user: str, studio: Studio = Depends(studio), _: Principal = Depends(Allow("users.write"))
) -> UserDetail:
    """One person, and what is theirs."""

    def read(db: Connection) -> tuple[User, list[MembershipAnswer]]:
        found = [item for item in memberships.list_all(db) if item.user == user]
        return users.get(db, user), [MembershipAnswer(domain=item.domain, role=item.role) for item in found]

    found, member_of = await studio.store.read(read)
    people = studio.people.now
    return UserDetail(
        **_answer(studio, found).model_dump(),
        memberships=member_of,
        sessions=sum(item.user == user and item.parent is None for item in people.sessions.values()),
        keys=sum(item.user == user for item in people.keys.values()),
    )


@router.delete("/users/{user}")
async def remove_user(
    user: str, studio: Studio = Depends(studio), _: Principal = Depends(Allow("users.write"))
) -> RemovedUser:
    """Ends everything of a person: they are signed out everywhere when this returns, and their sandboxes end within
    seconds. Their files stay."""
    if user == studio.operator:
        raise Conflict(f"{user} runs this installation.", "Its own user stays as long as it does.")

    def write(db: Connection) -> tuple[list[str], list[str]]:
        return leaving.remove_user(db, user), [item.name for item in domains.list_all(db)]

    left, every = await studio.store.write(write)
    await studio.gateway.confirmed()
    folders = await asyncio.to_thread(_folders, studio.settings.paths, every, user)
    return RemovedUser(name=user, domains=left, folders=[str(folder) for folder in folders])


def _folders(paths: Paths, names: list[str], user: str) -> list[Path]:
    """The private folders of `user` in the volumes."""
    return [folder for name in names if (folder := paths.user(name, user)).is_dir()]


def _answer(studio: Studio, user: User) -> UserAnswer:
    has_password = user.name in studio.people.now.passwords
    return UserAnswer(name=user.name, created_ms=user.created_ms, has_password=has_password)


@router.post("/signin-links", status_code=201)
async def create_signin_link(
    body: SigninBody,
    studio: Studio = Depends(studio),
    principal: Principal = Depends(Allow("signin-links.create")),
) -> SigninAnswer:
    """A link that signs its opener in, once, within ten minutes."""
    user = body.user or principal.user
    code, expires_ms = await studio.store.write(lambda db: codes.create_signin(db, user))
    return SigninAnswer(url=f"{studio.address}/signin?code={code}", expires_ms=expires_ms)
