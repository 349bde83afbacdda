"""Core statements compiled once per dialect and run with tuples: half the time of `execute` with dictionaries."""

import re
from collections.abc import Callable, Sequence
from itertools import chain
from typing import Any

from msgspec import Struct
from sqlalchemy import Boolean, Connection, CursorResult, Executable, Float, Integer, String
from sqlalchemy.dialects import postgresql, sqlite

TOGETHER = 100  # tuples of one insert in SQLite, where there are so many
_ROW = re.compile(r"VALUES (\((?:[^()]|\([^()]*\))*\))")
# Lists of PostgreSQL that can stand for a column; text without a length, since a cast to one would cut.
_LISTS = ((Boolean, "BOOLEAN[]"), (Integer, "BIGINT[]"), (Float, "FLOAT8[]"), (String, "TEXT[]"))
Insert = Callable[..., Any]  # `insert` of the dialect: both know on_conflict_do_nothing and on_conflict_do_update


class _Text(Struct, frozen=True):
    """`one`: for one tuple. `many`: for TOGETHER of them, on PostgreSQL for a list of each column ("": there is none);
    `floats`: which of these lists are of floats."""

    one: str
    many: str = ""
    floats: tuple[int, ...] = ()


class Prepared:
    """`build(insert)` makes the statement; `names` are its bound parameters in the order in which they stand in it."""

    def __init__(self, build: Callable[[Insert], Executable], names: Sequence[str]) -> None:
        self._build = build
        self._names = tuple(names)
        self._compiled: dict[str, _Text] = {}

    def one(self, db: Connection, row: tuple[Any, ...]) -> CursorResult[Any]:
        """Runs it with one tuple; for what is read by column names."""
        return db.exec_driver_sql(self._text(db).one, row)

    # Straight to the driver: SQLAlchemy's own execution costs more than most statements themselves. Only inside a
    # transaction that the store has begun.
    def first(self, db: Connection, row: tuple[Any, ...]) -> tuple[Any, ...] | None:
        """Runs it with one tuple; the first row that it gives."""
        cursor = db.connection.cursor()
        try:
            cursor.execute(self._text(db).one, row)
            found: tuple[Any, ...] | None = cursor.fetchone()
            return found
        finally:
            cursor.close()

    def made(self, db: Connection, row: tuple[Any, ...]) -> int:
        """Runs an insert with one tuple; the `id` that the database gave it."""
        if db.dialect.name == "sqlite":  # some that are still in use are older than RETURNING
            cursor = db.connection.cursor()
            try:
                cursor.execute(self._text(db).one, row)
                return int(getattr(cursor, "lastrowid", None) or 0)
            finally:
                cursor.close()
        found = self.first(db, row)  # SQLAlchemy has ended it with RETURNING
        assert found is not None
        return int(found[0])

    def many(self, db: Connection, rows: Sequence[tuple[Any, ...]]) -> None:
        """Runs it for each tuple."""
        if not rows:
            return
        text = self._text(db)
        cursor = db.connection.cursor()
        try:
            if len(rows) == 1:
                cursor.execute(text.one, rows[0])
            elif not text.many:
                cursor.executemany(text.one, rows)
            elif db.dialect.name == "sqlite":
                self._in_pieces(cursor, text, rows)
            else:
                self._in_lists(cursor, text, rows)
        finally:
            cursor.close()

    @staticmethod
    def _in_pieces(cursor: Any, text: _Text, rows: Sequence[tuple[Any, ...]]) -> None:
        # With many at once SQLite's driver seldom lets go of the interpreter, for which threads would fight.
        whole = len(rows) - len(rows) % TOGETHER
        for start in range(0, whole, TOGETHER):
            cursor.execute(text.many, [*chain.from_iterable(rows[start : start + TOGETHER])])
        if whole < len(rows):
            cursor.executemany(text.one, rows[whole:])

    @staticmethod
    def _in_lists(cursor: Any, text: _Text, rows: Sequence[tuple[Any, ...]]) -> None:
        # One statement with a parameter per column: a seventh of what a thousand tuples cost the driver.
        lists = [list(column) for column in zip(*rows, strict=True)]
        for place in text.floats:  # the driver takes no list in which whole numbers and floats are mixed
            lists[place] = [None if value is None else float(value) for value in lists[place]]
        cursor.execute(text.many, lists)

    def _text(self, db: Connection) -> _Text:
        name = db.dialect.name
        known = self._compiled.get(name)
        if known is None:
            insert = postgresql.insert if name == "postgresql" else sqlite.insert
            # Parameters by place on every database: tuples need not become dictionaries.
            kind: Any = type(db.dialect)
            dialect = db.dialect if db.dialect.positional else kind(paramstyle="format")
            statement = self._build(insert)
            compiled: Any = statement.compile(dialect=dialect)  # type: ignore[attr-defined]
            if tuple(compiled.positiontup) != self._names:
                raise RuntimeError(f"parameters stand as {compiled.positiontup}, not {self._names}")
            known = self._compiled[name] = self._wide(str(compiled), getattr(statement, "table", None), name)
        return known

    def _wide(self, text: str, table: Any, dialect: str) -> _Text:
        found = _ROW.search(text)
        # An update that meets the same row twice in one statement is an error on PostgreSQL.
        if table is None or found is None or "DO UPDATE" in text:
            return _Text(text)
        if dialect == "sqlite":
            return _Text(text, text.replace(found[1], ", ".join([found[1]] * TOGETHER), 1))
        types = [table.c[name].type for name in self._names]
        lists = [next((written for kind, written in _LISTS if isinstance(type_, kind)), "") for type_ in types]
        if not all(lists):
            return _Text(text)
        columns = ", ".join(f"%b::{written}" for written in lists)
        floats = tuple(place for place, type_ in enumerate(types) if isinstance(type_, Float))
        return _Text(text, text.replace(found[0], f"SELECT * FROM unnest({columns})", 1), floats)
