"""Core statements compiled once per dialect and run with tuples: half the time of `execute` with dictionaries."""

from collections.abc import Callable, Sequence
from itertools import chain
from typing import Any

from sqlalchemy import Connection, CursorResult, Executable
from sqlalchemy.dialects import postgresql, sqlite

TOGETHER = 100  # tuples of one insert, where there are so many
Insert = Callable[..., Any]  # `insert` of the dialect: both know on_conflict_do_nothing and on_conflict_do_update


class Prepared:
    """`build(insert)` makes the statement; `names` are its bound parameters in the order in which they stand in it."""

    def __init__(self, build: Callable[[Insert], Executable], names: Sequence[str]) -> None:
        self._build = build
        self._names = tuple(names)
        self._row = f"({', '.join('?' * len(self._names))})"  # the values of one tuple, as they stand in an insert
        self._compiled: dict[str, tuple[str, bool]] = {}

    def one(self, db: Connection, row: tuple[Any, ...]) -> CursorResult[Any]:
        """Runs it with one tuple; for what is read by column names."""
        text, positional = self._text(db)
        return db.exec_driver_sql(text, row if positional else dict(zip(self._names, row, strict=True)))

    # Straight to the driver: SQLAlchemy's own execution costs more than most statements themselves. Only inside a
    # transaction that the store has begun.
    def first(self, db: Connection, row: tuple[Any, ...]) -> tuple[Any, ...] | None:
        """Runs it with one tuple; the first row that it gives."""
        text, positional = self._text(db)
        cursor = db.connection.cursor()
        try:
            cursor.execute(text, row if positional else dict(zip(self._names, row, strict=True)))
            found: tuple[Any, ...] | None = cursor.fetchone()
            return found
        finally:
            cursor.close()

    def many(self, db: Connection, rows: Sequence[tuple[Any, ...]]) -> int:
        """Runs it for each tuple; of one tuple the row id that SQLite gave it, else 0."""
        if not rows:
            return 0
        text, positional = self._text(db)
        given = rows if positional else [dict(zip(self._names, row, strict=True)) for row in rows]
        cursor = db.connection.cursor()
        try:
            if len(given) == 1:
                cursor.execute(text, given[0])
                return getattr(cursor, "lastrowid", None) or 0
            if positional and len(given) >= TOGETHER and self._row in text:
                # The driver lets go of the interpreter at every statement, and threads fight for it.
                wide = text.replace(self._row, ", ".join([self._row] * TOGETHER), 1)
                whole = len(given) - len(given) % TOGETHER
                for start in range(0, whole, TOGETHER):
                    cursor.execute(wide, [*chain.from_iterable(given[start : start + TOGETHER])])
                given = given[whole:]
            cursor.executemany(text, given)
            return 0
        finally:
            cursor.close()

    def _text(self, db: Connection) -> tuple[str, bool]:
        name = db.dialect.name
        known = self._compiled.get(name)
        if known is None:
            insert = postgresql.insert if name == "postgresql" else sqlite.insert
            compiled: Any = self._build(insert).compile(dialect=db.dialect)  # type: ignore[attr-defined]
            if compiled.positional and tuple(compiled.positiontup) != self._names:
                raise RuntimeError(f"parameters stand as {compiled.positiontup}, not {self._names}")
            known = self._compiled[name] = (str(compiled), bool(compiled.positional))
        return known
