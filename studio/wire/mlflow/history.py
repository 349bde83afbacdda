"""The values of metrics over time."""

from typing import Any

import msgspec
from sqlalchemy import Connection

from studio.errors import Invalid
from studio.tracking import history
from studio.wire.mlflow import answers, bodies
from studio.wire.mlflow.endpoint import READ, Call, Routes

routes = Routes()
MOST_RUNS = 100
MOST_VALUES = 25_000
MOST_SAMPLED = 2_500
_ENCODER = msgspec.json.Encoder()


@routes.add("GET", "/mlflow/metrics/get-history", READ, bodies.History)
async def get_history(call: Call, body: bodies.History) -> Any:
    """All values of a metric, or a page of them."""
    if body.max_results is not None and body.max_results <= 0:
        raise Invalid(
            f"Invalid value {body.max_results} for parameter 'max_results' supplied. It must be a positive integer."
        )
    run_id = body.run_id or body.run_uuid
    if body.max_results is None and not body.page_token:
        return await call.studio.store.read(lambda db: whole(db, call.domain, run_id, body.metric_key))
    found, token = await call.studio.store.read(
        lambda db: history.page(db, call.domain, run_id, body.metric_key, body.max_results, body.page_token or None)
    )
    return answers.page("metrics", [answers.metric(item) for item in found], token)


@routes.add("GET", "/mlflow/metrics/get-history-bulk", READ, bodies.HistoryBulk)
async def get_bulk(call: Call, body: bodies.HistoryBulk) -> Any:
    """All values of a metric of several runs."""
    _check_runs(body.run_id, "run_id")
    most = max(0, min(body.max_results, MOST_VALUES))
    found = await call.studio.store.read(lambda db: history.bulk(db, call.domain, body.run_id, body.metric_key, most))
    return {"metrics": [answers.metric(item, run_id) for run_id, item in found]}


@routes.add("GET", "/mlflow/metrics/get-history-bulk-interval", READ, bodies.HistoryInterval)
async def get_interval(call: Call, body: bodies.HistoryInterval) -> Any:
    """Values of a metric of several runs, thinned out evenly."""
    _check_runs(body.run_ids, "run_ids")
    if not 1 <= body.max_results <= MOST_SAMPLED:
        raise Invalid(f"max_results must be between 1 and {MOST_SAMPLED}.")
    if (body.start_step is None) != (body.end_step is None):
        raise Invalid("If either start step or end step are specified, both must be specified.")
    steps = None
    if body.start_step is not None and body.end_step is not None:
        steps = (body.start_step, body.end_step)
    found = await call.studio.store.read(
        lambda db: history.interval(db, call.domain, body.run_ids, body.metric_key, body.max_results, steps)
    )
    return answers.page("metrics", [answers.metric(item, run_id) for run_id, item in found], None)


def whole(db: Connection, domain: str, run_id: str, key: str) -> dict[str, msgspec.Raw]:
    """The answer with all values of a metric."""
    # Written down here, some values at a time: a hundred thousand at once would hold up all other requests.
    parts = [
        _ENCODER.encode([answers.point(key, ts, step, value, is_nan) for ts, step, value, is_nan in some])[1:-1]
        for some in history.chunks(db, domain, run_id, key)
    ]
    return {"metrics": msgspec.Raw(b"[" + b",".join(parts) + b"]")} if parts else {}


def _check_runs(run_ids: list[str], name: str) -> None:
    if not run_ids:
        raise Invalid(f"Missing value for required parameter '{name}'.", "Name at least one run.")
    if len(run_ids) > MOST_RUNS:
        raise Invalid(f"The request must specify at most {MOST_RUNS} run_ids. Received {len(run_ids)} run_ids.")
