"""Registered models for the panels."""

import asyncio
import math
from collections import defaultdict
from collections.abc import Mapping, Sequence

from fastapi import APIRouter, Depends
from sqlalchemy import Connection

from studio.access.principals import Principal
from studio.errors import Conflict
from studio.registry import approvals, models, searching, versions
from studio.registry.approvals import Decision
from studio.registry.records import ModelVersion, RegisteredModel
from studio.serving import endpoints
from studio.serving.endpoints import Endpoint
from studio.settings import Paths
from studio.tracking import logged_models, runs, tags
from studio.tracking import searching as run_search
from studio.tracking.records import Pair
from studio.wire import lineage, model_cards
from studio.wire.context import Studio, studio
from studio.wire.permission import Allow
from studio.wire.rest.schemas.registry import (
    AliasBody,
    DecisionAnswer,
    EndpointUse,
    ModelAnswer,
    ModelDetailAnswer,
    ModelSignatureAnswer,
    RegistryChange,
    VersionAnswer,
    VersionBody,
)

router = APIRouter(prefix="/domains/{domain}/models", tags=["registry"])
READ = Allow("registry.read")
WRITE = Allow("registry.write")
MOST_MODELS = 1000
SIGNATURES = 100  # newest versions of which they are shown
Uses = Mapping[int, Sequence[EndpointUse]]


@router.get("")
async def list_models(domain: str, studio: Studio = Depends(studio), _: Principal = Depends(READ)) -> list[ModelAnswer]:
    """The registered models, last changed first."""

    def read(db: Connection) -> list[ModelAnswer]:
        found, _token = searching.search_models(
            db, domain, max_results=MOST_MODELS, order_by=["last_updated_timestamp DESC"]
        )
        counts = versions.counts(db, domain)
        served = endpoints.list_endpoints(db, domain)
        return [_model(item, counts.get(item.name, 0), served) for item in found]

    return await studio.store.read(read)


@router.get("/{model}")
async def get_model(
    domain: str, model: str, studio: Studio = Depends(studio), _: Principal = Depends(READ)
) -> ModelDetailAnswer:
    """A model with its versions: signatures, metrics of their runs, what was decided, which endpoints have them."""

    def read(db: Connection) -> tuple[RegisteredModel, list[ModelVersion], list[VersionAnswer]]:
        found = versions.of_model(db, domain, model)
        metrics = run_search.latest_of(db, domain, [version.run_id for version in found if version.run_id])
        decided, uses = approvals.newest(db, domain, model), _uses(db, domain, model)
        made = _made(db, domain, found)
        answers = [
            _version(item, metrics.get(item.run_id or "", {}), decided, uses, made.get(item.run_id or "", {}))
            for item in found
        ]
        return models.get(db, domain, model), found, answers

    registered, found, answers = await studio.store.read(read)
    signatures = await asyncio.to_thread(_signatures, studio.settings.paths, domain, found[:SIGNATURES])
    for answer, signature in zip(answers, signatures, strict=False):
        answer.signature = signature
    return ModelDetailAnswer(
        name=registered.name,
        description=registered.description or "",
        owner=registered.owner,
        tags=_texts(registered.tags),
        latest_version=found[0].version if found else None,
        aliases=registered.aliases,
        updated_ms=registered.updated_ms,
        versions=answers,
    )


@router.patch("/{model}")
async def change_model(
    domain: str,
    model: str,
    body: RegistryChange,
    studio: Studio = Depends(studio),
    _: Principal = Depends(WRITE),
) -> ModelAnswer:
    """Another description, other tags."""

    def write(db: Connection) -> ModelAnswer:
        if body.description is not None:
            models.describe(db, domain, model, body.description)
        for key, value in body.tags.items():
            if value is None:
                models.delete_tag(db, domain, model, key)
            else:
                models.set_tag(db, domain, model, Pair(key, value))
        return _one(db, domain, model)

    return await studio.store.write(write)


@router.delete("/{model}", status_code=204)
async def delete_model(
    domain: str, model: str, studio: Studio = Depends(studio), _: Principal = Depends(WRITE)
) -> None:
    """Deletes a model with its versions, unless an endpoint has one of them; the files stay with their runs."""

    def write(db: Connection) -> None:
        _require_unused(model, [use for uses in _uses(db, domain, model).values() for use in uses])
        models.remove(db, domain, model)

    await studio.store.write(write)


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
    return await _answer(studio, domain, model, made.version)


@router.patch("/{model}/versions/{version}")
async def change_version(
    domain: str,
    model: str,
    version: int,
    body: RegistryChange,
    studio: Studio = Depends(studio),
    _: Principal = Depends(WRITE),
) -> VersionAnswer:
    """Another description, other tags."""

    def write(db: Connection) -> None:
        versions.describe(db, domain, model, version, body.description)
        for key, value in body.tags.items():
            if value is None:
                versions.delete_tag(db, domain, model, version, key)
            else:
                versions.set_tag(db, domain, model, version, Pair(key, value))

    await studio.store.write(write)
    return await _answer(studio, domain, model, version)


@router.delete("/{model}/versions/{version}", status_code=204)
async def delete_version(
    domain: str, model: str, version: int, studio: Studio = Depends(studio), _: Principal = Depends(WRITE)
) -> None:
    """Deletes a version with its aliases, unless an endpoint has it; its files stay with the run."""

    def write(db: Connection) -> None:
        _require_unused(f"{model} version {version}", _uses(db, domain, model).get(version, ()))
        versions.remove(db, domain, model, version)

    await studio.store.write(write)


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
        return _one(db, domain, model)

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


def _require_unused(what: str, uses: Sequence[EndpointUse]) -> None:
    """A version that has traffic, or is on its way to it, is not taken from under its endpoint."""
    names = ", ".join(sorted({use.name for use in uses}))
    if names:
        raise Conflict(
            f"{what} is deployed: {names}.", "Promote another version there, or delete the endpoint, then try again."
        )


def _uses(db: Connection, domain: str, model: str) -> Uses:
    """Version → the endpoints that have it."""
    found: dict[int, list[EndpointUse]] = defaultdict(list)
    for endpoint in endpoints.list_endpoints(db, domain):
        if endpoint.model == model:
            serving = endpoint.serving.version if endpoint.serving else None
            for version in lineage.deployed(endpoint):
                use = EndpointUse(name=endpoint.name, state=endpoint.state, serves=version == serving)
                found[version].append(use)
    return found


def _one(db: Connection, domain: str, model: str) -> ModelAnswer:
    served = endpoints.list_endpoints(db, domain)
    return _model(models.get(db, domain, model), versions.counts(db, domain).get(model, 0), served)


def _model(found: RegisteredModel, count: int, served: Sequence[Endpoint]) -> ModelAnswer:
    newest = max(found.latest, key=lambda version: version.version, default=None)
    state = _texts(newest.tags).get(versions.APPROVAL_TAG, "") if newest else ""
    return ModelAnswer(
        name=found.name,
        description=found.description or "",
        owner=found.owner,
        latest_version=newest.version if newest else None,
        versions=count,
        aliases=found.aliases,
        updated_ms=found.updated_ms,
        approval=state.capitalize(),
        endpoints=[endpoint.name for endpoint in served if endpoint.model == found.name],
    )


async def _answer(studio: Studio, domain: str, model: str, version: int) -> VersionAnswer:
    def read(db: Connection) -> tuple[ModelVersion, VersionAnswer]:
        found = versions.get(db, domain, model, version)
        metrics = run_search.latest_of(db, domain, [found.run_id]) if found.run_id else {}
        decided, uses = approvals.newest(db, domain, model), _uses(db, domain, model)
        run_id = found.run_id or ""
        made = _made(db, domain, [found]).get(run_id, {})
        return found, _version(found, metrics.get(run_id, {}), decided, uses, made)

    found, answer = await studio.store.read(read)
    [answer.signature] = await asyncio.to_thread(_signatures, studio.settings.paths, domain, [found])
    return answer


def _made(db: Connection, domain: str, found: Sequence[ModelVersion]) -> dict[str, dict[str, str]]:
    """Run id → its tags that say in which environment it was."""
    ids = [version.run_id for version in found if version.run_id]
    return tags.of_runs(db, domain, ids, (tags.ENVIRONMENT_TAG, tags.ENVIRONMENT_HASH_TAG))


def _version(
    found: ModelVersion,
    metrics: Mapping[str, float],
    decided: Mapping[int, Decision],
    uses: Uses,
    made: Mapping[str, str],
) -> VersionAnswer:
    decision = decided.get(found.version)
    return VersionAnswer(
        version=found.version,
        run_id=found.run_id,
        model_id=found.model_id,
        status=found.status,
        stage=found.stage,
        owner=found.owner,
        aliases=found.aliases,
        tags=_texts(found.tags),
        created_ms=found.created_ms,
        metrics={key: value if math.isfinite(value) else None for key, value in metrics.items()},
        signature=None,
        source=found.source,
        description=found.description or "",
        approval=DecisionAnswer.model_validate(decision) if decision else None,
        endpoints=list(uses.get(found.version, ())),
        environment=made.get(tags.ENVIRONMENT_TAG, ""),
        environment_hash=made.get(tags.ENVIRONMENT_HASH_TAG, ""),
    )


def _texts(pairs: Sequence[Pair]) -> dict[str, str]:
    return {pair.key: pair.value for pair in pairs}


def _signatures(paths: Paths, domain: str, found: list[ModelVersion]) -> list[ModelSignatureAnswer | None]:
    read = [model_cards.signature(*versions.artifact_folder(paths, domain, version)) for version in found]
    return [ModelSignatureAnswer.model_validate(item) if item else None for item in read]
