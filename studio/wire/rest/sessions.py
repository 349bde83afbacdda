"""Browsers that are signed in: one's own; anybody's for who runs the installation."""

from fastapi import APIRouter, Depends, Response

from studio.access import sessions
from studio.access.principals import Kind, Principal
from studio.access.sessions import Session
from studio.errors import Denied
from studio.wire.context import Studio, studio
from studio.wire.owner import runs_installation
from studio.wire.permission import Allow
from studio.wire.rest.schemas.sessions import EndedSessions, OpenSession

router = APIRouter(prefix="/sessions", tags=["session"])


@router.get("")
async def list_sessions(
    user: str | None = None,
    studio: Studio = Depends(studio),
    principal: Principal = Depends(Allow("sessions.own")),
) -> list[OpenSession]:
    """One's own, newest first; on the host without `user`: everybody's. Those of labs are shown as part of theirs."""
    whose = _whose(principal, user)
    found = await studio.store.read(lambda db: sessions.list_all(db, whose))
    return listed(found, principal.credential)


@router.delete("/{session}", status_code=204)
async def end_session(
    session: str, studio: Studio = Depends(studio), principal: Principal = Depends(Allow("sessions.own"))
) -> Response:
    """Signs that browser out: its pages, websockets and labs have ended at the gateway when this returns."""
    whose = None if runs_installation(principal) else principal.user
    await studio.store.write(lambda db: sessions.end_one(db, session, whose))
    await studio.gateway.confirmed()
    return Response(status_code=204)


@router.delete("")
async def end_sessions(
    user: str | None = None,
    studio: Studio = Depends(studio),
    principal: Principal = Depends(Allow("sessions.own")),
) -> EndedSessions:
    """All of a person's, except the one that asks."""
    whose = _whose(principal, user) or principal.user
    kept = principal.credential if principal.kind is Kind.person and whose == principal.user else None
    ended = await studio.store.write(lambda db: sessions.end_all(db, whose, but=kept))
    await studio.gateway.confirmed()
    return EndedSessions(ended=ended)


def _whose(principal: Principal, user: str | None) -> str | None:
    """Whose sessions are meant; None: everybody's. `Denied` for those of others."""
    if user is None:
        return None if principal.kind is Kind.operator else principal.user
    if user != principal.user and not runs_installation(principal):
        raise Denied("These are somebody else's sessions.", "Ask who runs this installation.")
    return user


def listed(found: list[Session], current: str) -> list[OpenSession]:
    """The apex's sessions, newest first, each with the labs that were opened from it."""
    answers: dict[str, OpenSession] = {}
    for item in found:
        root = sessions.root_of(item)
        if root not in answers:
            fields = {
                name: getattr(item, name) for name in ("user", "via", "agent", "address", "created_ms", "seen_ms")
            }
            answers[root] = OpenSession(id=root, current=False, expires_ms=item.expires_ms, domains=[], **fields)
        answer = answers[root]
        answer.current |= item.id == current
        answer.seen_ms = max(filter(None, (answer.seen_ms, item.seen_ms)), default=None)
        if item.domain is not None and item.domain not in answer.domains:
            answer.domains.append(item.domain)
    return list(reversed(answers.values()))
