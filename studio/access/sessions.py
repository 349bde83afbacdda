"""Sessions of browsers: one at the apex, and one per lab origin made from it."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert, select, update

from studio import signing
from studio.access import users
from studio.access.audit import Entry
from studio.access.places import Place
from studio.clock import now_ms
from studio.errors import NotFound, Unauthenticated
from studio.ids import new_id
from studio.store import signal
from studio.store.tables.access import sessions
from studio.store.tenancy import EVERY, scope_query

LIFE_MS = 14 * 86_400_000
# Of one person at the apex, and of one browser in one lab; the gateway holds them all in memory.
MOST, MOST_IN_LAB = 100, 20
LINK, PASSWORD = "link", "password"
OPEN = "sessions.open"  # the action in the audit log; nobody needs to be allowed it


@dataclass(frozen=True, slots=True)
class Session:
    """`domain` None: the apex's. `csrf` is what unsafe calls must show; `parent`: the apex's session of a lab's one.
    `via`: link or password; `agent` and `address`: where it was opened, coarse; `seen_ms`: last used, to the minute."""

    id: str
    digest: str
    user: str
    domain: str | None
    parent: str | None
    csrf: str
    via: str
    agent: str
    address: str
    created_ms: int
    seen_ms: int | None
    expires_ms: int


def create_session(
    db: Connection,
    user: str,
    domain: str | None = None,
    parent: str | None = None,
    *,
    via: str = LINK,
    place: Place | None = None,
) -> tuple[Session, str]:
    """A new session and its cookie's value; a lab's ends with the apex's that it was made from. The oldest of too many
    end."""
    users.get(db, user)
    made = now_ms()
    expires, place = made + LIFE_MS, place or Place()
    if parent is not None:
        root = get(db, parent)
        expires, via, place = min(expires, root.expires_ms), root.via, Place(root.agent, root.address)
    value = signing.new_secret()
    found = (user, domain, parent, signing.new_secret(), via, place.agent, place.address, made, None, expires)
    session = Session(new_id("session"), signing.digest(value), *found)
    db.execute(scope_query(delete(sessions), sessions, EVERY).where(sessions.c.expires_ms <= made))
    _make_room(db, session)
    db.execute(insert(sessions).values({name: getattr(session, name) for name in Session.__dataclass_fields__}))
    signal(db, "sessions", domain or "", session.id)
    return session, value


def _make_room(db: Connection, session: Session) -> None:
    """Ends the oldest beside `session`, which comes to them, if there are too many."""
    beside = (sessions.c.user == session.user) & sessions.c.parent.is_not_distinct_from(session.parent)
    beside &= sessions.c.domain.is_not_distinct_from(session.domain)
    query = scope_query(select(sessions.c.id), sessions, EVERY).where(beside)
    query = query.order_by(sessions.c.created_ms.desc(), sessions.c.id)
    most = MOST if session.parent is None else MOST_IN_LAB
    if over := db.execute(query.offset(most - 1)).scalars().all():
        which = sessions.c.parent.in_(over) | sessions.c.id.in_(over)
        db.execute(scope_query(delete(sessions), sessions, EVERY).where(which))


def opening(session: Session) -> Entry:
    """What the audit log tells of a session that was opened at the apex."""
    what = f"signed in with a {session.via}" + (f", {session.agent}" if session.agent else "")
    return Entry(session.user, "person", OPEN, detail=what, credential=session.id, address=session.address)


def get(db: Connection, session_id: str) -> Session:
    """The session if it has not ended; else `Unauthenticated`."""
    lasting = (sessions.c.id == session_id) & (sessions.c.expires_ms > now_ms())
    row = db.execute(scope_query(select(sessions), sessions, EVERY).where(lasting)).one_or_none()
    if row is None:
        raise Unauthenticated("This session has ended.", "Open a new sign-in link: `studio signin`.")
    return Session(**row._mapping)


def end(db: Connection, session_id: str) -> None:
    """Signs out: the session that `session_id` belongs to, at the apex and in all labs."""
    query = scope_query(select(sessions.c.parent), sessions, EVERY).where(sessions.c.id == session_id)
    row = db.execute(query).one_or_none()
    if row is None:
        return
    root = row.parent or session_id
    ending = scope_query(delete(sessions), sessions, EVERY)
    db.execute(ending.where((sessions.c.parent == root) | (sessions.c.id == root)))
    signal(db, "sessions", "", root)


def end_one(db: Connection, session_id: str, user: str | None = None) -> None:
    """Ends a session (only of `user`, if given); `NotFound` in the same words for a foreign one and for none."""
    lasting = (sessions.c.id == session_id) & (sessions.c.expires_ms > now_ms())
    query = scope_query(select(sessions.c.user), sessions, EVERY).where(lasting)
    owner = db.execute(query).scalar_one_or_none()
    if owner is None or user not in (None, owner):
        raise NotFound(f"There is no session {session_id[:80]!r}.", "See `studio session list`.")
    end(db, session_id)


def end_all(db: Connection, user: str, *, but: str | None = None, via: str | None = None) -> int:
    """Ends all sessions of `user` (opened by `via`), except the one that `but` belongs to; how many there were."""
    kept = None if but is None else root_of(get(db, but))
    ended = [
        item.id for item in list_all(db, user) if item.parent is None and item.id != kept and via in (None, item.via)
    ]
    for session_id in ended:
        end(db, session_id)
    return len(ended)


def root_of(session: Session) -> str:
    """The id of the apex's session that `session` is, or was made from."""
    return session.parent or session.id


def note_seen(db: Connection, ids: Iterable[str], at_ms: int) -> None:
    """They were used; tells nobody, since nothing is decided by it."""
    if known := list(ids):
        query = scope_query(update(sessions), sessions, EVERY).where(sessions.c.id.in_(known))
        db.execute(query.values(seen_ms=at_ms))


def list_all(db: Connection, user: str | None = None) -> list[Session]:
    """All sessions (of one person) that have not ended, oldest first."""
    query = scope_query(select(sessions), sessions, EVERY).where(sessions.c.expires_ms > now_ms())
    query = query if user is None else query.where(sessions.c.user == user)
    rows = db.execute(query.order_by(sessions.c.created_ms, sessions.c.id))
    return [Session(**row._mapping) for row in rows]
