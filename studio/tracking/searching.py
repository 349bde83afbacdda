"""Searching runs, page after page."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, bindparam, exists, select

from studio.errors import Invalid
from studio.store.tables import tracking as t
from studio.store.tenancy import scope_query
from studio.tracking import conditions, experiments, filters, loading, orders, pages, plans, queries, runs
from studio.tracking.grammars import RUNS
from studio.tracking.orders import ATTRIBUTES, BOUNDS, Term, complete
from studio.tracking.pages import Sort
from studio.tracking.queries import Search
from studio.tracking.records import RunPage

__all__ = ["ATTRIBUTES", "BOUNDS", "MAX_RESULTS", "STAGES", "Term", "complete", "count", "phases", "search", "where"]

MAX_RESULTS = 50_000
STAGES = {"ACTIVE_ONLY": ("active",), "DELETED_ONLY": ("deleted",), "ALL": ("active", "deleted")}
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
    wanted = _search(db, domain, experiment_ids, filter_text, view, orders.parse(order_by))
    mark = [domain, sorted(experiment_ids), filter_text, view, list(order_by)]
    after = pages.decode(page_token, mark, orders.width(wanted.terms))
    found = plans.first(db, wanted, after, max_results + 1)
    token = pages.encode(mark, found[max_results - 1][1:]) if len(found) > max_results else None
    return RunPage(loading.by_number(db, [row[0] for row in found[:max_results]]), token)


def count(db: Connection, domain: str, experiment_ids: Sequence[str], filter_text: str, view: str) -> int:
    """How many runs match."""
    wanted = _search(db, domain, experiment_ids, filter_text, view, orders.NEWEST)
    return queries.counted(db, wanted) if wanted.experiments else 0


def where(
    db: Connection, domain: str, experiment_ids: Sequence[str], filter_text: str, view: str
) -> list[ColumnElement[bool]]:
    """The conditions on `runs` that a search makes."""
    wanted = _search(db, domain, experiment_ids, filter_text, view, orders.NEWEST)
    return [
        _one_of(t.runs.c.experiment, wanted.experiments),
        _one_of(t.runs.c.stage, wanted.stages),
        *conditions.of_runs(wanted.tree, wanted.given),
    ]


def phases(
    db: Connection, domain: str, experiment_ids: Sequence[str], terms: Sequence[Term]
) -> list[tuple[int, Select[Any], list[Sort]]]:
    """The queries whose rows, one after the other, are all runs in order: with a metric first, those with it, with NaN,
    without. Each gives all columns of a run and has no conditions yet."""
    given = orders.values(db, terms)
    if terms[0][0] != "metric":
        source, sorts = orders.joined(t.runs, terms, given)
        return [(0, select(*_COLUMNS).select_from(source), sorts)]
    rest, more = orders.joined(t.runs, terms, given, 1)
    latest = t.latest_metrics.alias("ordered")
    # Named, since a filter's conditions, which are added to these, have the names that SQLAlchemy would give.
    key: Any = bindparam("by_0", given["by_0"])
    own = and_(_one_of(latest.c.experiment, experiments.numbers(db, domain, experiment_ids)), latest.c.key == key)
    source, _ = orders.joined(latest.join(t.runs, t.runs.c.id == latest.c.run), terms, given, 1)
    query = select(*_COLUMNS).select_from(source).where(own)
    without = ~exists().where(latest.c.run == t.runs.c.id, latest.c.key == key)
    return [
        (0, query.where(latest.c.is_nan.is_(False)), [Sort(latest.c.value, terms[0][2]), *more]),
        (1, query.where(latest.c.is_nan.is_(True)), more),
        (2, select(*_COLUMNS).select_from(rest).where(without), more),
    ]


def latest_of(db: Connection, domain: str, run_ids: Sequence[str]) -> dict[str, dict[str, float]]:
    """Run id → metric → its latest value."""
    query = scope_query(select(t.runs.c.id).where(t.runs.c.run_id.in_(set(run_ids))), t.runs, domain)
    found = loading.by_number(db, list(db.execute(query).scalars()))
    return {run.info.run_id: {metric.key: metric.value for metric in run.metrics} for run in found}


def _search(
    db: Connection,
    domain: str,
    experiment_ids: Sequence[str],
    filter_text: str,
    view: str,
    terms: Sequence[Term],
) -> Search:
    if view not in STAGES:
        raise Invalid(f"Invalid view type '{view}'", f"Use one of {sorted(STAGES)}.")
    tree = filters.parse(filter_text, RUNS)
    return queries.make(db, experiments.numbers(db, domain, experiment_ids), STAGES[view], tree, terms)


def _one_of(column: ColumnElement[Any], values: Sequence[Any]) -> ColumnElement[bool]:
    # With "=" SQLite can take the order from the index, with IN it sorts.
    return column == values[0] if len(values) == 1 else column.in_(values)
