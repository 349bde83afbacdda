"""PostgreSQL where it is not as SQLite: the driver, a session's settings, the order of text, who may write."""

import time
from typing import Any

from sqlalchemy import URL, Column, Connection, Engine, String, create_engine, event, text
from sqlalchemy.dialects.postgresql.base import PGDDLCompiler

from studio.errors import Unavailable

DRIVER = "postgresql+psycopg"
# A session is durable and plans at once, whatever the database's or the role's own settings are.
SETTINGS = ("synchronous_commit = on", "jit = off", "client_min_messages = warning")
WRITER = 0x53747564696F  # the advisory lock of the one writer: "Studio"
CLAIM_S = 20.0  # until PostgreSQL has noticed the end of a server that was killed


class _Ddl(PGDDLCompiler):
    """Text sorts and compares by its bytes, as in SQLite and whatever the database's language: a search gives the same
    rows in the same order on both."""

    def get_column_specification(self, column: Column[Any], **kwargs: Any) -> str:
        """The column's line of CREATE TABLE."""
        line: str = super().get_column_specification(column, **kwargs)  # type: ignore[no-untyped-call]
        kind = self.dialect.type_compiler_instance.process(column.type, type_expression=column)
        if isinstance(column.type, String) and column.type.collation is None:
            line = line.replace(kind, f'{kind} COLLATE "C"', 1)
        return line


def open_engine(url: URL, connections: int) -> Engine:
    """An engine for `connections` at once."""
    engine = create_engine(
        url.set(drivername=DRIVER),
        pool_size=connections,
        pool_pre_ping=True,
        # One view of the database for a whole read, as in SQLite. There is one writer, so nothing conflicts.
        isolation_level="REPEATABLE READ",
        connect_args={"application_name": "studio", "connect_timeout": 10},
    )
    engine.dialect.ddl_compiler = _Ddl

    @event.listens_for(engine, "connect")
    def _connect(connection: Any, _record: Any) -> None:
        for setting in SETTINGS:
            connection.execute(f"SET {setting}")
        connection.commit()

    return engine


def claim(db: Connection) -> None:
    """Makes `db` the database's one writer for as long as it is connected; `Unavailable` if another process is."""
    deadline = time.monotonic() + CLAIM_S
    while not db.execute(text("SELECT pg_try_advisory_lock(:key)"), {"key": WRITER}).scalar():
        db.rollback()
        if time.monotonic() > deadline:
            raise Unavailable("Another Studio writes to this database.", "Stop it, or give this one its own.")
        time.sleep(0.1)
    db.commit()
