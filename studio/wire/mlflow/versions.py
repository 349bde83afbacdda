"""Versions of registered models."""

from typing import Any

from studio.registry import searching, versions
from studio.tracking import limits
from studio.tracking.records import Pair
from studio.wire.mlflow import answers, bodies
from studio.wire.mlflow.endpoint import Call, Routes
from studio.wire.mlflow.registry import READ, WRITE
from studio.wire.mlflow.runs import pairs

routes = Routes()
MOST = 200_000


@routes.add("POST", "/mlflow/model-versions/create", WRITE, bodies.CreateVersion)
async def create_version(call: Call, body: bodies.CreateVersion) -> Any:
    """The next version, from files of this domain."""
    made = await call.studio.store.write(
        lambda db: versions.create(
            db,
            call.domain,
            body.name,
            body.source,
            owner=call.principal.user,
            run_id=body.run_id,
            model_id=body.model_id,
            run_link=body.run_link,
            description=body.description,
            tags=pairs(body.tags),
        )
    )
    return {"model_version": answers.version(made)}


@routes.add("GET", "/mlflow/model-versions/get", READ, bodies.Version)
async def get_version(call: Call, body: bodies.Version) -> Any:
    """One version."""
    number = versions.parse_version(body.version)
    found = await call.studio.store.read(lambda db: versions.get(db, call.domain, body.name, number))
    return {"model_version": answers.version(found)}


@routes.add("GET", "/mlflow/model-versions/search", READ, bodies.SearchVersions)
async def search_versions(call: Call, body: bodies.SearchVersions) -> Any:
    """A page of versions."""
    limits.check_page_size(body.max_results, MOST)
    found, token = await call.studio.store.read(
        lambda db: searching.search_versions(
            db,
            call.domain,
            filter_text=body.filter,
            max_results=body.max_results,
            order_by=body.order_by,
            page_token=body.page_token or None,
        )
    )
    return answers.page("model_versions", [answers.version(item) for item in found], token)


@routes.add("GET", "/mlflow/model-versions/get-download-uri", READ, bodies.Version)
async def get_download_uri(call: Call, body: bodies.Version) -> Any:
    """Where its files are, as the client downloads them."""
    number = versions.parse_version(body.version)
    found = await call.studio.store.read(lambda db: versions.get(db, call.domain, body.name, number))
    return {"artifact_uri": found.location}


@routes.add("PATCH", "/mlflow/model-versions/update", WRITE, bodies.DescribeVersion)
async def update_version(call: Call, body: bodies.DescribeVersion) -> Any:
    """Another description."""
    number = versions.parse_version(body.version)
    found = await call.studio.store.write(
        lambda db: versions.describe(db, call.domain, body.name, number, body.description)
    )
    return {"model_version": answers.version(found)}


@routes.add("POST", "/mlflow/model-versions/transition-stage", WRITE, bodies.MoveVersion)
async def move_version(call: Call, body: bodies.MoveVersion) -> Any:
    """Another stage; aliases are what to use instead."""
    number = versions.parse_version(body.version)
    archive = body.archive_existing_versions
    found = await call.studio.store.write(
        lambda db: versions.move(db, call.domain, body.name, number, body.stage, archive=archive)
    )
    return {"model_version": answers.version(found)}


@routes.add("DELETE", "/mlflow/model-versions/delete", WRITE, bodies.Version)
async def delete_version(call: Call, body: bodies.Version) -> None:
    """The version is gone; its files stay."""
    number = versions.parse_version(body.version)
    await call.studio.store.write(lambda db: versions.remove(db, call.domain, body.name, number))


@routes.add("POST", "/mlflow/model-versions/set-tag", WRITE, bodies.VersionTag)
async def set_tag(call: Call, body: bodies.VersionTag) -> None:
    """A tag of a version."""
    number, tag = versions.parse_version(body.version), Pair(body.key, body.value)
    await call.studio.store.write(lambda db: versions.set_tag(db, call.domain, body.name, number, tag))


@routes.add("DELETE", "/mlflow/model-versions/delete-tag", WRITE, bodies.VersionTag)
async def delete_tag(call: Call, body: bodies.VersionTag) -> None:
    """Takes a tag of a version away."""
    number = versions.parse_version(body.version)
    await call.studio.store.write(lambda db: versions.delete_tag(db, call.domain, body.name, number, body.key))
