"""Runs grouped by a param, tag or attribute: how many, and mean, deviation and bounds of their metrics, all in SQL."""

from collections.abc import Sequence
from typing import Any

from msgspec import Struct
from sqlalchemy import ColumnElement, Connection, FromClause, case, func, literal, select

from studio.errors import Invalid
from studio.store.tables import tracking as t
from studio.store.tenancy import FOUND, scope_query
from studio.tracking import run_table, searching
from studio.tracking.run_table import Column, Query

MOST_GROUPS = 1000
MOST_COLUMNS = 40


class Figures(Struct, frozen=True):
    """Of one column in one group: runs that have a value, its mean, sample deviation (none for one run), bounds."""

    runs: int
    mean: float | None
    deviation: float | None
    low: float | None
    high: float | None


class Group(Struct, frozen=True):
    """`value` none: runs without one; `newest_ms`: when the newest began; `figures` in the order of the columns."""

    value: str | None
    runs: int
    newest_ms: int | None
    figures: list[Figures]


def groups(db: Connection, query: Query, by: Column, columns: Sequence[Column]) -> tuple[list[Group], int]:
    """The groups with most runs, at most MOST_GROUPS, and how many there are in all.

    The deviation takes a second pass over the differences from the means: squares of the values themselves would lose
    it where values are large and close together.
    """
    if len(columns) > MOST_COLUMNS:
        raise Invalid(f"{len(columns)} columns are too many to group.", f"Show at most {MOST_COLUMNS} metrics.")
    source, value = run_table.valued(by)
    named: list[ColumnElement[Any]] = []
    for n, column in enumerate(columns):
        source, figure = _figure(db, source, column)
        named.append(figure.label(f"v{n}"))
    text = value.cast(t.runs.c.name.type)
    shown = (func.coalesce(text, "").label("value"), value.is_(None).label("none"), t.runs.c.start_ms, *named)
    own = scope_query(select(*shown), t.runs, FOUND)
    rows = own.select_from(source).where(*run_table.where(db, query)).cte("grouped")
    sums = [func.count().label("runs"), func.max(rows.c.start_ms).label("newest"), func.count().over().label("total")]
    for n in range(len(columns)):
        v = rows.c[f"v{n}"]
        sums += [
            func.count(v).label(f"n{n}"), func.avg(v).label(f"m{n}"),
            func.min(v).label(f"l{n}"), func.max(v).label(f"h{n}"),
        ]  # fmt: skip
    tops = (
        select(rows.c.value, rows.c.none, *sums)
        .group_by(rows.c.value, rows.c.none)
        .order_by(func.count().desc(), rows.c.value)
        .limit(MOST_GROUPS)
        .cte("tops")
    )
    squares = [_deviation(rows.c[f"v{n}"], tops.c[f"m{n}"], tops.c[f"n{n}"], n) for n in range(len(columns))]
    joined = tops.join(rows, (rows.c.value == tops.c.value) & (rows.c.none == tops.c.none))
    listed = select(*tops.c, *squares).select_from(joined).group_by(*tops.c)
    found = db.execute(listed.order_by(tops.c.runs.desc(), tops.c.value)).mappings().all()
    return [_group(row, len(columns)) for row in found], int(found[0]["total"]) if found else 0


def _figure(db: Connection, source: FromClause, column: Column) -> tuple[FromClause, ColumnElement[Any]]:
    if column.entity in searching.BOUNDS:
        return run_table.latest(db, source, column)
    if column.entity == "attribute" and column.key == "duration":
        return source, searching.ATTRIBUTES["duration"]
    raise Invalid(f"{column.entity} {column.key!r} has no mean.", "Ask for metrics and the duration.")


def _deviation(value: Any, mean: Any, runs: Any, number: int) -> ColumnElement[Any]:
    squares = func.sum((value - mean) * (value - mean))
    return case((runs > 1, squares / (runs - literal(1.0))), else_=None).label(f"d{number}")


def _group(row: Any, columns: int) -> Group:
    figures = []
    for n in range(columns):
        variance = row[f"d{n}"]
        deviation = None if variance is None else float(variance) ** 0.5
        figures.append(Figures(row[f"n{n}"], _float(row[f"m{n}"]), deviation, row[f"l{n}"], row[f"h{n}"]))
    return Group(None if row["none"] else row["value"], row["runs"], row["newest"], figures)


def _float(value: Any) -> float | None:
    return None if value is None else float(value)
