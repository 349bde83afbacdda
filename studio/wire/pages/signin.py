"""Signing in with a link that works once, and out."""

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from studio.access import codes, sessions
from studio.access.sessions import Session
from studio.clock import now_ms
from studio.wire.context import context_of
from studio.wire.permission import PUBLIC, permission

COOKIE = "studio_session"


@permission(PUBLIC)
async def signin(request: Request) -> Response:
    """`?code=`: exchanges it for a cookie; it is used up then, and the page's address has it no more."""
    studio = context_of(request)
    code = request.query_params.get("code", "")
    session, value = await studio.store.write(lambda db: codes.use_signin(db, code))
    await studio.gateway.confirmed()
    answer = RedirectResponse("/", 303, no_trace())
    set_cookie(answer, COOKIE, value, session)
    return answer


@permission("session.read")
async def signout(request: Request) -> Response:
    """Ends the session here and in all labs; it is ended everywhere when this returns."""
    studio = context_of(request)
    credential = request.state.principal.credential
    await studio.store.write(lambda db: sessions.end(db, credential))
    await studio.gateway.confirmed()
    answer = Response(status_code=204, headers=no_trace())
    answer.delete_cookie(COOKIE, path="/", httponly=True, samesite="lax")
    return answer


def set_cookie(answer: Response, name: str, value: str, session: Session) -> None:
    """Host-only (no Domain); sent with this origin's requests and with links that lead here."""
    life_s = max(0, (session.expires_ms - now_ms()) // 1000)
    answer.set_cookie(name, value, max_age=life_s, path="/", httponly=True, samesite="lax")


def no_trace() -> dict[str, str]:
    """Headers of answers to addresses that hold a code."""
    return {"referrer-policy": "no-referrer", "cache-control": "no-store"}
