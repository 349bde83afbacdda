"""Logged models."""

import asyncio
from typing import Any

from studio.errors import Invalid
from studio.tracking import artifacts, limits, listing, logged_models, places
from studio.wire.mlflow import answers, bodies
from studio.wire.mlflow.endpoint import READ, WRITE, Call, Routes
from studio.wire.mlflow.runs import pairs

routes = Routes()
_STATUSES = {name: number for number, name in answers.STATUSES.items()}
MOST = 1000


@routes.add("POST", "/mlflow/logged-models", WRITE, bodies.CreateLoggedModel)
async def create_model(call: Call, body: bodies.CreateLoggedModel) -> Any:
    """A pending logged model."""
    made = await call.studio.store.write(
        lambda db: logged_models.create(
            db,
            call.domain,
            body.experiment_id,
            name=body.name,
            model_type=body.model_type,
            source_run_id=body.source_run_id,
            params=pairs(body.params),
            tags=pairs(body.tags),
        )
    )
    return {"model": answers.logged_model(made)}


@routes.add("POST", "/mlflow/logged-models/search", READ, bodies.SearchLoggedModels)
async def search_models(call: Call, body: bodies.SearchLoggedModels) -> Any:
    """A page of logged models."""
    limits.check_page_size(body.max_results, MOST)
    if not all(item.dataset_name for item in body.datasets):
        raise Invalid("`dataset_name` in the `datasets` clause must be specified.")
    found, token = await call.studio.store.read(
        lambda db: listing.search_logged_models(
            db,
            call.domain,
            body.experiment_ids or (),
            filter_text=body.filter,
            datasets=[(item.dataset_name, item.dataset_digest) for item in body.datasets],
            max_results=body.max_results,
            order_by=[(o.field_name, o.ascending, o.dataset_name, o.dataset_digest) for o in body.order_by],
            page_token=body.page_token or None,
        )
    )
    return answers.page("models", [answers.logged_model(item) for item in found], token)


@routes.add("GET", "/mlflow/logged-models/{model_id}", READ)
async def get_model(call: Call) -> Any:
    """One logged model."""
    with_deleted = call.query().get("allow_deleted", [""])[0].lower() == "true"
    model_id = call.path["model_id"]
    found = await call.studio.store.read(
        lambda db: logged_models.get(db, call.domain, model_id, with_deleted=with_deleted)
    )
    return {"model": answers.logged_model(found)}


@routes.add("PATCH", "/mlflow/logged-models/{model_id}", WRITE, bodies.FinishLoggedModel)
async def finish_model(call: Call, body: bodies.FinishLoggedModel) -> Any:
    """Its files are there, or it failed."""
    text = str(body.status)
    status = _STATUSES.get(text, int(text) if text.isdigit() else 0)
    found = await call.studio.store.write(
        lambda db: logged_models.finish(db, call.domain, call.path["model_id"], status)
    )
    return {"model": answers.logged_model(found)}


@routes.add("DELETE", "/mlflow/logged-models/{model_id}", WRITE)
async def delete_model(call: Call) -> None:
    """Marks it deleted."""
    await call.studio.store.write(lambda db: logged_models.remove(db, call.domain, call.path["model_id"]))


@routes.add("PATCH", "/mlflow/logged-models/{model_id}/tags", WRITE, bodies.LoggedModelTags)
async def set_tags(call: Call, body: bodies.LoggedModelTags) -> None:
    """Tags of a logged model."""
    model_id = call.path["model_id"]
    await call.studio.store.write(lambda db: logged_models.set_tags(db, call.domain, model_id, pairs(body.tags)))


@routes.add("DELETE", "/mlflow/logged-models/{model_id}/tags/{key:path}", WRITE)
async def delete_tag(call: Call) -> None:
    """Takes a tag away."""
    model_id, key = call.path["model_id"], call.path["key"]
    await call.studio.store.write(lambda db: logged_models.delete_tag(db, call.domain, model_id, key))


@routes.add("POST", "/mlflow/logged-models/{model_id}/params", WRITE, bodies.LoggedModelParams)
async def log_params(call: Call, body: bodies.LoggedModelParams) -> None:
    """More params."""
    model_id = call.path["model_id"]
    await call.studio.store.write(lambda db: logged_models.log_params(db, call.domain, model_id, pairs(body.params)))


@routes.add("GET", "/mlflow/logged-models/{model_id}/artifacts/directories", READ, bodies.ModelArtifacts)
async def list_artifacts(call: Call, body: bodies.ModelArtifacts) -> Any:
    """The files of a logged model."""
    found = await call.studio.store.read(lambda db: logged_models.get(db, call.domain, call.path["model_id"]))
    below = "/".join(places.split(body.artifact_directory_path))
    folder = artifacts.root(call.studio.settings.paths, call.domain)
    place = places.parse(found.artifact_uri).join(below)
    listed = await asyncio.to_thread(artifacts.list_files, folder, place)
    return {**answers.page("files", answers.files(listed, below), None), "root_uri": found.artifact_uri}
