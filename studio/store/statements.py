"""SELECTs whose text is made once for each shape; afterwards only the parameters change.

Building a query of SQLAlchemy's parts and asking its cache costs more than many a search itself.
"""

from collections.abc import Callable, Hashable, Iterator, Mapping
from typing import Any

from sqlalchemy import Connection, Select

KEPT = 1000  # shapes; one is a few kilobytes of text
_known: dict[tuple[str, Hashable], "_Statement"] = {}


class _Statement:
    __slots__ = ("fixed", "order", "text")

    def __init__(self, db: Connection, query: Select[Any], names: Mapping[str, Any]) -> None:
        compiled: Any = query.compile(dialect=db.dialect)
        self.text = str(compiled)
        self.order: tuple[str, ...] | None = tuple(compiled.positiontup) if compiled.positional else None
        # What the query binds by itself, such as LIMIT's companion: the same for all searches of the shape.
        self.fixed = {name: value for name, value in compiled.params.items() if name not in names}


def rows(db: Connection, shape: Hashable, values: Mapping[str, Any], build: Callable[[], Select[Any]]) -> list[Any]:
    """The driver's tuples for the query that `build` makes at the first use of `shape`.

    `shape` says everything that decides the text; `values` has every parameter that is not part of it, by its name.
    The driver's own, since a page has thousands of them and SQLAlchemy's would cost as much again.
    """
    cursor = _execute(db, shape, values, build)
    try:
        return list(cursor.fetchall())
    finally:
        cursor.close()


def chunks(
    db: Connection, shape: Hashable, values: Mapping[str, Any], build: Callable[[], Select[Any]], size: int
) -> Iterator[list[Any]]:
    """The same, at most `size` at a time: what is done with them does not hold the interpreter for long."""
    cursor = _execute(db, shape, values, build)
    try:
        while some := cursor.fetchmany(size):
            yield some
    finally:
        cursor.close()


def _execute(db: Connection, shape: Hashable, values: Mapping[str, Any], build: Callable[[], Select[Any]]) -> Any:
    place = (db.dialect.name, shape)
    known = _known.get(place)
    if known is None:
        if len(_known) >= KEPT:
            _known.clear()
        known = _known[place] = _Statement(db, build(), values)
    given = {**known.fixed, **values} if known.fixed else values
    if not db.in_transaction():
        db.begin()  # so that all statements of one read see the same rows
    cursor = db.connection.cursor()
    try:
        cursor.execute(known.text, given if known.order is None else [given[name] for name in known.order])
    except BaseException:
        cursor.close()
        raise
    return cursor
