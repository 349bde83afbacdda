"""What a database's error means for who asked: wait, mend the request, or a fault of ours."""

from sqlalchemy import Connection, Dialect
from sqlalchemy.exc import DataError, OperationalError

from studio.errors import Invalid, Unavailable

PATIENCE_S = 30.0  # as long as SQLite waits for its lock; PostgreSQL may be restarted meanwhile
RETRY_S = 0.2


class Away(Exception):
    """The connection has ended, or none could be made, and nothing is written: the same may be tried again."""


def is_lost(db: Connection) -> bool:
    """Whether the connection has ended, not just a statement."""
    if not db.invalidated and getattr(db.connection.dbapi_connection, "closed", False):
        db.invalidate()  # SQLAlchemy has not seen it where the driver was spoken to directly
    return db.invalidated


def explain(error: Exception, dialect: Dialect) -> Exception:
    """`error` as callers may see it: ours as they are, the database's as what to do next."""
    driver = dialect.loaded_dbapi
    if isinstance(error, (OperationalError, driver.OperationalError)):
        said = str(error.orig if isinstance(error, OperationalError) else error).strip().rstrip(".")
        return Unavailable(
            f"The database did not take the request: {said}.", "Free disk space or wait, then try again."
        )
    if isinstance(error, (DataError, driver.DataError, OverflowError)):
        return Invalid(
            "A value in the request cannot be stored: a number too large, a text too long, or one with a NUL in it.",
            "Mend the value and send it again.",
        )
    return error
