"""The end of a person's account."""

from sqlalchemy import Connection, delete

from studio.access import memberships, sessions, users
from studio.errors import Conflict
from studio.store import signal
from studio.store.tables.access import users as users_table


def remove_user(db: Connection, name: str) -> list[str]:
    """Ends everything of a person: memberships, keys, sessions, password; their sandboxes end by the loop, and their
    files stay. Returns the domains they were in; `Conflict` if one of them would be without an admin."""
    users.get(db, name)
    left = [item.domain for item in memberships.list_all(db) if item.user == name]
    alone = [domain for domain in left if memberships.is_last_admin(db, domain, name)]
    if alone:
        raise Conflict(f"{name} is the last admin of {', '.join(alone)}.", "Make somebody else an admin there first.")
    for domain in left:
        memberships.remove(db, domain, name)
    sessions.end_all(db, name)
    # Keys, codes and the password go with the row.
    db.execute(delete(users_table).where(users_table.c.name == name))
    signal(db, "users", "", name)
    return left
