"""Passwords: one's own, and what who runs the installation sets."""

from fastapi import APIRouter, Depends, Response
from starlette.requests import Request

from studio.access import passwords
from studio.access.principals import Principal
from studio.wire.context import Studio, studio
from studio.wire.permission import Allow
from studio.wire.rest.schemas.sessions import OwnPasswordBody, PasswordAnswer, PasswordBody

router = APIRouter(tags=["session"])


@router.get("/session/password")
async def get_own_password(
    studio: Studio = Depends(studio), principal: Principal = Depends(Allow("password.own"))
) -> PasswordAnswer:
    """Whether there is one; never what it is."""
    people = studio.people.now
    session = people.session(principal.credential)
    is_fresh = session is not None and passwords.is_fresh(session)
    return PasswordAnswer(has_password=principal.user in people.passwords, needs_old=not is_fresh)


@router.put("/session/password", status_code=204)
async def put_own_password(
    body: OwnPasswordBody,
    request: Request,
    studio: Studio = Depends(studio),
    principal: Principal = Depends(Allow("password.own")),
) -> Response:
    """Sets it, at the apex only. Sessions that were opened with the old one end, except the one that asks."""
    old = body.old.get_secret_value() if body.old is not None else None
    address = request.headers.get("x-studio-client", "")
    await studio.passwords.change(principal.credential, old, body.new.get_secret_value(), address)
    await studio.gateway.confirmed()
    return Response(status_code=204)


@router.put("/users/{user}/password", status_code=204)
async def put_password(
    user: str, body: PasswordBody, studio: Studio = Depends(studio), _: Principal = Depends(Allow("users.write"))
) -> Response:
    """Sets or replaces somebody's password; sessions that were opened with the old one end."""
    password = body.password.get_secret_value()
    passwords.check_new(password, user)
    hashed = await studio.passwords.make(password)
    await studio.store.write(lambda db: passwords.put(db, user, hashed))
    await studio.gateway.confirmed()
    return Response(status_code=204)


@router.delete("/users/{user}/password", status_code=204)
async def clear_password(
    user: str, studio: Studio = Depends(studio), _: Principal = Depends(Allow("users.write"))
) -> Response:
    """Takes somebody's password away; they sign in with a link."""
    await studio.store.write(lambda db: passwords.clear(db, user))
    await studio.gateway.confirmed()
    return Response(status_code=204)
