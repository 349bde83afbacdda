"""All values of a metric: whole, by pages, sampled evenly."""

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, Integer, Select, bindparam, cast, select

from studio.errors import Invalid
from studio.store import statements
from studio.store.prepared import Prepared
from studio.store.tables import tracking as t
from studio.tracking import metrics, pages, runs
from studio.tracking.pages import Sort
from studio.tracking.records import Metric

_c = t.metrics.c
_NAN = float("nan")
# Truth values know no order in SQL; as numbers they do.
_SORTS = [Sort(_c.ts), Sort(_c.step), Sort(_c.value), Sort(cast(_c.is_nan, Integer))]
CHUNK = 2000
_BY_STEP = Prepared(
    lambda _: (
        select(_c.step, _c.ts, _c.value, _c.is_nan)
        .where(_c.run == bindparam("run"), _c.key == bindparam("key"))
        .order_by(_c.step, _c.ts, _c.value, _c.is_nan)
    ),
    ("run", "key"),
)


def page(
    db: Connection, domain: str, run_id: str, key: str, max_results: int | None = None, page_token: str | None = None
) -> tuple[list[Metric], str | None]:
    """The values of `key` by time, step and value, as MLflow sorts them; all of them without `max_results`."""
    run = runs.info(db, domain, run_id)
    mark = ["history", run_id, key]
    start = pages.decode(page_token, mark, len(_SORTS))
    number = metrics.key_id(db, key)
    if number is None:
        return [], None
    values: dict[str, Any] = {"run": run.id, "key": number, "most": -1 if max_results is None else max_results + 1}
    values |= {f"after_{n}": value for n, value in enumerate(start or ())}
    shape = ("history", start is not None, max_results is not None)
    rows = statements.rows(db, shape, values, lambda: _by_time(start, max_results is not None))
    token = None
    if max_results is not None and len(rows) > max_results:
        rows = rows[:max_results]
        token = pages.encode(mark, [*rows[-1][:3], int(rows[-1][3])])
    return [Metric(key, _NAN if is_nan else value, ts, step) for ts, step, value, is_nan in rows], token


def chunks(db: Connection, domain: str, run_id: str, key: str) -> Iterator[list[tuple[int, int, float, bool]]]:
    """All values (time, step, value, whether it is NaN instead) in the same order, some at a time."""
    run = runs.info(db, domain, run_id)
    number = metrics.key_id(db, key)
    if number is not None:
        values = {"run": run.id, "key": number}
        yield from statements.chunks(db, ("history", False, False), values, lambda: _by_time(None, False), CHUNK)


def _by_time(start: Sequence[Any] | None, is_limited: bool) -> Select[Any]:
    query = select(_c.ts, _c.step, _c.value, _c.is_nan)
    query = query.where(_c.run == bindparam("run"), _c.key == bindparam("key"))
    if start is not None:
        marks = [bindparam(f"after_{n}", type_=sort.column.type) for n, sort in enumerate(_SORTS)]
        query = query.where(pages.after(_SORTS, marks))
    query = query.order_by(*pages.order(_SORTS))
    return query.limit(bindparam("most")) if is_limited else query


def bulk(db: Connection, domain: str, run_ids: Sequence[str], key: str, max_results: int) -> list[tuple[str, Metric]]:
    """(run id, value) of several runs, run by run."""
    found: list[tuple[str, Metric]] = []
    for run_id in sorted(set(run_ids)):
        values, _ = page(db, domain, run_id, key)
        found += [(run_id, value) for value in values]
    return found[:max_results]


def interval(
    db: Connection, domain: str, run_ids: Sequence[str], key: str, max_results: int, steps: tuple[int, int] | None
) -> list[tuple[str, Metric]]:
    """At most `max_results` values a run, evenly taken from its values by step, the first and the last among them."""
    if steps is not None and steps[0] > steps[1]:
        raise Invalid(f"end_step must be greater than start_step. Found start_step={steps[0]} and end_step={steps[1]}.")
    infos = [runs.info(db, domain, run_id) for run_id in run_ids]
    found: list[tuple[str, Metric]] = []
    for info in infos:
        rows = [row for row in _all(db, info.id, key) if steps is None or steps[0] <= row[0] <= steps[1]]
        for step, ts, value, is_nan in _buckets(rows, max_results):
            found.append((info.run_id, Metric(key, _NAN if is_nan else value, ts, step)))
    return found


def _all(db: Connection, run: int, key: str) -> Sequence[Any]:
    number = metrics.key_id(db, key)
    return [] if number is None else _BY_STEP.one(db, (run, number)).all()


def _buckets(rows: Sequence[Any], size: int) -> list[Any]:
    """The first row of each of `size` even stretches, as SQL's ntile cuts them, and the last row."""
    if len(rows) <= size:
        return list(rows)
    wide, rest = len(rows) % size, len(rows) // size
    starts = [n * (rest + 1) if n < wide else wide * (rest + 1) + (n - wide) * rest for n in range(size)]
    kept = [rows[start] for start in starts]
    kept[-1] = rows[-1]
    return kept
