"""Runs as rows of the table: only what its columns need of them, three queries for a window."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, select

from studio.store.tables import tracking as t
from studio.store.tenancy import COMPARED, scope_query
from studio.tracking import metrics, runs, searching
from studio.tracking.records import Latest, Pair, Run
from studio.tracking.run_table import ARCHIVED_TAG, NOTE_TAG, Column

MOST_ROWS = 1000
_ALWAYS = (ARCHIVED_TAG, NOTE_TAG)
_INFO = [t.runs.c[name] for name in runs.INFO]
_m = t.latest_metrics.c
_METRICS = select(_m.run, _m.key, _m.value, _m.ts, _m.step, _m.low, _m.high, _m.is_nan)


def by_number(db: Connection, domain: str, numbers: Sequence[int], columns: Sequence[Column] | None) -> list[Run]:
    """The runs with those internal numbers, in this order, but for other domains'. Without `columns`: all data."""
    rows = {row[0]: row for row in _found(db, domain, t.runs.c.id.in_(set(numbers)))}
    return _load(db, [rows[number] for number in numbers if number in rows], columns)


def by_id(db: Connection, domain: str, run_ids: Sequence[str], columns: Sequence[Column] | None) -> list[Run]:
    """The same by the ids that everybody knows runs by."""
    rows = {row[1]: row for row in _found(db, domain, t.runs.c.run_id.in_(set(run_ids)))}
    return _load(db, [rows[run_id] for run_id in run_ids if run_id in rows], columns)


def _found(db: Connection, domain: str, wanted: ColumnElement[bool]) -> list[tuple[Any, ...]]:
    # The domain is looked at here: asked for in SQL, SQLite would go through all of its runs by the index of jobs.
    rows = db.execute(scope_query(select(*_INFO, t.runs.c.domain).where(wanted), t.runs, COMPARED))
    return [tuple(row[:-1]) for row in rows if row[-1] == domain]


def _load(db: Connection, rows: list[tuple[Any, ...]], columns: Sequence[Column] | None) -> list[Run]:
    ids = [row[0] for row in rows]
    keys = None if columns is None else _keys(columns)
    values = _latest(db, ids, None if keys is None else keys["metric"])
    params = _pairs(db, t.params, ids, None if keys is None else keys["param"])
    tags = _pairs(db, t.tags, ids, None if keys is None else [*keys["tag"], *_ALWAYS])
    return [Run(runs.record(row), values.get(row[0], []), params.get(row[0], []), tags.get(row[0], [])) for row in rows]


def _keys(columns: Sequence[Column]) -> dict[str, list[str]]:
    keys: dict[str, list[str]] = defaultdict(list)
    for column in columns:
        keys["metric" if column.entity in searching.BOUNDS else column.entity].append(column.key)
    return keys


def _latest(db: Connection, ids: Sequence[int], keys: Sequence[str] | None) -> dict[int, list[Latest]]:
    query = _METRICS.where(_m.run.in_(ids))
    if keys is not None:
        query = query.where(_m.key.in_([number for key in keys if (number := metrics.key_id(db, key)) is not None]))
    names: dict[int, str] = {}
    found: dict[int, list[Latest]] = defaultdict(list)
    for run, key, value, ts, step, low, high, is_nan in db.execute(query).cursor.fetchall():
        if key not in names:
            names = metrics.key_names(db)
        found[run].append(Latest(names[key], float("nan") if is_nan else value, ts, step, low, high))
    return found


def _pairs(db: Connection, table: Table, ids: Sequence[int], keys: Sequence[str] | None) -> dict[int, list[Pair]]:
    query = select(table).where(table.c.run.in_(ids))
    if keys is not None:
        query = query.where(table.c.key.in_(keys))
    found: dict[int, list[Pair]] = defaultdict(list)
    for run, key, value in db.execute(query).cursor.fetchall():
        found[run].append(Pair(key, value))
    return found
