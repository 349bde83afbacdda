"""Filter trees compiled to SQL conditions with bound parameters."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, FromClause, bindparam, exists, or_

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
_RANK = {("attribute", "="): 0, ("param", "="): 1, ("tag", "="): 1}
_NO_ESCAPE = "\x01"  # PostgreSQL's LIKE has an escape character unless told otherwise, SQLite's has none


def shape(tree: And) -> tuple[Any, ...]:
    """All of `tree` that decides the text of its conditions; keys and values of what runs log are parameters."""
    return tuple(
        (
            part.entity,
            part.key if part.entity in ("attribute", "dataset") else "",
            part.op,
            len(part.value) if isinstance(part.value, tuple) else isinstance(part.value, float),
        )
        for part in tree.parts
    )


def values(db: Connection, tree: And) -> dict[str, Any]:
    """The parameters of `of_runs`."""
    found: dict[str, Any] = {}
    for n, part in enumerate(tree.parts):
        if part.entity == "metric":
            number = metrics.key_id(db, part.key)
            found[f"keyed_{n}"] = -1 if number is None else number
        elif part.entity in ("param", "tag"):
            found[f"keyed_{n}"] = part.key
        if isinstance(part.value, tuple):
            found |= {f"valued_{n}_{i}": item for i, item in enumerate(part.value)}
        elif part.value is not None:
            # A metric is compared as a number with a point: SQLite would else compare with whole ones digit by digit.
            found[f"valued_{n}"] = float(part.value) if part.entity == "metric" else part.value
    return found


def of_runs(
    tree: And, given: Mapping[str, Any], run: ColumnElement[Any] = t.runs.c.id, leave_out: Sequence[int] = ()
) -> list[ColumnElement[bool]]:
    """The conditions on the run with the number `run`, to be joined by AND; `given` are its `values`."""
    numbers = [n for n in range(len(tree.parts)) if n not in leave_out]
    # Databases ask in this order; what lets few runs through spares the rest.
    numbers.sort(key=lambda n: _RANK.get((tree.parts[n].entity, tree.parts[n].op), 2))
    return [_of_run(tree.parts[n], n, given, run) for n in numbers]


def compare(column: ColumnElement[Any], part: Comparison, value: Any = None) -> ColumnElement[bool]:
    """`column` compared as `part` says, with `value` where given; LIKE minds case, ILIKE does not."""
    value = part.value if value is None else value
    conditions: dict[str, Any] = {
        "=": lambda: column == value,
        "!=": lambda: column != value,
        "<": lambda: column < value,
        "<=": lambda: column <= value,
        ">": lambda: column > value,
        ">=": lambda: column >= value,
        "LIKE": lambda: column.like(value, escape=_NO_ESCAPE),
        "ILIKE": lambda: column.ilike(value, escape=_NO_ESCAPE),
        "IN": lambda: column.in_(value),
        "NOT IN": lambda: column.not_in(value),
    }
    made: ColumnElement[bool] = conditions[part.op]()
    return made


def bound(column: ColumnElement[Any], part: Comparison, n: int, given: Mapping[str, Any]) -> Any:
    """The parameter, or parameters, that stand for what the comparison number `n` compares `column` with."""
    if isinstance(part.value, tuple):
        return [bindparam(f"valued_{n}_{i}", item) for i, item in enumerate(part.value)]
    if part.value is None:
        return None
    return bindparam(f"valued_{n}", given[f"valued_{n}"], None if isinstance(part.value, float) else column.type)


def on_metric(latest: Any, part: Comparison, n: int, given: Mapping[str, Any]) -> ColumnElement[bool]:
    """Whether a row of latest values compares so; NaN differs from every number, and compares with none."""
    compared = compare(latest.value, part, bound(latest.value, part, n, given))
    return or_(compared, latest.is_nan) if part.op == "!=" else compared & latest.is_nan.is_(False)


def on_pairs(
    table: FromClause, match: ColumnElement[bool], part: Comparison, key: Any = None, value: Any = None
) -> ColumnElement[bool]:
    """Whether the rows of a (…, key, value) table that `match` has one of the key, with such a value."""
    same = match & (table.c.key == (part.key if key is None else key))
    if part.op == "IS NULL":
        return ~exists().where(same)
    if part.op == "IS NOT NULL":
        return exists().where(same)
    return exists().where(same, compare(table.c.value, part, value))


def _of_run(part: Comparison, n: int, given: Mapping[str, Any], run: ColumnElement[Any]) -> ColumnElement[bool]:
    if part.entity == "attribute":
        column = RUN_COLUMNS[part.key]
        return compare(column, part, bound(column, part, n, given))
    if part.entity == "dataset":
        return _on_dataset(part, n, given, run)
    key: Any = bindparam(f"keyed_{n}", given[f"keyed_{n}"])
    if part.entity == "metric":
        latest = t.latest_metrics.alias(f"metric_{n}").c
        return exists().where(latest.run == run, latest.key == key, on_metric(latest, part, n, given))
    table = (t.params if part.entity == "param" else t.tags).alias(f"pair_{n}")
    return on_pairs(table, table.c.run == run, part, key, bound(table.c.value, part, n, given))


def _on_dataset(part: Comparison, n: int, given: Mapping[str, Any], run: ColumnElement[Any]) -> ColumnElement[bool]:
    if part.key == "context":
        tags = t.input_tags.c
        same = (tags.run == run) & (tags.key == CONTEXT_TAG)
        return exists().where(same, compare(tags.value, part, bound(tags.value, part, n, given)))
    used, held = t.inputs, t.datasets
    column = held.c[part.key]
    return exists().where(
        used.c.run == run, held.c.id == used.c.dataset, compare(column, part, bound(column, part, n, given))
    )
