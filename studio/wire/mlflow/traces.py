"""Plain traces, as `autolog` sends them."""

import json
from typing import Any

import msgspec
from starlette.responses import Response

from studio.errors import Invalid
from studio.tracking import limits, traces
from studio.tracking.records import Pair, Trace
from studio.wire.mlflow import bodies
from studio.wire.mlflow.endpoint import READ, WRITE, Call, Routes, read_all

routes = Routes()
MOST_SPANS = 8 << 20
_OTLP = ("application/x-protobuf", "application/json")


@routes.add("POST", "/mlflow/traces", WRITE, bodies.StartTrace, version=3)
async def start(call: Call, body: bodies.StartTrace) -> Any:
    """Keeps a trace."""
    info = (body.trace or {}).get("trace_info")
    if not isinstance(info, dict):
        raise Invalid("Missing value for required parameter 'trace.trace_info'.")
    made = await call.studio.store.write(lambda db: traces.start(db, call.domain, info))
    return {"trace": {"trace_info": _raw(made)}}


@routes.add("POST", "/mlflow/traces/search", READ, bodies.SearchTraces, version=3)
async def search(call: Call, body: bodies.SearchTraces) -> Any:
    """A page of traces, newest first; filters on traces are not understood yet, and refused."""
    limits.check_page_size(body.max_results, 500)
    if body.filter:
        raise Invalid("Filters on traces are not supported.", "Leave the filter out.")
    ids = [item.mlflow_experiment.experiment_id for item in body.locations if item.mlflow_experiment]
    found, token = await call.studio.store.read(
        lambda db: traces.search(db, call.domain, ids, body.max_results, body.page_token or None)
    )
    answer: dict[str, Any] = {"traces": [_raw(item) for item in found]} if found else {}
    return {**answer, **({"next_page_token": token} if token else {})}


@routes.add("GET", "/mlflow/traces/{trace_id}", READ, version=3)
async def get(call: Call) -> Any:
    """One trace."""
    found = await call.studio.store.read(lambda db: traces.get(db, call.domain, call.path["trace_id"]))
    return {"trace": {"trace_info": _raw(found)}}


async def _delete(call: Call, body: bodies.DeleteTraces) -> Any:
    """Deletes traces by id or by age."""
    count = await call.studio.store.write(
        lambda db: traces.remove(
            db,
            call.domain,
            body.experiment_id,
            before_ms=body.max_timestamp_millis,
            most=body.max_traces,
            trace_ids=body.request_ids,
        )
    )
    return {"traces_deleted": count}


async def _set_tag(call: Call, body: bodies.TraceTag) -> None:
    """A tag of a trace."""
    trace_id, tag = call.path["trace_id"], Pair(body.key, body.value)
    await call.studio.store.write(lambda db: traces.set_tag(db, call.domain, trace_id, tag))


async def _delete_tag(call: Call, body: bodies.TraceTag) -> None:
    """Takes a tag of a trace away."""
    trace_id, key = call.path["trace_id"], body.key
    await call.studio.store.write(lambda db: traces.delete_tag(db, call.domain, trace_id, key))


for _version in (2, 3):
    routes.add("POST", "/mlflow/traces/delete-traces", WRITE, bodies.DeleteTraces, _version)(_delete)
    routes.add("PATCH", "/mlflow/traces/{trace_id}/tags", WRITE, bodies.TraceTag, _version)(_set_tag)
    routes.add("DELETE", "/mlflow/traces/{trace_id}/tags", WRITE, bodies.TraceTag, _version)(_delete_tag)


@routes.add("POST", ":/v1/traces", WRITE)
async def export_spans(call: Call) -> Response:
    """Spans by OpenTelemetry's protocol; kept as they come. The answer is an empty ExportTraceServiceResponse."""
    kind = call.header("content-type").split(";")[0].strip()
    if kind not in _OTLP:
        raise Invalid(f"Invalid Content-Type: {kind}.", f"Expected: {' or '.join(_OTLP)}")
    experiment_id = call.header("x-mlflow-experiment-id")
    if not experiment_id:
        raise Invalid("The header x-mlflow-experiment-id is missing.")
    raw = await read_all(call.receive, MOST_SPANS)
    if not raw:
        raise Invalid("Invalid OpenTelemetry format - no spans found")
    if kind == _OTLP[1]:
        _check_json(raw)
    encoding = call.header("content-encoding")
    label = f"{kind}; encoding={encoding}" if encoding else kind
    await call.studio.store.write(lambda db: traces.keep_spans(db, call.domain, experiment_id, label[:80], raw))
    return Response(b"{}" if kind == _OTLP[1] else b"", 200, media_type=kind)


def _check_json(raw: bytes) -> None:
    try:
        json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise Invalid("Invalid OpenTelemetry format") from error


def _raw(trace: Trace) -> msgspec.Raw:
    return msgspec.Raw(trace.info.encode())
