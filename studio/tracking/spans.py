"""The spans of traces, one by one as they end, by OpenTelemetry's protocol."""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, select

from studio.errors import Invalid
from studio.store.prepared import Insert, Prepared
from studio.store.tables import tracking as t
from studio.store.tenancy import scope_query
from studio.tracking import experiments, limits, otlp, trace_infos, traces
from studio.tracking.records import Trace

MAX_SPAN = 1 << 20  # characters of JSON
ID_ATTRIBUTE = "mlflow.traceRequestId"
_ROW = ("domain", "trace_id", "span_id", "start_ns", "span")
_c = t.spans.c


def _upsert(insert: Insert) -> Any:
    statement = insert(t.spans).values({name: bindparam(name) for name in _ROW})
    changes = {name: statement.excluded[name] for name in ("start_ns", "span")}
    return statement.on_conflict_do_update(index_elements=["domain", "trace_id", "span_id"], set_=changes)


_PUT = Prepared(_upsert, _ROW)


def keep(db: Connection, domain: str, experiment_id: str, given: Sequence[Mapping[str, Any]]) -> list[str]:
    """Keeps spans (see `otlp`); a trace that is not known yet begins with them. The ids of the traces."""
    number = experiments.parse_id(experiment_id) or int(experiments.ensure_default(db, domain))
    experiments.check_active(experiments.find(db, domain, str(number)))
    rows, by_trace = [], defaultdict(list)
    for span in given:
        trace_id, span_id = trace_of(span), otlp.hexadecimal(span.get("span_id", ""))
        start = span.get("start_time_unix_nano", 0)
        if not 0 < len(span_id) <= 32 or not 0 < len(trace_id) <= 80 or start >= limits.INT64:
            raise Invalid("A span needs a trace_id, a span_id and a time.")
        text = limits.check_length("A span", MAX_SPAN, json.dumps(span, allow_nan=False))
        rows.append((domain, trace_id, span_id, start, text))
        by_trace[trace_id].append(span)
    for trace_id, spans in by_trace.items():
        _tell(db, domain, experiment_id, trace_id, spans)
    _PUT.many(db, rows)
    return list(by_trace)


def of_traces(db: Connection, domain: str, found: Sequence[Trace]) -> dict[str, list[str]]:
    """Trace → its spans as JSON, by time."""
    kept: dict[str, list[str]] = {trace.trace_id: [] for trace in found}
    query = scope_query(select(_c.trace_id, _c.span).where(_c.trace_id.in_(kept)), _c, domain)
    for trace_id, span in db.execute(query.order_by(_c.start_ns, _c.span_id)):
        kept[trace_id].append(span)
    return kept


def trace_of(span: Mapping[str, Any]) -> str:
    """The id of the trace that a span belongs to, as MLflow's client says or writes it."""
    for attribute in span.get("attributes", ()):
        if attribute.get("key") == ID_ATTRIBUTE:
            said = attribute.get("value", {}).get("string_value", "")
            # Older clients put JSON into the text.
            return str(said).strip('"')
    return "tr-" + otlp.hexadecimal(span.get("trace_id", ""))


def _tell(db: Connection, domain: str, experiment_id: str, trace_id: str, spans: Sequence[Mapping[str, Any]]) -> None:
    """Writes what the spans say about their trace, unless the client has told it whole."""
    begun = min(span.get("start_time_unix_nano", 0) for span in spans) // 1_000_000
    known = traces.get_many(db, domain, [trace_id])
    info = json.loads(known[0].info) if known else trace_infos.new(trace_id, experiment_id, begun)
    info["tags"] = {**(info.get("tags") or {}), trace_infos.SPANS_TAG: trace_infos.KEPT_HERE}
    if trace_infos.FINAL_KEY not in info["trace_metadata"]:
        info["trace_metadata"].setdefault(trace_infos.SCHEMA_KEY, "3")
        begun = min(begun, trace_infos.epoch_ms(info["request_time"]))
        info["request_time"] = trace_infos.iso(begun)
        for root in spans:
            if not root.get("parent_span_id"):
                ended = root.get("end_time_unix_nano", 0) // 1_000_000
                failed = root.get("status", {}).get("code") == "STATUS_CODE_ERROR"
                info["state"] = "ERROR" if failed else "OK" if ended else "IN_PROGRESS"
                info["execution_duration"] = trace_infos.duration(max(0, ended - begun))
                info["tags"].setdefault(trace_infos.NAME_TAG, root.get("name", ""))
    traces.put(db, domain, info)
