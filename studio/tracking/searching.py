"""Searching runs. Ordered by a metric, it walks the index of latest values and looks at no more rows than needed."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, FromClause, Select, and_, case, exists, func, select

from studio.errors import Invalid
from studio.store.expressions import AsNumber
from studio.store.tables import tracking as t
from studio.tracking import conditions, experiments, filters, loading, metrics, pages, runs
from studio.tracking.grammars import RUNS
from studio.tracking.pages import Sort
from studio.tracking.records import Run, RunPage

MAX_RESULTS = 50_000
STAGES = {"ACTIVE_ONLY": ("active",), "DELETED_ONLY": ("deleted",), "ALL": ("active", "deleted")}
Term = tuple[str, str, bool]  # entity, key, descending
# The lowest and highest of all values of a metric, beside the last: tables sort by them, MLflow's wire does not.
BOUNDS = {"metric": "value", "metric_min": "low", "metric_max": "high"}
# What tables sort by besides what MLflow's filters know.
ATTRIBUTES: dict[str, ColumnElement[Any]] = {
    **conditions.RUN_COLUMNS,
    "duration": t.runs.c.end_ms - t.runs.c.start_ms,
    "owner": t.runs.c.owner,
    "experiment": t.runs.c.experiment,
}
_COLUMNS = [t.runs.c[name] for name in runs.INFO]


def search(
    db: Connection,
    domain: str,
    experiment_ids: Sequence[str],
    *,
    filter_text: str = "",
    view: str = "ACTIVE_ONLY",
    max_results: int = 1000,
    order_by: Sequence[str] = (),
    page_token: str | None = None,
) -> RunPage:
    """A page of the runs of those experiments of `domain` that match; newest first where the order leaves a choice."""
    rows, token = _rows(db, domain, experiment_ids, filter_text, view, max_results, order_by, page_token)
    return RunPage(loading.load(db, [runs.record(row[: len(_COLUMNS)]) for row in rows]), token)


def count(db: Connection, domain: str, experiment_ids: Sequence[str], filter_text: str, view: str) -> int:
    """How many runs match."""
    wanted = where(db, domain, experiment_ids, filter_text, view)
    return int(db.execute(select(func.count()).select_from(t.runs).where(*wanted)).scalar_one())


def ids(
    db: Connection,
    domain: str,
    experiment_ids: Sequence[str],
    filter_text: str = "",
    view: str = "ACTIVE_ONLY",
    order_by: Sequence[str] = (),
) -> list[int]:
    """The internal numbers of all runs that match, in order: what a table that shows a window of them scrolls over."""
    wanted = where(db, domain, experiment_ids, filter_text, view)
    found: list[int] = []
    for _, query, sorts in phases(db, domain, experiment_ids, _terms(order_by)):
        narrow = query.with_only_columns(t.runs.c.id).where(*wanted).order_by(*pages.order(sorts))
        found += db.execute(narrow).scalars()
    return found


def rows_of(db: Connection, domain: str, numbers: Sequence[int]) -> list[Run]:
    """The runs with those internal numbers, in their order; those of other domains are left out."""
    query = select(*_COLUMNS).where(t.runs.c.domain == domain, t.runs.c.id.in_(set(numbers)))
    by_number = {row.id: runs.record(tuple(row)) for row in db.execute(query)}
    return loading.load(db, [by_number[number] for number in numbers if number in by_number])


def _rows(
    db: Connection,
    domain: str,
    experiment_ids: Sequence[str],
    filter_text: str,
    view: str,
    max_results: int,
    order_by: Sequence[str],
    page_token: str | None,
) -> tuple[list[Any], str | None]:
    wanted = where(db, domain, experiment_ids, filter_text, view)
    terms = _terms(order_by)
    mark = [domain, sorted(experiment_ids), filter_text, view, list(order_by)]
    start = pages.decode(page_token, mark)
    phase = int(start[0]) if start else 0
    found: list[tuple[int, Any]] = []
    for number, base, sorts in phases(db, domain, experiment_ids, terms):
        if number < phase:
            continue
        columns = [sort.column.label(f"sort_{n}") for n, sort in enumerate(sorts)]
        query = base.add_columns(*columns).where(*wanted).order_by(*pages.order(sorts))
        if start and number == phase:
            query = query.where(pages.after(sorts, start[1:]))
        rows = db.execute(query.limit(max_results + 1 - len(found))).all()
        found += [(number, row) for row in rows]
        if len(found) > max_results:
            break
    page = [row for _, row in found[:max_results]]
    if len(found) <= max_results:
        return page, None
    last, row = found[max_results - 1]
    return page, pages.encode(mark, [last, *row[len(_COLUMNS) :]])


def where(
    db: Connection, domain: str, experiment_ids: Sequence[str], filter_text: str, view: str
) -> list[ColumnElement[bool]]:
    """The conditions on `runs` that a search makes."""
    if view not in STAGES:
        raise Invalid(f"Invalid view type '{view}'", f"Use one of {sorted(STAGES)}.")
    numbers = experiments.numbers(db, domain, experiment_ids)
    tree = filters.parse(filter_text, RUNS)
    return [_one_of(t.runs.c.experiment, numbers), _one_of(t.runs.c.stage, STAGES[view]), *conditions.of_runs(db, tree)]


def _one_of(column: ColumnElement[Any], values: Sequence[Any]) -> ColumnElement[bool]:
    # With "=" SQLite can take the order from the index, with IN it sorts.
    return column == values[0] if len(values) == 1 else column.in_(values)


def _terms(order_by: Sequence[str]) -> list[Term]:
    return complete([filters.parse_order(text, RUNS) for text in order_by])


def complete(terms: list[Term]) -> list[Term]:
    """`terms` and what decides where they leave a choice: newest first, then by id."""
    seen = [(entity, key) for entity, key, _ in terms]
    if len(set(seen)) != len(seen):
        raise Invalid(f"`order_by` contains duplicate fields: {[f'{entity}.{key}' for entity, key in seen]}")
    ends: list[Term] = [("attribute", "start_time", True), ("attribute", "run_id", False)]
    return [*terms, *(end for end in ends if end[:2] not in seen)]


def phases(
    db: Connection, domain: str, experiment_ids: Sequence[str], terms: list[Term]
) -> list[tuple[int, Select[Any], list[Sort]]]:
    """The queries whose rows, one after the other, are the search's: with a metric first, those with it, NaN, none."""
    entity, key, descending = terms[0]
    if entity != "metric":
        source, sorts = _joined(db, t.runs, terms)
        return [(0, select(*_COLUMNS).select_from(source), sorts)]
    rest, more = _joined(db, t.runs, terms[1:])
    number = metrics.key_id(db, key)
    if number is None:
        return [(2, select(*_COLUMNS).select_from(rest), more)]
    latest = t.latest_metrics.alias("ordered")
    own = _one_of(latest.c.experiment, experiments.numbers(db, domain, experiment_ids)) & (latest.c.key == number)
    source, _ = _joined(db, latest.join(t.runs, t.runs.c.id == latest.c.run), terms[1:])
    query = select(*_COLUMNS).select_from(source).where(own)
    without = ~exists().where(latest.c.run == t.runs.c.id, latest.c.key == number)
    return [
        (0, query.where(latest.c.is_nan.is_(False)), [Sort(latest.c.value, descending), *more]),
        (1, query.where(latest.c.is_nan.is_(True)), more),
        (2, select(*_COLUMNS).select_from(rest).where(without), more),
    ]


def _joined(db: Connection, source: FromClause, terms: Sequence[Term]) -> tuple[FromClause, list[Sort]]:
    sorts: list[Sort] = []
    for n, (entity, key, descending) in enumerate(terms):
        if entity == "attribute":
            sorts.append(Sort(ATTRIBUTES[key], descending, nullable=key in ("end_time", "duration")))
            continue
        if entity in BOUNDS:
            table = t.latest_metrics.alias(f"by_{n}")
            number = metrics.key_id(db, key)
            match = and_(table.c.run == t.runs.c.id, table.c.key == (-1 if number is None else number))
            column = table.c[BOUNDS[entity]]
            if entity == "metric":
                rank = case((table.c.is_nan, 1), (table.c.value.is_(None), 2), else_=0)
                sorts.append(Sort(rank))
        else:
            table = (t.tags if entity == "tag" else t.params).alias(f"by_{n}")
            match = and_(table.c.run == t.runs.c.id, table.c.key == key)
            column = table.c.value
            if entity == "number":
                # A param as people mean it, 9 before 10; texts, which are 0 as numbers, follow by themselves below.
                sorts.append(Sort(AsNumber(column), descending, nullable=True))
        source = source.outerjoin(table, match)
        sorts.append(Sort(column, descending, nullable=True))
    return source, sorts


def latest_of(db: Connection, domain: str, run_ids: Sequence[str]) -> dict[str, dict[str, float]]:
    """Run id → metric → its latest value."""
    query = select(*_COLUMNS).where(t.runs.c.domain == domain, t.runs.c.run_id.in_(set(run_ids)))
    found = loading.load(db, [runs.record(tuple(row)) for row in db.execute(query)])
    return {run.info.run_id: {metric.key: metric.value for metric in run.metrics} for run in found}
