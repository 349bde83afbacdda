"""Snapshots of the shared folder and of homes, and restores of them: rows; a program does what they say."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, update

from studio.clock import now_ms
from studio.errors import Conflict, Invalid, NotFound
from studio.ids import new_id
from studio.store import signal
from studio.store.tables.volumes import restores, snapshots
from studio.store.tenancy import EVERY, scope_query

MOST = 50  # snapshots in a domain
WAITING, RUNNING, READY, FAILED, DELETING, DONE = "Waiting", "Running", "Ready", "Failed", "Deleting", "Done"
TOPIC = "volumes"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """`user`: whose home, "" = the shared folder; `bytes` of `files`; `is_cheap` of them share their blocks with what
    they were made of; `done` of `total` bytes while it is made."""

    id: str
    domain: str
    user: str
    title: str
    state: str
    made_by: str
    created_ms: int
    finished_ms: int | None
    bytes: int
    files: int
    is_cheap: int
    skipped: int
    changed: int
    done: int
    total: int
    error: str
    attempts: int


@dataclass(frozen=True, slots=True)
class Restore:
    """`folder`: the new one, "" = in place, after the snapshot `kept` of what is there now."""

    id: str
    domain: str
    snapshot: str
    user: str
    folder: str
    kept: str
    state: str
    made_by: str
    created_ms: int
    finished_ms: int | None
    done: int
    total: int
    error: str
    attempts: int


_EMPTY = {"finished_ms": None, "done": 0, "total": 0, "error": "", "attempts": 0}


def create(db: Connection, domain: str, made_by: str, *, user: str = "", title: str = "") -> Snapshot:
    """Asks for a snapshot; `Conflict` if there are too many, `Invalid` for a title that is none."""
    if len(title) > 200 or any(ord(sign) < 32 for sign in title):
        raise Invalid("A title has at most 200 characters, in one line.", "Shorten it.")
    held = scope_query(select(func.count()).where(snapshots.c.state != FAILED), snapshots, domain)
    if db.execute(held).scalar_one() >= MOST:
        raise Conflict(f"The domain has {MOST} snapshots.", "Delete some of them: studio snapshot list.")
    identity = new_id("snap")
    counts = dict.fromkeys(("bytes", "files", "is_cheap", "skipped", "changed"), 0)
    values = {"id": identity, "domain": domain, "user": user, "title": title, "made_by": made_by, "state": WAITING}
    db.execute(insert(snapshots).values(**values, **_EMPTY, **counts, created_ms=now_ms()))
    signal(db, TOPIC, domain, identity)
    return get(db, domain, identity)


def get(db: Connection, domain: str, identity: str) -> Snapshot:
    """One snapshot of the domain, or `NotFound`."""
    row = db.execute(scope_query(select(snapshots).where(snapshots.c.id == identity), snapshots, domain)).first()
    if row is None:
        raise NotFound(f"There is no snapshot {identity!r}.", "See `studio snapshot list`.")
    return Snapshot(**row._mapping)


def list_all(db: Connection, domain: str, user: str | None = None) -> list[Snapshot]:
    """Of the shared folder and of the home of `user` (None: everybody's), newest first."""
    query = scope_query(select(snapshots), snapshots, domain)
    if user is not None:
        query = query.where(snapshots.c.user.in_(["", user]))
    return [
        Snapshot(**row._mapping) for row in db.execute(query.order_by(snapshots.c.created_ms.desc(), snapshots.c.id))
    ]


def delete_snapshot(db: Connection, domain: str, identity: str) -> None:
    """Asks for its end; `Conflict` while it is being made or restored."""
    found = get(db, domain, identity)
    used = select(restores.c.id).where(restores.c.snapshot == identity, restores.c.state.in_([WAITING, RUNNING]))
    if db.execute(scope_query(used, restores, domain)).first() is not None:
        raise Conflict("It is being restored.", "Wait until that has ended.")
    if found.state in (WAITING, RUNNING):
        raise Conflict("It is still being made.", "Wait until that has ended.")
    change(db, found, state=DELETING, attempts=0)


def forget(db: Connection, found: Snapshot) -> None:
    """The row of one whose files are gone."""
    db.execute(scope_query(delete(snapshots), snapshots, found.domain).where(snapshots.c.id == found.id))
    signal(db, TOPIC, found.domain, found.id)


def restore(db: Connection, found: Snapshot, made_by: str, *, folder: str = "") -> Restore:
    """Asks for a restore as the new folder `folder`, or in place; then a snapshot of what is there comes first."""
    if found.state != READY:
        raise Conflict(f"The snapshot is {found.state}.", "Only one that is Ready can be restored.")
    running = select(restores.c.id).where(restores.c.user == found.user, restores.c.state.in_([WAITING, RUNNING]))
    if db.execute(scope_query(running, restores, found.domain)).first() is not None:
        raise Conflict("A restore is going on there.", "Wait until it has ended.")
    kept = "" if folder else create(db, found.domain, made_by, user=found.user, title=f"Before {found.id}").id
    identity = new_id("restore")
    values = {"id": identity, "domain": found.domain, "snapshot": found.id, "user": found.user, "folder": folder}
    db.execute(
        insert(restores).values(**values, **_EMPTY, kept=kept, state=WAITING, made_by=made_by, created_ms=now_ms())
    )
    signal(db, TOPIC, found.domain, identity)
    return get_restore(db, found.domain, identity)


def get_restore(db: Connection, domain: str, identity: str) -> Restore:
    """One restore of the domain, or `NotFound`."""
    row = db.execute(scope_query(select(restores).where(restores.c.id == identity), restores, domain)).first()
    if row is None:
        raise NotFound(f"There is no restore {identity!r}.", "See `studio snapshot list`.")
    return Restore(**row._mapping)


def list_restores(db: Connection, domain: str, user: str | None = None, limit: int = 20) -> list[Restore]:
    """The newest, of the shared folder and of the home of `user` (None: everybody's)."""
    query = scope_query(select(restores), restores, domain)
    if user is not None:
        query = query.where(restores.c.user.in_(["", user]))
    rows = db.execute(query.order_by(restores.c.created_ms.desc(), restores.c.id).limit(limit))
    return [Restore(**row._mapping) for row in rows]


def unfinished(db: Connection) -> list[Snapshot | Restore]:
    """What is still to be done in all domains, oldest first; a snapshot before the restore that waits for it."""
    states = [WAITING, RUNNING, DELETING]
    making = scope_query(select(snapshots).where(snapshots.c.state.in_(states)), snapshots, EVERY)
    found: list[Snapshot | Restore] = [Snapshot(**row._mapping) for row in db.execute(making)]
    restoring = scope_query(select(restores).where(restores.c.state.in_(states)), restores, EVERY)
    found += [Restore(**row._mapping) for row in db.execute(restoring)]
    return sorted(found, key=lambda item: (item.created_ms, isinstance(item, Restore), item.id))


def change(db: Connection, found: Snapshot | Restore, **values: Any) -> None:
    """Writes what became of it."""
    table = snapshots if isinstance(found, Snapshot) else restores
    db.execute(scope_query(update(table), table, found.domain).where(table.c.id == found.id).values(**values))
    signal(db, TOPIC, found.domain, found.id)
