"""Searching traces by what their clients said of them."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import JSON, ColumnElement, Connection, and_, cast, exists, func, or_, select, type_coerce
from sqlalchemy.types import Float

from studio.errors import Invalid
from studio.store.tables import tracking as t
from studio.store.tenancy import scope_query
from studio.tracking import conditions, experiments, filters, limits, pages, trace_infos, traces
from studio.tracking.filters import Comparison, Grammar
from studio.tracking.pages import Sort
from studio.tracking.records import Trace

_c = t.traces.c
_NAMES = frozenset({"name", "request_id", "trace_id", "status", "client_request_id", "run_id"})
_TIMES = frozenset({"timestamp_ms", "execution_time_ms", "end_time_ms"})
TRACES = Grammar(
    strings=_NAMES,
    numbers=_TIMES,
    lists=_NAMES,
    entities={
        **dict.fromkeys(("trace", "attr", "attribute", "attributes"), "attribute"),
        **dict.fromkeys(("tag", "tags"), "tag"),
        **dict.fromkeys(("metadata", "request_metadata"), "metadata"),
    },
    aliases={
        "timestamp": "timestamp_ms",
        "execution_time": "execution_time_ms",
        "end_time": "end_time_ms",
        "state": "status",
    },
    nulls=frozenset({"tag", "metadata"}),
    sorts=frozenset({"timestamp_ms"}),
)


def search(
    db: Connection,
    domain: str,
    experiment_ids: Sequence[str],
    *,
    filter_text: str = "",
    max_results: int = 100,
    order_by: Sequence[str] = (),
    page_token: str | None = None,
) -> tuple[list[Trace], str | None]:
    """A page of the traces of those experiments, newest first unless ordered, and the token of the next."""
    orders = [filters.parse_order(text, TRACES) for text in order_by]
    descending = orders[0][2] if orders else True
    sorts = [Sort(_c.request_ms, descending), Sort(_c.trace_id)]
    wanted = [_on_trace(db, part) for part in filters.parse(filter_text, TRACES).parts]
    mark = ["traces", domain, sorted(experiment_ids), filter_text, list(order_by)]
    numbers = experiments.numbers(db, domain, experiment_ids)
    query = scope_query(select(t.traces).where(_c.experiment.in_(numbers), *wanted), _c, domain)
    start_after = pages.decode(page_token, mark)
    if start_after is not None:
        query = query.where(pages.after(sorts, start_after))
    rows = db.execute(query.order_by(*pages.order(sorts)).limit(max_results + 1)).all()
    token = None
    if len(rows) > max_results:
        last = rows[max_results - 1]
        token = pages.encode(mark, [last.request_ms, last.trace_id])
    return [traces.record(row) for row in rows[:max_results]], token


def _on_trace(db: Connection, part: Comparison) -> ColumnElement[bool]:
    if part.entity in ("tag", "metadata"):
        # The key becomes part of a path into the JSON: plain ones only.
        limits.check_key(part.key, "filter")
        text = _text(db, "tags" if part.entity == "tag" else "trace_metadata", part.key)
        if part.op in filters.NULL_OPS:
            return text.is_(None) if part.op == "IS NULL" else text.is_not(None)
        return conditions.compare(text, part)
    if part.key == "run_id":
        return _of_run(db, part)
    if part.key in ("request_id", "trace_id"):
        return conditions.compare(_c.trace_id, part)
    if part.key == "timestamp_ms":
        return conditions.compare(_c.request_ms, part)
    if part.key in _TIMES:
        taken = cast(_without_unit(db), Float) * 1000
        return conditions.compare(taken if part.key == "execution_time_ms" else _c.request_ms + taken, part)
    if part.key == "status":
        return conditions.compare(_text(db, "state"), part)
    return conditions.compare(
        _text(db, "tags", trace_infos.NAME_TAG) if part.key == "name" else _text(db, part.key), part
    )


def _of_run(db: Connection, part: Comparison) -> ColumnElement[bool]:
    negated = part.op in ("!=", "NOT IN")
    if part.op not in ("=", "!=", "IN", "NOT IN"):
        raise Invalid(f"Invalid comparator '{part.op}' for run_id.", "Use =, !=, IN or NOT IN.")
    named = part.value if isinstance(part.value, tuple) else (str(part.value),)
    r = t.trace_runs.c
    linked = exists().where(and_(r.domain == _c.domain, r.trace_id == _c.trace_id, r.run_id.in_(named)))
    said = _text(db, "trace_metadata", trace_infos.RUN_KEY)
    either = or_(said.in_(named), linked)
    return or_(said.is_(None), said.not_in(named)) & ~linked if negated else either


def _text(db: Connection, *path: str) -> ColumnElement[Any]:
    info: Any = cast(_c.info, JSON) if db.dialect.name == "postgresql" else type_coerce(_c.info, JSON)
    found: ColumnElement[Any] = info[path].as_string()
    return found


def _without_unit(db: Connection) -> ColumnElement[Any]:
    return func.replace(_text(db, "execution_duration"), "s", "")
