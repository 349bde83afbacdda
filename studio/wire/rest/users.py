"""People and their sign-in links."""

from fastapi import APIRouter, Depends

from studio.access import codes, users
from studio.access.principals import Principal
from studio.wire.context import Studio, studio
from studio.wire.permission import Allow
from studio.wire.rest.schemas.access import SigninAnswer, SigninBody, UserAnswer, UserBody

router = APIRouter(tags=["users"])


@router.get("/users")
async def list_users(
    studio: Studio = Depends(studio), _: Principal = Depends(Allow("users.write"))
) -> list[UserAnswer]:
    """Everybody."""
    return [UserAnswer.model_validate(user) for user in await studio.store.read(users.list_all)]


@router.post("/users", status_code=201)
async def create_user(
    body: UserBody, studio: Studio = Depends(studio), _: Principal = Depends(Allow("users.write"))
) -> UserAnswer:
    """Adds a person."""
    return UserAnswer.model_validate(await studio.store.write(lambda db: users.create_user(db, body.name)))


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
