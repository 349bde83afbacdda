"""What a connection has learnt of the database and that cannot change under it."""

from typing import Any

from sqlalchemy import Connection

_KEY = "studio.cache"


def cache(db: Connection) -> dict[str, Any]:
    """A mapping that lives with the connection and is emptied by every rollback: it never holds what was not written.

    The writer may keep what only the writer changes; readers only what never changes.
    """
    known: dict[str, Any] = db.info.setdefault(_KEY, {})
    return known


def forget(db: Connection) -> None:
    """To be called by the store when anything was rolled back."""
    db.info.pop(_KEY, None)
