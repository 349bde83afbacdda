"""Who belongs to which domain, and as what."""

from dataclasses import dataclass

from sqlalchemy import Connection, delete, func, insert, select, update

from studio.access import users
from studio.access.principals import Role
from studio.errors import Conflict, Invalid, NotFound
from studio.store import signal
from studio.store.tables.access import access_keys, memberships, sessions
from studio.store.tenancy import EVERY, scope_query


@dataclass(frozen=True, slots=True)
class Membership:
    """`user` has `role` in `domain`."""

    domain: str
    user: str
    role: Role


def put(db: Connection, domain: str, user: str, role: str) -> Membership:
    """Makes `user` a member or changes their role; a domain keeps at least one admin."""
    if role not in set(Role):
        raise Invalid(f"{role!r} is no role.", f"Use one of {', '.join(Role)}.")
    users.get(db, user)
    before = find(db, domain, user)
    if before is not None and before.role is Role.admin and role != Role.admin:
        _keep_an_admin(db, domain, user)
    if before is None:
        db.execute(insert(memberships).values(domain=domain, user=user, role=role))
    else:
        changed = scope_query(update(memberships), memberships, domain).where(memberships.c.user == user)
        db.execute(changed.values(role=role))
    if before is None or before.role != role:
        signal(db, "members", domain, user)
    return Membership(domain, user, Role(role))


def remove(db: Connection, domain: str, user: str) -> None:
    """Ends a membership with its keys and open pages of this domain; the sandbox is ended by its loop."""
    if find(db, domain, user) is None:
        raise NotFound(f"{user} is no member of {domain}.", "See the domain's members.")
    _keep_an_admin(db, domain, user)
    for table in (memberships, access_keys, sessions):
        db.execute(scope_query(delete(table), table, domain).where(table.c.user == user))
    for topic in ("members", "keys", "sessions"):
        signal(db, topic, domain, user)


def find(db: Connection, domain: str, user: str) -> Membership | None:
    """The membership, if there is one."""
    query = scope_query(select(memberships), memberships, domain).where(memberships.c.user == user)
    row = db.execute(query).one_or_none()
    return None if row is None else Membership(row.domain, row.user, Role(row.role))


def list_all(db: Connection, domain: str | None = None) -> list[Membership]:
    """All memberships (of one domain), by domain and user."""
    query = scope_query(select(memberships), memberships, domain or EVERY)
    rows = db.execute(query.order_by(memberships.c.domain, memberships.c.user))
    return [Membership(row.domain, row.user, Role(row.role)) for row in rows]


def is_last_admin(db: Connection, domain: str, user: str) -> bool:
    """Whether `domain` would be without an admin if `user` were none."""
    leaving = find(db, domain, user)
    if leaving is None or leaving.role is not Role.admin:
        return False
    others = (memberships.c.user != user) & (memberships.c.role == Role.admin.value)
    count = scope_query(select(func.count()).select_from(memberships), memberships, domain).where(others)
    return not db.execute(count).scalar_one()


def _keep_an_admin(db: Connection, domain: str, user: str) -> None:
    if is_last_admin(db, domain, user):
        raise Conflict(f"{user} is the last admin of {domain}.", "Make somebody else an admin first.")
