"""Plain traces, kept as the client describes them: what `autolog` sends and `search_traces` reads back."""

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, insert, select, update

from studio.clock import now_ms
from studio.errors import Invalid, NotFound
from studio.ids import hex32
from studio.store import signal
from studio.store.prepared import Prepared
from studio.store.tables import tracking as t
from studio.store.tenancy import FOUND, scope_query
from studio.tracking import experiments, limits, runs, trace_infos
from studio.tracking.records import Pair, Trace

MAX_INFO = 1 << 20  # characters of JSON
MOST_LINKS = 100
_SET_BY_STUDIO = (trace_infos.SPANS_TAG, "mlflow.trace.archiveLocation", "mlflow.trace.archivalFailure")
_c = t.traces.c
_LINK = ("domain", "trace_id", "run_id")


_INSERT_LINK = Prepared(
    lambda insert: insert(t.trace_runs).values({name: bindparam(name) for name in _LINK}).on_conflict_do_nothing(),
    _LINK,
)


def start(db: Connection, domain: str, info: dict[str, Any]) -> Trace:
    """Keeps a trace that the client tells whole; what spans or tags of it came before stay."""
    trace_id = info.get("trace_id")
    if not isinstance(trace_id, str) or not 0 < len(trace_id) <= 80:
        raise Invalid("Missing value for required parameter 'trace_id'.")
    known = _find(db, domain, trace_id)
    before = json.loads(known.info) if known is not None else {}
    told = dict(info)
    if told.get("state", "OK") not in trace_infos.STATES:
        raise Invalid(f"Invalid value {told['state']!r} for parameter 'state' supplied.")
    trace_infos.duration_ms(told.get("execution_duration"))
    told.setdefault("request_time", trace_infos.iso(now_ms()))
    for name in ("tags", "trace_metadata"):
        told[name] = {**before.get(name, {}), **trace_infos.texts(told.get(name), name)}
    if told["tags"].get(trace_infos.SPANS_TAG) != before.get("tags", {}).get(trace_infos.SPANS_TAG):
        del told["tags"][trace_infos.SPANS_TAG]
    told["trace_metadata"][trace_infos.FINAL_KEY] = "true"
    return put(db, domain, told)


def put(db: Connection, domain: str, info: dict[str, Any]) -> Trace:
    """Keeps an info in place of what was known of the trace."""
    trace_id = info["trace_id"]
    experiment_id = trace_infos.experiment_of(info)
    number = experiments.parse_id(experiment_id) or int(experiments.ensure_default(db, domain))
    experiment = experiments.check_active(experiments.find(db, domain, str(number)))
    # Clients put files there; MLflow's server adds the same tag.
    place = f"{experiment.artifact_location.rstrip('/')}/traces/{trace_id}/artifacts"
    where = {"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": str(number)}}
    info = {**info, "trace_location": where, "tags": {**info["tags"], trace_infos.LOCATION_TAG: place}}
    text = limits.check_length("The trace's info", MAX_INFO, json.dumps(info))
    at = trace_infos.epoch_ms(info["request_time"])
    db.execute(scope_query(delete(t.traces).where(_c.trace_id == trace_id), _c, domain))
    db.execute(insert(t.traces).values(domain=domain, trace_id=trace_id, experiment=number, request_ms=at, info=text))
    signal(db, "experiments", domain, str(number))
    return Trace(trace_id, str(number), at, text)


def begin(
    db: Connection, domain: str, experiment_id: str, start_ms: int, metadata: Sequence[Pair], tags: Sequence[Pair]
) -> Trace:
    """Starts a trace as clients before MLflow 3 do; `end` ends it."""
    info = trace_infos.new(hex32(), experiment_id, start_ms)
    info["trace_metadata"] = {pair.key: pair.value for pair in metadata}
    info["tags"] = {pair.key: pair.value for pair in tags}
    return put(db, domain, info)


def end(
    db: Connection,
    domain: str,
    trace_id: str,
    end_ms: int,
    state: str,
    metadata: Sequence[Pair],
    tags: Sequence[Pair],
) -> Trace:
    """Ends a trace that `begin` has started; tags and metadata are added."""
    known = get(db, domain, trace_id)
    info = json.loads(known.info)
    info["execution_duration"] = trace_infos.duration(end_ms - known.request_ms)
    info["state"] = state
    info.setdefault("trace_metadata", {}).update({pair.key: pair.value for pair in metadata})
    info.setdefault("tags", {}).update({pair.key: pair.value for pair in tags})
    return put(db, domain, info)


def get(db: Connection, domain: str, trace_id: str) -> Trace:
    """A trace of this domain."""
    row = _find(db, domain, trace_id)
    if row is None:
        raise NotFound(f"Trace with ID '{trace_id}' not found.")
    return record(row)


def get_many(db: Connection, domain: str, trace_ids: Sequence[str]) -> list[Trace]:
    """Those of `trace_ids` that are this domain's, in their order."""
    query = scope_query(select(t.traces).where(_c.trace_id.in_(trace_ids)), _c, domain)
    found = {row.trace_id: record(row) for row in db.execute(query)}
    return [found[trace_id] for trace_id in dict.fromkeys(trace_ids) if trace_id in found]


def remove(
    db: Connection,
    domain: str,
    experiment_id: str,
    *,
    before_ms: int | None = None,
    most: int | None = None,
    trace_ids: Sequence[str] = (),
) -> int:
    """Deletes traces by id or the oldest that are not newer than `before_ms`; returns how many."""
    if before_ms is None and not trace_ids:
        raise Invalid("Either `max_timestamp_millis` or `trace_ids` must be specified.")
    if before_ms is not None and trace_ids:
        raise Invalid("Only one of `max_timestamp_millis` and `trace_ids` can be specified.")
    if trace_ids and most is not None:
        raise Invalid("`max_traces` can't be specified if `trace_ids` is specified.")
    if most is not None and most <= 0:
        raise Invalid(f"`max_traces` must be a positive integer, received {most}.")
    query = scope_query(
        select(_c.trace_id).where(_c.experiment.in_(experiments.numbers(db, domain, [experiment_id]))), _c, FOUND
    )
    query = query.where(_c.trace_id.in_(trace_ids)) if trace_ids else query.where(_c.request_ms <= before_ms)
    found = list(db.execute(query.order_by(_c.request_ms, _c.trace_id).limit(most)).scalars())
    for table in (t.traces, t.spans, t.trace_runs):
        db.execute(scope_query(delete(table).where(table.c.trace_id.in_(found)), table, domain))
    return len(found)


def link(db: Connection, domain: str, trace_ids: Sequence[str], run_id: str) -> None:
    """Says that traces belong to a run; those that are not there are passed over, as in MLflow."""
    if len(trace_ids) > MOST_LINKS:
        raise Invalid(
            f"Cannot link more than {MOST_LINKS} traces to a run in a single request. Provided {len(trace_ids)} traces."
        )
    runs.info(db, domain, run_id)
    _INSERT_LINK.many(db, [(domain, item.trace_id, run_id) for item in get_many(db, domain, trace_ids)])


def set_tag(db: Connection, domain: str, trace_id: str, tag: Pair) -> None:
    """Sets a tag of a trace."""
    limits.check_key(tag.key, "key")
    _change_tags(db, domain, trace_id, {tag.key: limits.clean_tag(tag).value}, "set")


def delete_tag(db: Connection, domain: str, trace_id: str, key: str) -> None:
    """Deletes a tag; `NotFound` if there is none."""
    if key not in (json.loads(get(db, domain, trace_id).info).get("tags") or {}):
        raise NotFound(f"No trace tag with key '{key}' for trace with ID '{trace_id}'")
    _change_tags(db, domain, trace_id, {key: None}, "deleted")


def record(row: Row[Any]) -> Trace:
    """The record of a row."""
    return Trace(row.trace_id, str(row.experiment), row.request_ms, row.info)


def _find(db: Connection, domain: str, trace_id: str) -> Row[Any] | None:
    return db.execute(scope_query(select(t.traces).where(_c.trace_id == trace_id), _c, domain)).first()


def _change_tags(db: Connection, domain: str, trace_id: str, changes: dict[str, str | None], how: str) -> None:
    for key in changes:
        if key in _SET_BY_STUDIO:
            raise Invalid(f"Tag '{key}' is immutable and cannot be {how} on a trace.")
    info = json.loads(get(db, domain, trace_id).info)
    tags = {**(info.get("tags") or {}), **changes}
    info["tags"] = {key: value for key, value in tags.items() if value is not None}
    text = limits.check_length("The trace's info", MAX_INFO, json.dumps(info))
    db.execute(scope_query(update(t.traces).where(_c.trace_id == trace_id).values(info=text), _c, domain))
