"""Plain traces, as `autolog` sends them, and spans by OpenTelemetry's protocol."""

import asyncio
import zlib
from typing import Any

import msgspec
from starlette.responses import Response

from studio.errors import Invalid, TooLarge
from studio.tracking import limits, otlp, spans, trace_search, traces
from studio.tracking.records import Pair, Trace
from studio.wire.mlflow import trace_bodies as bodies
from studio.wire.mlflow.endpoint import MORE, READ, WRITE, Call, Routes, read_all

routes = Routes()
MOST_SPANS = 8 << 20  # bytes, unpacked
MOST_TRACES = 500
_OTLP = {"application/x-protobuf": otlp.spans_of_protobuf, "application/json": otlp.spans_of_json}
_ZIPPED = {"gzip": 31, "deflate": 47}  # zlib's window bits


@routes.add("POST", "/mlflow/traces", WRITE, bodies.StartTrace, version=3)
async def start(call: Call, body: bodies.StartTrace) -> Any:
    """Keeps a trace."""
    info = (body.trace or {}).get("trace_info")
    if not isinstance(info, dict):
        raise Invalid("Missing value for required parameter 'trace.trace_info'.")
    made = await call.studio.store.write(lambda db: traces.start(db, call.domain, info))
    return {"trace": {"trace_info": raw(made)}}


@routes.add("POST", "/mlflow/traces/search", READ, bodies.SearchTraces, version=3)
async def search(call: Call, body: bodies.SearchTraces) -> Any:
    """A page of traces, newest first."""
    if not body.locations:
        raise Invalid(f"Missing value for required parameter 'locations'.{MORE}")
    limits.check_page_size(body.max_results, MOST_TRACES)
    ids = [item.mlflow_experiment.experiment_id for item in body.locations if item.mlflow_experiment]
    found, token = await call.studio.store.read(
        lambda db: trace_search.search(
            db,
            call.domain,
            ids,
            filter_text=body.filter,
            max_results=body.max_results,
            order_by=body.order_by,
            page_token=body.page_token or None,
        )
    )
    answer: dict[str, Any] = {"traces": [raw(item) for item in found]} if found else {}
    return {**answer, **({"next_page_token": token} if token else {})}


@routes.add("GET", "/mlflow/traces/get", READ, bodies.GetTrace, version=3)
async def get_whole(call: Call, body: bodies.GetTrace) -> Any:
    """One trace with its spans."""
    found = await call.studio.store.read(lambda db: _with_spans(db, call, [traces.get(db, call.domain, body.trace_id)]))
    return {"trace": found[0]}


@routes.add("GET", "/mlflow/traces/batchGet", READ, bodies.TraceIds, version=3)
async def get_many(call: Call, body: bodies.TraceIds) -> Any:
    """Several traces with their spans; those that are not there are passed over."""
    ids = _checked(body)
    found = await call.studio.store.read(lambda db: _with_spans(db, call, traces.get_many(db, call.domain, ids)))
    return {"traces": found} if found else {}


@routes.add("POST", "/mlflow/traces/batchGetInfos", READ, bodies.TraceIds, version=3)
async def get_infos(call: Call, body: bodies.TraceIds) -> Any:
    """Several traces without their spans."""
    ids = _checked(body)
    found = await call.studio.store.read(lambda db: traces.get_many(db, call.domain, ids))
    return {"trace_infos": [raw(item) for item in found]} if found else {}


@routes.add("POST", "/mlflow/traces/link-to-run", WRITE, bodies.LinkTraces)
async def link_to_run(call: Call, body: bodies.LinkTraces) -> None:
    """Says that traces belong to a run."""
    ids = _checked(body)
    await call.studio.store.write(lambda db: traces.link(db, call.domain, ids, body.run_id))


@routes.add("GET", "/mlflow/traces/{trace_id}", READ, version=3)
async def get(call: Call) -> Any:
    """One trace."""
    found = await call.studio.store.read(lambda db: traces.get(db, call.domain, call.path["trace_id"]))
    return {"trace": {"trace_info": raw(found)}}


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
    """Spans by OpenTelemetry's protocol. The answer is an empty ExportTraceServiceResponse."""
    kind = call.header("content-type").split(";")[0].strip()
    if kind not in _OTLP:
        raise Invalid(f"Invalid Content-Type: {kind}.", f"Expected: {' or '.join(_OTLP)}")
    experiment_id = call.header("x-mlflow-experiment-id")
    if not experiment_id:
        raise Invalid("The header x-mlflow-experiment-id is missing.")
    run_id = call.header("x-mlflow-run-id")
    packed = await read_all(call.receive, MOST_SPANS)
    given = await asyncio.to_thread(_unpacked, packed, call.header("content-encoding").lower(), kind)

    def write(db: Any) -> None:
        kept = spans.keep(db, call.domain, experiment_id, given)
        if run_id:
            traces.link(db, call.domain, kept, run_id)

    await call.studio.store.write(write)
    return Response(b"{}" if kind == "application/json" else b"", 200, media_type=kind)


def raw(trace: Trace) -> msgspec.Raw:
    """A trace's info, which is kept as it is told."""
    return msgspec.Raw(trace.info.encode())


def _unpacked(packed: bytes, encoding: str, kind: str) -> list[dict[str, Any]]:
    if not encoding:
        return _OTLP[kind](packed)
    if encoding not in _ZIPPED:
        raise Invalid(f"Unsupported Content-Encoding: {encoding}.", f"Use one of {sorted(_ZIPPED)}, or none.")
    reader = zlib.decompressobj(_ZIPPED[encoding])
    try:
        whole = reader.decompress(packed, MOST_SPANS)
    except zlib.error as error:
        raise Invalid(f"Failed to decompress {encoding} payload.") from error
    if not reader.eof and not reader.unconsumed_tail:
        raise Invalid(f"Failed to decompress {encoding} payload: it is cut off.")
    if reader.unconsumed_tail:
        raise TooLarge(f"The spans are larger than {MOST_SPANS >> 20} MiB.", "Send them in parts.")
    return _OTLP[kind](whole)


def _with_spans(db: Any, call: Call, found: list[Trace]) -> list[dict[str, Any]]:
    kept = spans.of_traces(db, call.domain, found)
    whole: list[dict[str, Any]] = []
    for trace in found:
        parts = [msgspec.Raw(span.encode()) for span in kept[trace.trace_id]]
        whole.append({"trace_info": raw(trace), **({"spans": parts} if parts else {})})
    return whole


def _checked(body: bodies.TraceIds | bodies.LinkTraces) -> list[str]:
    if not body.trace_ids:
        raise Invalid(f"Missing value for required parameter 'trace_ids'.{MORE}")
    if len(body.trace_ids) > MOST_TRACES:
        raise Invalid(f"At most {MOST_TRACES} traces can be asked for at once, not {len(body.trace_ids)}.")
    return body.trace_ids
