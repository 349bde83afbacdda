"""Registered models for the panels."""

import asyncio
import json
import math
from functools import lru_cache
from typing import Any

import yaml  # type: ignore[import-untyped]
from fastapi import APIRouter, Depends
from sqlalchemy import Connection

from studio.access.principals import Principal
from studio.errors import Conflict, StudioError
from studio.registry import models, searching, versions
from studio.registry.records import ModelVersion, RegisteredModel
from studio.settings import Paths
from studio.tracking import artifacts, logged_models, places, runs
from studio.tracking import searching as run_search
from studio.wire.context import Studio, studio
from studio.wire.permission import Allow
from studio.wire.rest.schemas.registry import (
    AliasBody,
    ModelAnswer,
    ModelDetailAnswer,
    ModelSignatureAnswer,
    VersionAnswer,
    VersionBody,
)

router = APIRouter(prefix="/domains/{domain}/models", tags=["registry"])
READ = Allow("registry.read")
WRITE = Allow("registry.write")
MOST_MODELS = 1000
SIGNATURES = 100  # newest versions of which they are shown
MOST_MLMODEL = 256 << 10  # bytes
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # ten times faster where libyaml is there


@router.get("")
async def list_models(domain: str, studio: Studio = Depends(studio), _: Principal = Depends(READ)) -> list[ModelAnswer]:
    """The registered models, last changed first."""

    def read(db: Connection) -> list[ModelAnswer]:
        found, _token = searching.search_models(
            db, domain, max_results=MOST_MODELS, order_by=["last_updated_timestamp DESC"]
        )
        counts = versions.counts(db, domain)
        return [_model(item, counts.get(item.name, 0)) for item in found]

    return await studio.store.read(read)


@router.get("/{model}")
async def get_model(
    domain: str, model: str, studio: Studio = Depends(studio), _: Principal = Depends(READ)
) -> ModelDetailAnswer:
    """A model with its versions, their signatures and the metrics of their runs."""

    def read(db: Connection) -> tuple[RegisteredModel, list[ModelVersion], dict[str, dict[str, float]]]:
        found = versions.of_model(db, domain, model)
        ids = [version.run_id for version in found if version.run_id]
        return models.get(db, domain, model), found, run_search.latest_of(db, domain, ids)

    registered, found, metrics = await studio.store.read(read)
    signatures = await asyncio.to_thread(_signatures, studio.settings.paths, domain, found)
    return ModelDetailAnswer(
        name=registered.name,
        description=registered.description or "",
        owner=registered.owner,
        latest_version=found[0].version if found else None,
        aliases=registered.aliases,
        updated_ms=registered.updated_ms,
        versions=[
            _version(version, metrics.get(version.run_id or "", {}), signature)
            for version, signature in zip(found, signatures, strict=True)
        ],
    )


@router.post("/{model}/versions", status_code=201)
async def register(
    domain: str,
    model: str,
    body: VersionBody,
    studio: Studio = Depends(studio),
    principal: Principal = Depends(WRITE),
) -> VersionAnswer:
    """Registers what a run logged as the next version; the model is made if there is none of that name."""

    def write(db: Connection) -> ModelVersion:
        if not models.exists(db, domain, model):
            models.create(db, domain, model, owner=principal.user)
        source, model_id = _source(db, domain, body)
        return versions.create(
            db,
            domain,
            model,
            source,
            owner=principal.user,
            run_id=body.run_id,
            model_id=model_id,
            description=body.description,
        )

    made = await studio.store.write(write)
    metrics = await studio.store.read(lambda db: run_search.latest_of(db, domain, [body.run_id]))
    signatures = await asyncio.to_thread(_signatures, studio.settings.paths, domain, [made])
    return _version(made, metrics.get(body.run_id, {}), signatures[0])


@router.put("/{model}/aliases/{alias}")
async def set_alias(
    domain: str,
    model: str,
    alias: str,
    body: AliasBody,
    studio: Studio = Depends(studio),
    _: Principal = Depends(WRITE),
) -> ModelAnswer:
    """Lets an alias mean a version."""

    def write(db: Connection) -> ModelAnswer:
        models.set_alias(db, domain, model, alias, body.version)
        return _model(models.get(db, domain, model), versions.counts(db, domain).get(model, 0))

    return await studio.store.write(write)


@router.delete("/{model}/aliases/{alias}", status_code=204)
async def delete_alias(
    domain: str, model: str, alias: str, studio: Studio = Depends(studio), _: Principal = Depends(WRITE)
) -> None:
    """Takes an alias away."""
    await studio.store.write(lambda db: models.delete_alias(db, domain, model, alias))


def _source(db: Connection, domain: str, body: VersionBody) -> tuple[str, str]:
    """(source, logged model's id) of what is to be registered."""
    runs.info(db, domain, body.run_id)
    if body.artifact_path:
        return f"runs:/{body.run_id}/{body.artifact_path}", ""
    found = logged_models.of_run(db, domain, body.run_id)
    if not found:
        raise Conflict("This run logged no model.", "Call mlflow.<flavour>.log_model in it, or name its folder.")
    return f"models:/{found[0].model_id}", found[0].model_id


def _model(found: RegisteredModel, count: int) -> ModelAnswer:
    newest = max((version.version for version in found.latest), default=None)
    return ModelAnswer(
        name=found.name,
        description=found.description or "",
        owner=found.owner,
        latest_version=newest,
        versions=count,
        aliases=found.aliases,
        updated_ms=found.updated_ms,
    )


def _version(found: ModelVersion, metrics: dict[str, float], signature: ModelSignatureAnswer | None) -> VersionAnswer:
    return VersionAnswer(
        version=found.version,
        run_id=found.run_id,
        status=found.status,
        stage=found.stage,
        owner=found.owner,
        aliases=found.aliases,
        created_ms=found.created_ms,
        metrics={key: value if math.isfinite(value) else None for key, value in metrics.items()},
        signature=signature,
        source=found.source,
        description=found.description or "",
    )


def _signatures(paths: Paths, domain: str, found: list[ModelVersion]) -> list[ModelSignatureAnswer | None]:
    return [_signature(paths, domain, version.location) for version in found[:SIGNATURES]] + [None] * len(
        found[SIGNATURES:]
    )


@lru_cache(maxsize=1024)
def _signature(paths: Paths, domain: str, location: str) -> ModelSignatureAnswer | None:
    """From the file MLmodel, which came from inside a sandbox: whatever it holds, at worst there is no signature."""
    folder, place = artifacts.root(paths, domain), places.parse(location)
    try:
        document: Any = yaml.load(artifacts.read_bytes(folder, place.join("MLmodel"), MOST_MLMODEL), _LOADER)
        signature = document["signature"]
        fields = [json.loads(signature.get(side) or "[]") for side in ("inputs", "outputs")]
        return ModelSignatureAnswer(inputs=fields[0], outputs=fields[1])
    except (StudioError, OSError, yaml.YAMLError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
