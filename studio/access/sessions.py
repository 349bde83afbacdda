"""Sessions of browsers: one at the apex, and one per lab origin made from it."""

from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert, select

from studio import signing
from studio.clock import now_ms
from studio.errors import Unauthenticated
from studio.ids import new_id
from studio.store import signal
from studio.store.tables.access import sessions

LIFE_MS = 14 * 86_400_000


@dataclass(frozen=True, slots=True)
class Session:
    """`domain` None: the apex's. `csrf` is what unsafe calls must show; `parent`: the apex's session of a lab's one."""

    id: str
    digest: str
    user: str
    domain: str | None
    parent: str | None
    csrf: str
    created_ms: int
    expires_ms: int


def create_session(
    db: Connection, user: str, domain: str | None = None, parent: str | None = None
) -> tuple[Session, str]:
    """A new session and its cookie's value; a lab's ends with the apex's that it was made from."""
    made = now_ms()
    expires = made + LIFE_MS
    if parent is not None:
        expires = min(expires, get(db, parent).expires_ms)
    value = signing.new_secret()
    session = Session(
        new_id("session"), signing.digest(value), user, domain, parent, signing.new_secret(), made, expires
    )
    db.execute(delete(sessions).where(sessions.c.expires_ms <= made))
    columns = ("id", "digest", "user", "domain", "parent", "csrf", "created_ms", "expires_ms")
    db.execute(insert(sessions).values({name: getattr(session, name) for name in columns}))
    signal(db, "sessions", domain or "", session.id)
    return session, value


def get(db: Connection, session_id: str) -> Session:
    """The session if it has not ended; else `Unauthenticated`."""
    query = select(sessions).where((sessions.c.id == session_id) & (sessions.c.expires_ms > now_ms()))
    row = db.execute(query).one_or_none()
    if row is None:
        raise Unauthenticated("This session has ended.", "Open a new sign-in link: `studio signin`.")
    return Session(**row._mapping)


def end(db: Connection, session_id: str) -> None:
    """Signs out: the session that `session_id` belongs to, at the apex and in all labs."""
    row = db.execute(select(sessions.c.parent).where(sessions.c.id == session_id)).one_or_none()
    if row is None:
        return
    root = row.parent or session_id
    db.execute(delete(sessions).where((sessions.c.parent == root) | (sessions.c.id == root)))
    signal(db, "sessions", "", root)


def list_all(db: Connection) -> list[Session]:
    """All sessions that have not ended."""
    return [Session(**row._mapping) for row in db.execute(select(sessions).where(sessions.c.expires_ms > now_ms()))]
