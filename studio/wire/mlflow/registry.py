"""Registered models and aliases."""

from typing import Any

from studio.errors import Invalid
from studio.registry import models, searching, versions
from studio.tracking import limits
from studio.tracking.records import Pair
from studio.wire.mlflow import answers, bodies
from studio.wire.mlflow.endpoint import Call, Routes
from studio.wire.mlflow.runs import pairs

routes = Routes()
READ, WRITE = "registry.read", "registry.write"
MOST_MODELS = 1000


@routes.add("POST", "/mlflow/registered-models/create", WRITE, bodies.CreateRegisteredModel)
async def create_model(call: Call, body: bodies.CreateRegisteredModel) -> Any:
    """A model without versions."""
    made = await call.studio.store.write(
        lambda db: models.create(
            db,
            call.domain,
            body.name,
            owner=call.principal.user,
            description=body.description,
            tags=pairs(body.tags),
        )
    )
    return {"registered_model": answers.model(made)}


@routes.add("GET", "/mlflow/registered-models/get", READ, bodies.ModelName)
async def get_model(call: Call, body: bodies.ModelName) -> Any:
    """One model."""
    found = await call.studio.store.read(lambda db: models.get(db, call.domain, body.name))
    return {"registered_model": answers.model(found)}


@routes.add("GET", "/mlflow/registered-models/search", READ, bodies.SearchModels)
async def search_models(call: Call, body: bodies.SearchModels) -> Any:
    """A page of models."""
    limits.check_page_size(body.max_results, MOST_MODELS)
    found, token = await call.studio.store.read(
        lambda db: searching.search_models(
            db,
            call.domain,
            filter_text=body.filter,
            max_results=body.max_results,
            order_by=body.order_by,
            page_token=body.page_token or None,
        )
    )
    return answers.page("registered_models", [answers.model(item) for item in found], token)


@routes.add("PATCH", "/mlflow/registered-models/update", WRITE, bodies.DescribeModel)
async def update_model(call: Call, body: bodies.DescribeModel) -> Any:
    """Another description."""
    found = await call.studio.store.write(lambda db: models.describe(db, call.domain, body.name, body.description))
    return {"registered_model": answers.model(found)}


@routes.add("POST", "/mlflow/registered-models/rename", WRITE, bodies.RenameModel)
async def rename_model(call: Call, body: bodies.RenameModel) -> Any:
    """Another name."""
    found = await call.studio.store.write(lambda db: models.rename(db, call.domain, body.name, body.new_name))
    return {"registered_model": answers.model(found)}


@routes.add("DELETE", "/mlflow/registered-models/delete", WRITE, bodies.ModelName)
async def delete_model(call: Call, body: bodies.ModelName) -> None:
    """The model and its versions are gone; the files stay."""
    await call.studio.store.write(lambda db: models.remove(db, call.domain, body.name))


@routes.add("POST,GET", "/mlflow/registered-models/get-latest-versions", READ, bodies.LatestVersions)
async def get_latest(call: Call, body: bodies.LatestVersions) -> Any:
    """The newest version of each stage."""
    wanted = versions.stages(body.stages)
    found = await call.studio.store.read(lambda db: models.get(db, call.domain, body.name))
    latest = [answers.version(item) for item in found.latest if item.stage in wanted]
    return answers.page("model_versions", latest, None)


@routes.add("POST", "/mlflow/registered-models/set-tag", WRITE, bodies.ModelTag)
async def set_tag(call: Call, body: bodies.ModelTag) -> None:
    """A tag of a model."""
    tag = Pair(body.key, body.value)
    await call.studio.store.write(lambda db: models.set_tag(db, call.domain, body.name, tag))


@routes.add("DELETE", "/mlflow/registered-models/delete-tag", WRITE, bodies.ModelTag)
async def delete_tag(call: Call, body: bodies.ModelTag) -> None:
    """Takes a tag of a model away."""
    await call.studio.store.write(lambda db: models.delete_tag(db, call.domain, body.name, body.key))


@routes.add("GET", "/mlflow/registered-models/alias", READ, bodies.Alias)
async def get_alias(call: Call, body: bodies.Alias) -> Any:
    """The version that an alias means."""
    found = await call.studio.store.read(lambda db: versions.of_alias(db, call.domain, body.name, body.alias))
    return {"model_version": answers.version(found)}


@routes.add("POST", "/mlflow/registered-models/alias", WRITE, bodies.Alias)
async def set_alias(call: Call, body: bodies.Alias) -> None:
    """Lets an alias mean a version."""
    if not body.version:
        raise Invalid("Missing value for required parameter 'version'.")
    number = versions.parse_version(body.version)
    await call.studio.store.write(lambda db: models.set_alias(db, call.domain, body.name, body.alias, number))


@routes.add("DELETE", "/mlflow/registered-models/alias", WRITE, bodies.Alias)
async def delete_alias(call: Call, body: bodies.Alias) -> None:
    """Takes an alias away."""
    await call.studio.store.write(lambda db: models.delete_alias(db, call.domain, body.name, body.alias))
