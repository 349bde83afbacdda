"""Plain traces, kept as the client describes them: enough for what `autolog` sends and `search_traces` reads back."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from studio.clock import now_ms
from studio.errors import Invalid, NotFound
from studio.store import signal
from studio.store.tables import tracking as t
from studio.tracking import experiments, limits, pages
from studio.tracking.pages import Sort
from studio.tracking.records import Pair, Trace

MAX_INFO = 1 << 20  # characters of JSON
LOCATION_TAG = "mlflow.artifactLocation"
_c = t.traces.c


def start(db: Connection, domain: str, info: dict[str, Any]) -> Trace:
    """Keeps a trace, in place of one with the same id; `info` is MLflow's TraceInfo (v3) as JSON."""
    trace_id = info.get("trace_id")
    location = info.get("trace_location") or {}
    experiment_id = str((location.get("mlflow_experiment") or {}).get("experiment_id") or "")
    if not isinstance(trace_id, str) or not 0 < len(trace_id) <= 80:
        raise Invalid("Missing value for required parameter 'trace_id'.")
    number = experiments.parse_id(experiment_id) or int(experiments.ensure_default(db, domain))
    experiment = experiments.check_active(experiments.find(db, domain, str(number)))
    # Clients put the spans there; MLflow's server adds the same tag.
    uri = f"{experiment.artifact_location.rstrip('/')}/traces/{trace_id}/artifacts"
    info = {**info, "tags": {**(info.get("tags") or {}), LOCATION_TAG: uri}}
    text = json.dumps(info)
    limits.check_length("The trace's info", MAX_INFO, text)
    db.execute(delete(t.traces).where(_c.domain == domain, _c.trace_id == trace_id))
    at = _epoch_ms(info.get("request_time"))
    db.execute(insert(t.traces).values(domain=domain, trace_id=trace_id, experiment=number, request_ms=at, info=text))
    signal(db, "experiments", domain, str(number))
    return Trace(trace_id, str(number), at, text)


def get(db: Connection, domain: str, trace_id: str) -> Trace:
    """A trace of this domain."""
    row = db.execute(select(t.traces).where(_c.domain == domain, _c.trace_id == trace_id)).first()
    if row is None:
        raise NotFound(f"Trace with ID '{trace_id}' not found.")
    return _record(row)


def search(
    db: Connection, domain: str, experiment_ids: Sequence[str], max_results: int, page_token: str | None
) -> tuple[list[Trace], str | None]:
    """A page of the traces of those experiments, newest first."""
    sorts = [Sort(_c.request_ms, True), Sort(_c.trace_id)]
    mark = ["traces", domain, sorted(experiment_ids)]
    query = select(t.traces).where(_c.experiment.in_(experiments.numbers(db, domain, experiment_ids)))
    start_after = pages.decode(page_token, mark)
    if start_after is not None:
        query = query.where(pages.after(sorts, start_after))
    rows = db.execute(query.order_by(*pages.order(sorts)).limit(max_results + 1)).all()
    token = None
    if len(rows) > max_results:
        last = rows[max_results - 1]
        token = pages.encode(mark, [last.request_ms, last.trace_id])
    return [_record(row) for row in rows[:max_results]], token


def remove(
    db: Connection,
    domain: str,
    experiment_id: str,
    *,
    before_ms: int | None = None,
    most: int | None = None,
    trace_ids: Sequence[str] = (),
) -> int:
    """Deletes traces by id or all that are not newer than `before_ms`; returns how many."""
    if bool(trace_ids) == (before_ms is not None):
        raise Invalid("Either max_timestamp_millis or request_ids must be given, and not both.")
    experiment = experiments.find(db, domain, experiment_id)
    query = select(_c.trace_id).where(_c.experiment == experiment.id)
    query = query.where(_c.trace_id.in_(trace_ids)) if trace_ids else query.where(_c.request_ms <= before_ms)
    found = list(db.execute(query.order_by(_c.request_ms).limit(most)).scalars())
    db.execute(delete(t.traces).where(_c.domain == domain, _c.trace_id.in_(found)))
    return len(found)


def set_tag(db: Connection, domain: str, trace_id: str, tag: Pair) -> None:
    """Sets a tag of a trace."""
    limits.check_key(tag.key, "key")
    _change_tags(db, domain, trace_id, {tag.key: limits.clean_tag(tag).value})


def delete_tag(db: Connection, domain: str, trace_id: str, key: str) -> None:
    """Deletes a tag; `NotFound` if there is none."""
    if key not in (json.loads(get(db, domain, trace_id).info).get("tags") or {}):
        raise NotFound(f"No tag with key {key} found for trace with ID {trace_id}")
    _change_tags(db, domain, trace_id, {key: None})


def keep_spans(db: Connection, domain: str, experiment_id: str, content_type: str, body: bytes) -> None:
    """Keeps an OTLP export as it came."""
    number = experiments.parse_id(experiment_id) or int(experiments.ensure_default(db, domain))
    experiments.check_active(experiments.find(db, domain, str(number)))
    row = {"experiment": number, "received_ms": now_ms(), "content_type": content_type, "body": body}
    db.execute(insert(t.span_batches).values(**row))


def _change_tags(db: Connection, domain: str, trace_id: str, changes: dict[str, str | None]) -> None:
    info = json.loads(get(db, domain, trace_id).info)
    tags = {**(info.get("tags") or {}), **changes}
    info["tags"] = {key: value for key, value in tags.items() if value is not None}
    keep = (_c.domain == domain) & (_c.trace_id == trace_id)
    db.execute(update(t.traces).where(keep).values(info=json.dumps(info)))


def _record(row: Row[Any]) -> Trace:
    return Trace(row.trace_id, str(row.experiment), row.request_ms, row.info)


def _epoch_ms(time: Any) -> int:
    """Protobuf's JSON form of a time, 2026-01-31T10:00:00.123Z."""
    if not isinstance(time, str):
        return now_ms()
    try:
        return int(datetime.fromisoformat(time).timestamp() * 1000)
    except ValueError as error:
        raise Invalid(f"Invalid value {time!r} for parameter 'request_time' supplied.") from error
