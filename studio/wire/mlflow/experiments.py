"""Experiments."""

from typing import Any

from studio.errors import Invalid
from studio.tracking import experiments, limits, listing
from studio.tracking.records import Pair
from studio.wire.mlflow import answers, bodies
from studio.wire.mlflow.endpoint import READ, WRITE, Call, Routes
from studio.wire.mlflow.runs import pairs, view

routes = Routes()
MOST = 50_000


async def with_default(call: Call) -> None:
    """Makes the domain's default experiment at its first use, which may be a read."""
    store, domain = call.studio.store, call.domain
    if not await store.read(lambda db: experiments.has_default(db, domain)):
        await store.write(lambda db: experiments.ensure_default(db, domain))


@routes.add("GET", "/mlflow/experiments/get-by-name", READ, bodies.ExperimentName)
async def get_by_name(call: Call, body: bodies.ExperimentName) -> Any:
    """One experiment by name."""
    if body.experiment_name == experiments.DEFAULT_NAME:
        await with_default(call)
    found = await call.studio.store.read(lambda db: experiments.by_name(db, call.domain, body.experiment_name))
    return {"experiment": answers.experiment(found, call.domain)}


@routes.add("GET", "/mlflow/experiments/get", READ, bodies.ExperimentId)
async def get_experiment(call: Call, body: bodies.ExperimentId) -> Any:
    """One experiment; "0" is the domain's default."""
    if body.experiment_id == "0":
        await with_default(call)
    found = await call.studio.store.read(lambda db: experiments.get(db, call.domain, body.experiment_id))
    return {"experiment": answers.experiment(found, call.domain)}


@routes.add("POST", "/mlflow/experiments/create", WRITE, bodies.CreateExperiment)
async def create_experiment(call: Call, body: bodies.CreateExperiment) -> Any:
    """A new experiment."""
    made = await call.studio.store.write(
        lambda db: experiments.create(db, call.domain, body.name, body.artifact_location or None, pairs(body.tags))
    )
    return {"experiment_id": made}


@routes.add("POST,GET", "/mlflow/experiments/search", READ, bodies.SearchExperiments)
async def search_experiments(call: Call, body: bodies.SearchExperiments) -> Any:
    """A page of experiments."""
    limits.check_page_size(body.max_results, MOST)
    await with_default(call)
    found, token = await call.studio.store.read(
        lambda db: listing.search_experiments(
            db,
            call.domain,
            filter_text=body.filter,
            view=view(body.view_type),
            max_results=body.max_results,
            order_by=body.order_by,
            page_token=body.page_token or None,
        )
    )
    return answers.page("experiments", [answers.experiment(item, call.domain) for item in found], token)


@routes.add("POST", "/mlflow/experiments/update", WRITE, bodies.UpdateExperiment)
async def update_experiment(call: Call, body: bodies.UpdateExperiment) -> None:
    """Another name."""
    await call.studio.store.write(lambda db: experiments.rename(db, call.domain, body.experiment_id, body.new_name))


@routes.add("POST", "/mlflow/experiments/delete", WRITE, bodies.ExperimentId)
async def delete_experiment(call: Call, body: bodies.ExperimentId) -> None:
    """Marks it and its runs deleted."""
    await call.studio.store.write(lambda db: experiments.remove(db, call.domain, body.experiment_id))


@routes.add("POST", "/mlflow/experiments/restore", WRITE, bodies.ExperimentId)
async def restore_experiment(call: Call, body: bodies.ExperimentId) -> None:
    """Brings it and its runs back."""
    await call.studio.store.write(lambda db: experiments.restore(db, call.domain, body.experiment_id))


@routes.add("POST", "/mlflow/experiments/set-experiment-tag", WRITE, bodies.ExperimentTag)
async def set_tag(call: Call, body: bodies.ExperimentTag) -> None:
    """A tag of an experiment."""
    tag = Pair(body.key, body.value)
    await call.studio.store.write(lambda db: experiments.set_tag(db, call.domain, body.experiment_id, tag))


@routes.add("POST", "/mlflow/experiments/delete-experiment-tag", WRITE, bodies.ExperimentTag)
async def delete_tag(call: Call, body: bodies.ExperimentTag) -> None:
    """Takes a tag of an experiment away."""
    await call.studio.store.write(lambda db: experiments.delete_tag(db, call.domain, body.experiment_id, body.key))


# MLflow registers this rule a second time, without the slash after the version.
@routes.add("POST", ":/api/2.0mlflow/experiments/search-datasets", READ, bodies.SearchDatasets)
@routes.add("POST", ":/ajax-api/2.0mlflow/experiments/search-datasets", READ, bodies.SearchDatasets)
@routes.add("POST", "/mlflow/experiments/search-datasets", READ, bodies.SearchDatasets)
async def search_datasets(call: Call, body: bodies.SearchDatasets) -> Any:
    """The data sets that runs of some experiments used."""
    if not 0 < len(body.experiment_ids) <= 20:
        raise Invalid("SearchDatasets request must specify at least one and at most 20 experiment_ids.")
    found = await call.studio.store.read(lambda db: listing.datasets(db, call.domain, body.experiment_ids))
    return answers.page("dataset_summaries", [answers.summary(*item) for item in found], None)
