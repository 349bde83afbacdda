"""Core statements compiled once per dialect and run with tuples: half the time of `execute` with dictionaries."""

import re
from collections.abc import Callable, Sequence
from itertools import chain
from typing import Any

from sqlalchemy import Connection, CursorResult, Executable
from sqlalchemy.dialects import postgresql, sqlite

TOGETHER = 100  # tuples of one insert, where there are so many
_ROW = re.compile(r"VALUES (\((?:[^()]|\([^()]*\))*\))")
Insert = Callable[..., Any]  # `insert` of the dialect: both know on_conflict_do_nothing and on_conflict_do_update


class Prepared:
    """`build(insert)` makes the statement; `names` are its bound parameters in the order in which they stand in it."""

    def __init__(self, build: Callable[[Insert], Executable], names: Sequence[str]) -> None:
        self._build = build
        self._names = tuple(names)
        self._compiled: dict[str, tuple[str, str]] = {}

    def one(self, db: Connection, row: tuple[Any, ...]) -> CursorResult[Any]:
        """Runs it with one tuple; for what is read by column names."""
        return db.exec_driver_sql(self._text(db)[0], row)

    # Straight to the driver: SQLAlchemy's own execution costs more than most statements themselves. Only inside a
    # transaction that the store has begun.
    def first(self, db: Connection, row: tuple[Any, ...]) -> tuple[Any, ...] | None:
        """Runs it with one tuple; the first row that it gives."""
        cursor = db.connection.cursor()
        try:
            cursor.execute(self._text(db)[0], row)
            found: tuple[Any, ...] | None = cursor.fetchone()
            return found
        finally:
            cursor.close()

    def many(self, db: Connection, rows: Sequence[tuple[Any, ...]]) -> int:
        """Runs it for each tuple; of one tuple the row id that SQLite gave it, else 0."""
        if not rows:
            return 0
        text, wide = self._text(db)
        cursor = db.connection.cursor()
        try:
            if len(rows) == 1:
                cursor.execute(text, rows[0])
                return getattr(cursor, "lastrowid", None) or 0
            whole = len(rows) - len(rows) % TOGETHER if wide else 0
            # With many at once SQLite's driver seldom lets go of the interpreter, for which threads would fight, and
            # PostgreSQL has one statement to look at.
            for start in range(0, whole, TOGETHER):
                cursor.execute(wide, [*chain.from_iterable(rows[start : start + TOGETHER])])
            if whole < len(rows):
                cursor.executemany(text, rows[whole:])
            return 0
        finally:
            cursor.close()

    def _text(self, db: Connection) -> tuple[str, str]:
        """The statement for one tuple, and for TOGETHER of them ("" for what cannot take them at once)."""
        name = db.dialect.name
        known = self._compiled.get(name)
        if known is None:
            insert = postgresql.insert if name == "postgresql" else sqlite.insert
            # Parameters by place on every database: tuples need not become dictionaries.
            kind: Any = type(db.dialect)
            dialect = db.dialect if db.dialect.positional else kind(paramstyle="format")
            compiled: Any = self._build(insert).compile(dialect=dialect)  # type: ignore[attr-defined]
            if tuple(compiled.positiontup) != self._names:
                raise RuntimeError(f"parameters stand as {compiled.positiontup}, not {self._names}")
            text = str(compiled)
            found = _ROW.search(text)
            # An update that meets the same row twice in one statement is an error on PostgreSQL.
            can = found is not None and "DO UPDATE" not in text
            wide = text.replace(found[1], ", ".join([found[1]] * TOGETHER), 1) if found and can else ""
            known = self._compiled[name] = (text, wide)
        return known
