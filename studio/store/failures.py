"""What a database's error means for who asked: wait, mend the request, or a fault of ours."""

from sqlalchemy import Connection, Dialect
from sqlalchemy.exc import DataError, OperationalError

from studio.errors import Invalid, OutOfSpace, Unavailable

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
        cause = error.orig if isinstance(error, OperationalError) else error
        said = str(cause).strip().rstrip(".")
        if _is_full(cause):
            return OutOfSpace(
                f"The disk that holds Studio's database is full: {said}.",
                "Nothing of this was kept. Free space on it, then send it again.",
            )
        return Unavailable(
            f"The database did not take the request: {said}.", "Free disk space or wait, then try again."
        )
    if isinstance(error, (DataError, driver.DataError, OverflowError)):
        return Invalid(
            "A value in the request cannot be stored: a number too large, a text too long, or one with a NUL in it.",
            "Mend the value and send it again.",
        )
    return error


def _is_full(cause: object) -> bool:
    """Whether the database has no room: SQLite's codes, PostgreSQL's SQLSTATE 53100."""
    named, state = getattr(cause, "sqlite_errorname", ""), getattr(cause, "sqlstate", "")
    return named in ("SQLITE_FULL", "SQLITE_IOERR_SHMSIZE") or state == "53100"
