"""Codes that work once: sign-in links, and the step from the apex to a lab's origin."""

from sqlalchemy import Connection, delete, insert, select

from studio import signing
from studio.access import memberships, sessions, users
from studio.access.places import Place
from studio.access.sessions import Session
from studio.clock import now_ms
from studio.errors import Denied, Unauthenticated
from studio.store.tables.access import codes
from studio.store.tenancy import EVERY, scope_query

SIGNIN_MS = 10 * 60_000
ENTER_MS = 30_000


def create_signin(db: Connection, user: str) -> tuple[str, int]:
    """(code, expires_ms) of a sign-in link for `user`."""
    users.get(db, user)
    return _create(db, "signin", user, None, None, SIGNIN_MS)


def use_signin(db: Connection, code: str, place: Place | None = None) -> tuple[Session, str]:
    """Exchanges a link's code for a session at the apex and its cookie's value; `place`: where it is opened."""
    row = _take(db, "signin", code)
    return sessions.create_session(db, row[0], place=place)


def create_enter(db: Connection, session_id: str, domain: str) -> str:
    """A code with which the browser of an apex session gets a session of `domain`'s lab origin."""
    session = sessions.get(db, session_id)
    if session.domain is not None:
        raise Denied("A lab cannot open another lab.", "Open it from Studio's own page.")
    return _create(db, "enter", session.user, domain, session.id, ENTER_MS)[0]


def use_enter(db: Connection, code: str, domain: str) -> tuple[Session, str]:
    """Exchanges the code at the lab's origin; only for the domain that it was made for, and only for a member."""
    user, for_domain, parent = _take(db, "enter", code)
    if for_domain != domain or parent is None:
        raise Unauthenticated("This code is for another domain.", "Open the lab from Studio's own page.")
    if memberships.find(db, domain, user) is None:
        raise Denied(f"You are no member of {domain}.", "Ask one of its admins to add you.")
    return sessions.create_session(db, user, domain, parent)


def _create(
    db: Connection, kind: str, user: str, domain: str | None, session: str | None, life_ms: int
) -> tuple[str, int]:
    now = now_ms()
    code = signing.new_secret()
    db.execute(scope_query(delete(codes), codes, EVERY).where(codes.c.expires_ms <= now))
    values = {"kind": kind, "user": user, "domain": domain, "session": session, "expires_ms": now + life_ms}
    db.execute(insert(codes).values(digest=signing.digest(code), **values))
    return code, now + life_ms


def _take(db: Connection, kind: str, code: str) -> tuple[str, str | None, str | None]:
    """(user, domain, session) of an unused code; it is used up unless what follows in this write fails."""
    which = (codes.c.digest == signing.digest(code)) & (codes.c.kind == kind)
    row = db.execute(scope_query(select(codes), codes, EVERY).where(which)).one_or_none()
    if row is None or row.expires_ms <= now_ms():
        raise Unauthenticated(
            "This link was used before or is too old: it works once, for ten minutes.",
            "Make a new one on the computer that runs Studio: `studio signin`.",
        )
    db.execute(scope_query(delete(codes), codes, EVERY).where(which))
    return row.user, row.domain, row.session
