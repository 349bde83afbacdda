"""Filter trees compiled to SQL conditions with bound parameters."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, exists, false, or_

from studio.errors import Invalid
from studio.store.tables import tracking as t
from studio.tracking import metrics
from studio.tracking.filters import And, Comparison

CONTEXT_TAG = "mlflow.data.context"
RUN_COLUMNS: Mapping[str, ColumnElement[Any]] = {
    "run_id": t.runs.c.run_id,
    "run_name": t.runs.c.name,
    "status": t.runs.c.status,
    "artifact_uri": t.runs.c.artifact_uri,
    "user_id": t.runs.c.user_id,
    "start_time": t.runs.c.start_ms,
    "end_time": t.runs.c.end_ms,
}


def of_runs(db: Connection, tree: And) -> list[ColumnElement[bool]]:
    """The conditions on `runs`, to be joined by AND."""
    return [_of_run(db, part) for part in tree.parts]


def compare(column: ColumnElement[Any], part: Comparison) -> ColumnElement[bool]:
    """`column` compared as `part` says; LIKE minds case, ILIKE does not."""
    value: Any = part.value
    conditions: dict[str, Any] = {
        "=": lambda: column == value,
        "!=": lambda: column != value,
        "<": lambda: column < value,
        "<=": lambda: column <= value,
        ">": lambda: column > value,
        ">=": lambda: column >= value,
        "LIKE": lambda: column.like(str(value)),
        "ILIKE": lambda: column.ilike(str(value)),
        "IN": lambda: column.in_(value),
        "NOT IN": lambda: column.not_in(value),
    }
    made: ColumnElement[bool] = conditions[part.op]()
    return made


def on_pairs(table: Table, match: ColumnElement[bool], part: Comparison) -> ColumnElement[bool]:
    """Whether the rows of a (…, key, value) table that `match` has one of the key, with such a value."""
    same = match & (table.c.key == part.key)
    if part.op == "IS NULL":
        return ~exists().where(same)
    if part.op == "IS NOT NULL":
        return exists().where(same)
    return exists().where(same, compare(table.c.value, part))


def _of_run(db: Connection, part: Comparison) -> ColumnElement[bool]:
    if part.entity == "attribute":
        return compare(RUN_COLUMNS[part.key], part)
    if part.entity == "metric":
        return _on_metric(db, part)
    if part.entity == "param":
        return on_pairs(t.params, t.params.c.run == t.runs.c.id, part)
    if part.entity == "tag":
        return on_pairs(t.tags, t.tags.c.run == t.runs.c.id, part)
    if part.entity == "dataset":
        return _on_dataset(part)
    raise Invalid(f"Invalid search expression type '{part.entity}'")


def _on_metric(db: Connection, part: Comparison) -> ColumnElement[bool]:
    key = metrics.key_id(db, part.key)
    if key is None:
        return false()
    latest = t.latest_metrics.alias()
    compared: ColumnElement[bool] = compare(latest.c.value, part) & latest.c.is_nan.is_(False)
    if part.op == "!=":
        compared = or_(compared, latest.c.is_nan)  # NaN differs from every number; else it compares with none
    return exists().where(latest.c.run == t.runs.c.id, latest.c.key == key, compared)


def _on_dataset(part: Comparison) -> ColumnElement[bool]:
    if part.key == "context":
        tags = t.input_tags
        return exists().where(tags.c.run == t.runs.c.id, tags.c.key == CONTEXT_TAG, compare(tags.c.value, part))
    used, held = t.inputs, t.datasets
    return exists().where(used.c.run == t.runs.c.id, held.c.id == used.c.dataset, compare(held.c[part.key], part))
