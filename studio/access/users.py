"""People."""

import re
from dataclasses import dataclass

from sqlalchemy import Connection, insert, select

from studio.clock import now_ms
from studio.errors import AlreadyExists, Invalid, NotFound
from studio.ids import check_name
from studio.store import signal
from studio.store.tables.access import users

# Owners of sandboxes that are no persons, and folders of a volume that are nobody's.
RESERVED = frozenset({"service", "shared"})


@dataclass(frozen=True, slots=True)
class User:
    """A person who may sign in."""

    name: str
    created_ms: int


def create_user(db: Connection, name: str) -> User:
    """A new person; `AlreadyExists`, or `Invalid` for a name that cannot be a folder."""
    check_name(name, "user")
    if name in RESERVED:
        raise Invalid(f"A user cannot be called {name!r}: Studio uses that name itself.", "Choose another name.")
    if exists(db, name):
        raise AlreadyExists(f"There is already a user {name!r}.", "Choose another name.")
    user = User(name, now_ms())
    db.execute(insert(users).values(name=user.name, created_ms=user.created_ms))
    signal(db, "users", "", name)
    return user


def get(db: Connection, name: str) -> User:
    """The person, or `NotFound`."""
    row = db.execute(select(users).where(users.c.name == name)).one_or_none()
    if row is None:
        raise NotFound(f"There is no user {name!r}.", f"Add them: `studio user create {name}`.")
    return User(**row._mapping)


def exists(db: Connection, name: str) -> bool:
    """Whether there is such a person."""
    return db.execute(select(users.c.name).where(users.c.name == name)).one_or_none() is not None


def list_all(db: Connection) -> list[User]:
    """Everybody, by name."""
    return [User(**row._mapping) for row in db.execute(select(users).order_by(users.c.name))]


def name_of_account(account: str) -> str:
    """The operating system's account name made into a valid user name: `Jane.Doe` → `jane-doe`."""
    name = re.sub(r"[^a-z0-9]+", "-", account.lower()).strip("-")[:40].strip("-") or "me"
    return f"{name}-1" if name in RESERVED else name
