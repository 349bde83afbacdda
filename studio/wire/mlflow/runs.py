"""Runs: what training code sends all the time comes first, as routes are matched in order."""

from collections.abc import Sequence
from typing import Any

from msgspec import UNSET

from studio.tracking import batches, inputs, limits, loading, metrics, params, runs, searching, tags
from studio.tracking.records import Dataset, DatasetInput, Metric, ModelOutput, Pair
from studio.wire.mlflow import answers, bodies
from studio.wire.mlflow.endpoint import READ, WRITE, Call, Routes

routes = Routes()
_STATUSES = {1: "RUNNING", 2: "SCHEDULED", 3: "FINISHED", 4: "FAILED", 5: "KILLED"}
_VIEWS = {1: "ACTIVE_ONLY", 2: "DELETED_ONLY", 3: "ALL"}


def pairs(given: Sequence[bodies.Tag]) -> list[Pair]:
    """Tags or params of a request."""
    return [item.pair() for item in given]


def view(given: str | int) -> str:
    """A view type by name or by protobuf's number."""
    if isinstance(given, str) and given.isdigit():
        given = int(given)
    return _VIEWS.get(given, str(given)) if isinstance(given, int) else given


@routes.add("POST", "/mlflow/runs/log-metric", WRITE, bodies.LogMetric)
async def log_metric(call: Call, body: bodies.LogMetric) -> None:
    """One value."""
    run_id = body.run_id or body.run_uuid
    given = Metric(
        body.key,
        body.value if body.value is not None else 0.0,
        body.timestamp or 0,
        body.step,
        body.model_id,
        body.dataset_name,
        body.dataset_digest,
    )
    domain = call.domain
    await call.studio.store.write(lambda db: metrics.log(db, domain, run_id, (given,)))


@routes.add("POST", "/mlflow/runs/log-batch", WRITE, bodies.LogBatch)
async def log_batch(call: Call, body: bodies.LogBatch) -> None:
    """Metrics, params and tags at once."""
    new_params, new_tags = pairs(body.params), pairs(body.tags)
    await call.studio.store.write(
        lambda db: batches.log(db, call.domain, body.run_id, body.metrics, new_params, new_tags)
    )


@routes.add("POST", "/mlflow/runs/create", WRITE, bodies.CreateRun)
async def create_run(call: Call, body: bodies.CreateRun) -> Any:
    """A run that has begun."""
    made = await call.studio.store.write(
        lambda db: runs.create(
            db,
            call.domain,
            body.experiment_id,
            owner=call.principal.user,
            user_id=body.user_id,
            start_ms=body.start_time,
            name=body.run_name,
            given=pairs(body.tags),
        )
    )
    return {"run": answers.run(made, is_new=True)}


@routes.add("POST", "/mlflow/runs/search", READ, bodies.SearchRuns)
async def search_runs(call: Call, body: bodies.SearchRuns) -> Any:
    """A page of runs."""
    limits.check_page_size(body.max_results, searching.MAX_RESULTS)
    found = await call.studio.store.read(
        lambda db: searching.search(
            db,
            call.domain,
            body.experiment_ids,
            filter_text=body.filter,
            view=view(body.run_view_type),
            max_results=body.max_results,
            order_by=body.order_by,
            page_token=body.page_token or None,
        )
    )
    return answers.page("runs", [answers.run(item) for item in found.runs], found.token)


@routes.add("GET", "/mlflow/runs/get", READ, bodies.RunId)
async def get_run(call: Call, body: bodies.RunId) -> Any:
    """A run with its data."""
    run_id = body.run_id or body.run_uuid
    return {"run": answers.run(await call.studio.store.read(lambda db: loading.get(db, call.domain, run_id)))}


@routes.add("POST", "/mlflow/runs/update", WRITE, bodies.UpdateRun)
async def update_run(call: Call, body: bodies.UpdateRun) -> Any:
    """Status, end, name."""
    status = None if body.status is UNSET else body.status
    if isinstance(status, str) and status.isdigit():
        status = int(status)
    if isinstance(status, int):
        status = _STATUSES.get(status, str(status))
    info = await call.studio.store.write(
        lambda db: runs.change(
            db,
            call.domain,
            body.run_id or body.run_uuid,
            status=status,
            end_ms=None if body.end_time is UNSET else body.end_time,
            name=body.run_name,
        )
    )
    return {"run_info": answers.info(info)}


@routes.add("POST", "/mlflow/runs/log-parameter", WRITE, bodies.RunTag)
async def log_param(call: Call, body: bodies.RunTag) -> None:
    """One param."""
    run_id = body.run_id or body.run_uuid
    await call.studio.store.write(lambda db: params.log_one(db, call.domain, run_id, Pair(body.key, body.value)))


@routes.add("POST", "/mlflow/runs/set-tag", WRITE, bodies.RunTag)
async def set_tag(call: Call, body: bodies.RunTag) -> None:
    """One tag."""
    run_id = body.run_id or body.run_uuid
    await call.studio.store.write(lambda db: tags.set_all(db, call.domain, run_id, [Pair(body.key, body.value)]))


@routes.add("POST", "/mlflow/runs/delete-tag", WRITE, bodies.RunTag)
async def delete_tag(call: Call, body: bodies.RunTag) -> None:
    """Takes a tag away."""
    await call.studio.store.write(lambda db: tags.delete_one(db, call.domain, body.run_id, body.key))


@routes.add("POST", "/mlflow/runs/delete", WRITE, bodies.RunId)
async def delete_run(call: Call, body: bodies.RunId) -> None:
    """Marks it deleted."""
    await call.studio.store.write(lambda db: runs.remove(db, call.domain, body.run_id or body.run_uuid))


@routes.add("POST", "/mlflow/runs/restore", WRITE, bodies.RunId)
async def restore_run(call: Call, body: bodies.RunId) -> None:
    """Brings it back."""
    await call.studio.store.write(lambda db: runs.restore(db, call.domain, body.run_id or body.run_uuid))


@routes.add("POST", "/mlflow/runs/log-inputs", WRITE, bodies.LogInputs)
async def log_inputs(call: Call, body: bodies.LogInputs) -> None:
    """Data sets and models that it used."""
    given = [
        DatasetInput(
            Dataset(d.name, d.digest, d.source_type, d.source, d.schema, d.profile),
            pairs(item.tags),
        )
        for item in body.datasets
        for d in (item.dataset,)
    ]
    models = [item.model_id for item in body.models]
    await call.studio.store.write(lambda db: inputs.log_inputs(db, call.domain, body.run_id, given, models))


@routes.add("POST", "/mlflow/runs/outputs", WRITE, bodies.LogOutputs)
async def log_outputs(call: Call, body: bodies.LogOutputs) -> None:
    """Models that it made."""
    given = [ModelOutput(item.model_id, item.step) for item in body.models or ()]
    await call.studio.store.write(lambda db: inputs.log_outputs(db, call.domain, body.run_id, given))


@routes.add("POST", "/mlflow/runs/log-model", WRITE, bodies.LogModel)
async def log_model(call: Call, body: bodies.LogModel) -> None:
    """What clients before 3 send for a model: kept in a tag of the run."""
    await call.studio.store.write(lambda db: tags.add_model(db, call.domain, body.run_id, body.model_json))
