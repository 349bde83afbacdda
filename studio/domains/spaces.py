"""Spaces: places to work inside a domain, each a folder in the volume and a JupyterLab workspace. Rows; the folders are
in `space_folders`."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, delete, func, insert, or_, select, update

from studio.clock import now_ms
from studio.errors import AlreadyExists, Conflict, Invalid, NotFound
from studio.ids import check_name, new_id
from studio.store import signal
from studio.store.tables.volumes import spaces
from studio.store.tenancy import EVERY, scope_query

MOST = 200  # of one kind in a domain, the trash included
EMPTYING = 0  # as `trashed_ms`: the folder is being removed


@dataclass(frozen=True, slots=True)
class Space:
    """`owner`: whose private one it is, "" = shared; its id names the workspace too, so a new name keeps the layout."""

    id: str
    domain: str
    owner: str
    name: str
    title: str
    made_by: str
    created_ms: int
    trashed_ms: int | None

    @property
    def kind(self) -> str:
        return "private" if self.owner else "shared"


def create(db: Connection, domain: str, name: str, made_by: str, *, owner: str = "", title: str = "") -> Space:
    """The row of a new space; `AlreadyExists`, or `Conflict` if there are too many."""
    _check(db, domain, owner, name, title)
    held = scope_query(select(func.count()).where(spaces.c.owner == owner), spaces, domain)
    if db.execute(held).scalar_one() >= MOST:
        raise Conflict(f"There are {MOST} spaces, the trash included.", "Empty the trash, or delete some.")
    identity = new_id("space")
    values = {"id": identity, "domain": domain, "owner": owner, "name": name, "title": title or name}
    db.execute(insert(spaces).values(**values, made_by=made_by, created_ms=now_ms(), trashed_ms=None))
    signal(db, "spaces", domain, identity)
    return get(db, domain, identity, made_by)


def get(db: Connection, domain: str, space: str, user: str) -> Space:
    """The space with this id, or the one called so that `user` sees (their own before a shared one); `NotFound`."""
    called = (spaces.c.name == space) & spaces.c.trashed_ms.is_(None)
    query = _seen(domain, user).where(or_(spaces.c.id == space, called)).order_by(spaces.c.owner.desc())
    row = db.execute(query.limit(1)).one_or_none()
    if row is None:
        raise NotFound(f"There is no space {space!r} of yours or of the domain.", "See `studio space list`.")
    return Space(**row._mapping)


def list_all(db: Connection, domain: str, user: str, *, trash: bool = False) -> list[Space]:
    """The shared ones and those of `user`, by name; or what is in the trash."""
    wanted = spaces.c.trashed_ms > EMPTYING if trash else spaces.c.trashed_ms.is_(None)
    rows = db.execute(_seen(domain, user).where(wanted).order_by(spaces.c.owner, spaces.c.name))
    return [Space(**row._mapping) for row in rows]


def change(db: Connection, found: Space, *, name: str | None = None, title: str | None = None) -> Space:
    """Another name or title."""
    if name is not None and name != found.name:
        _check(db, found.domain, found.owner, name, "")
    check_title(title or "")
    return _write(db, found, name=name or found.name, title=title or found.title)


def trash(db: Connection, found: Space) -> Space:
    """Into the trash; its name is free."""
    return _write(db, found, trashed_ms=now_ms())


def untrash(db: Connection, found: Space) -> Space:
    """Back from the trash; `AlreadyExists` if another one has its name by now."""
    if not found.trashed_ms:
        raise Conflict(f"The space {found.name!r} is not in the trash.", "See `studio space list --trash`.")
    _check(db, found.domain, found.owner, found.name, "")
    return _write(db, found, trashed_ms=None)


def empty(db: Connection, found: Space) -> None:
    """The files of one that is in the trash shall be removed."""
    if not found.trashed_ms:
        raise Conflict(f"The space {found.name!r} is not in the trash.", "Delete it first; its files are kept there.")
    _write(db, found, trashed_ms=EMPTYING)


def to_empty(db: Connection) -> list[Space]:
    """Those whose files are to be removed, in all domains."""
    rows = db.execute(scope_query(select(spaces).where(spaces.c.trashed_ms == EMPTYING), spaces, EVERY))
    return [Space(**row._mapping) for row in rows]


def forget(db: Connection, found: Space) -> None:
    """The row of one whose files are gone."""
    db.execute(scope_query(delete(spaces), spaces, found.domain).where(spaces.c.id == found.id))
    signal(db, "spaces", found.domain, found.id)


def check_title(title: str) -> None:
    """`Invalid` if it is none."""
    if len(title) > 200 or any(ord(sign) < 32 for sign in title):
        raise Invalid("A title has at most 200 characters, in one line.", "Shorten it.")


def _check(db: Connection, domain: str, owner: str, name: str, title: str) -> None:
    check_name(name, "space")
    check_title(title)
    same = select(spaces.c.id).where(spaces.c.owner == owner, spaces.c.name == name, spaces.c.trashed_ms.is_(None))
    if db.execute(scope_query(same, spaces, domain)).first() is not None:
        raise AlreadyExists(f"There is already a space {name!r}.", "Open it, or choose another name.")


def _seen(domain: str, user: str) -> Select[Any]:
    return scope_query(select(spaces).where(spaces.c.owner.in_(["", user])), spaces, domain)


def _write(db: Connection, found: Space, **values: object) -> Space:
    db.execute(scope_query(update(spaces), spaces, found.domain).where(spaces.c.id == found.id).values(**values))
    signal(db, "spaces", found.domain, found.id)
    row = db.execute(scope_query(select(spaces).where(spaces.c.id == found.id), spaces, found.domain)).one()
    return Space(**row._mapping)
