"""Traces as clients before MLflow 3 start, end and read them."""

from typing import Any

import msgspec

from studio.errors import Invalid
from studio.tracking import limits, trace_infos, trace_search, traces
from studio.tracking.records import Trace
from studio.wire.mlflow import trace_bodies as bodies
from studio.wire.mlflow.endpoint import MORE, READ, WRITE, Call, Routes
from studio.wire.mlflow.runs import pairs
from studio.wire.mlflow.traces import MOST_TRACES

routes = Routes()


@routes.add("POST", "/mlflow/traces", WRITE, bodies.OldTrace)
async def start(call: Call, body: bodies.OldTrace) -> Any:
    """Starts a trace."""
    made = await call.studio.store.write(
        lambda db: traces.begin(
            db, call.domain, body.experiment_id, body.timestamp_ms, pairs(body.request_metadata), pairs(body.tags)
        )
    )
    return {"trace_info": _old(made)}


@routes.add("PATCH", "/mlflow/traces/{trace_id}", WRITE, bodies.OldTrace)
async def end(call: Call, body: bodies.OldTrace) -> Any:
    """Ends it."""
    state = "STATE_UNSPECIFIED" if body.status == "TRACE_STATUS_UNSPECIFIED" else body.status
    if state not in trace_infos.STATES:
        raise Invalid(f"Invalid value '{body.status}' for parameter 'status' supplied.", "Use OK or ERROR.")
    ended = await call.studio.store.write(
        lambda db: traces.end(
            db,
            call.domain,
            call.path["trace_id"],
            body.timestamp_ms,
            state,
            pairs(body.request_metadata),
            pairs(body.tags),
        )
    )
    return {"trace_info": _old(ended)}


@routes.add("GET", "/mlflow/traces/{trace_id}/info", READ)
async def get(call: Call) -> Any:
    """One trace."""
    found = await call.studio.store.read(lambda db: traces.get(db, call.domain, call.path["trace_id"]))
    return {"trace_info": _old(found)}


@routes.add("GET", "/mlflow/traces", READ, bodies.SearchOldTraces)
async def search(call: Call, body: bodies.SearchOldTraces) -> Any:
    """A page of traces, newest first."""
    limits.check_page_size(body.max_results, MOST_TRACES)
    if not body.experiment_ids:
        raise Invalid(f"Missing value for required parameter 'experiment_ids'.{MORE}")
    found, token = await call.studio.store.read(
        lambda db: trace_search.search(
            db,
            call.domain,
            body.experiment_ids,
            filter_text=body.filter,
            max_results=body.max_results,
            order_by=body.order_by,
            page_token=body.page_token or None,
        )
    )
    answer: dict[str, Any] = {"traces": [_old(item) for item in found]} if found else {}
    return {**answer, **({"next_page_token": token} if token else {})}


def _old(trace: Trace) -> dict[str, Any]:
    return trace_infos.old(msgspec.json.decode(trace.info))
