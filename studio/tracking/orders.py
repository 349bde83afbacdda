"""In which order runs come: terms of `order_by` as columns to sort by, and the tables that have those columns."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, FromClause, and_, bindparam, case

from studio.errors import Invalid
from studio.store.expressions import AsNumber
from studio.store.tables import tracking as t
from studio.tracking import conditions, filters, metrics
from studio.tracking.grammars import RUNS
from studio.tracking.pages import Sort

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
NEWEST: list[Term] = [("attribute", "start_time", True), ("attribute", "run_id", False)]


def parse(order_by: Sequence[str]) -> list[Term]:
    """The terms of MLflow's `order_by`, completed."""
    return complete([filters.parse_order(text, RUNS) for text in order_by])


def complete(terms: Sequence[Term]) -> list[Term]:
    """`terms` and what decides where they leave a choice: newest first, then by id."""
    seen = [(entity, key) for entity, key, _ in terms]
    if len(set(seen)) != len(seen):
        raise Invalid(f"`order_by` contains duplicate fields: {[f'{entity}.{key}' for entity, key in seen]}")
    return [*terms, *(end for end in NEWEST if end[:2] not in seen)]


def shape(terms: Sequence[Term]) -> tuple[Any, ...]:
    """All of `terms` that decides the text of their SQL."""
    return tuple((entity, key if entity == "attribute" else "", descending) for entity, key, descending in terms)


def width(terms: Sequence[Term]) -> int:
    """How many sort values a row has: two for a metric's last value (whether it is a number) and for a param as one."""
    return len(terms) + sum(entity in ("metric", "number") for entity, _, _ in terms)


def values(db: Connection, terms: Sequence[Term]) -> dict[str, Any]:
    """The parameters of `joined`."""
    found: dict[str, Any] = {}
    for n, (entity, key, _) in enumerate(terms):
        if entity in BOUNDS:
            number = metrics.key_id(db, key)
            found[f"by_{n}"] = -1 if number is None else number
        elif entity != "attribute":
            found[f"by_{n}"] = key
    return found


def joined(
    source: FromClause, terms: Sequence[Term], given: dict[str, Any], first: int = 0
) -> tuple[FromClause, list[Sort]]:
    """`source`, which has `runs`, with what the terms from number `first` sort by; and the columns they sort by."""
    sorts: list[Sort] = []
    for n, (entity, key, descending) in list(enumerate(terms))[first:]:
        if entity == "attribute":
            sorts.append(Sort(ATTRIBUTES[key], descending, nullable=key in ("end_time", "duration")))
            continue
        number: Any = bindparam(f"by_{n}", given[f"by_{n}"])
        if entity in BOUNDS:
            table = t.latest_metrics.alias(f"by{n}")
            column = table.c[BOUNDS[entity]]
            if entity == "metric":
                sorts.append(Sort(case((table.c.is_nan, 1), (table.c.value.is_(None), 2), else_=0)))
        else:
            table = (t.tags if entity == "tag" else t.params).alias(f"by{n}")
            column = table.c.value
            if entity == "number":
                # A param as people mean it, 9 before 10; texts, which are 0 as numbers, follow by themselves below.
                sorts.append(Sort(AsNumber(column), descending, nullable=True))
        source = source.outerjoin(table, and_(table.c.run == t.runs.c.id, table.c.key == number))
        sorts.append(Sort(column, descending, nullable=True))
    return source, sorts
