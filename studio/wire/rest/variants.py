"""Variants of an endpoint side by side, its settings, its description, what its replicas printed."""

import asyncio
from dataclasses import fields
from typing import Any

from fastapi import APIRouter, Depends
from starlette.responses import HTMLResponse

from studio.access.principals import Principal
from studio.serving import endpoints, openapi, printed, shares, tuning
from studio.serving.shares import Joining
from studio.serving.tuning import Settings
from studio.wire import trail
from studio.wire.context import Studio, studio
from studio.wire.pages.endpoint import docs
from studio.wire.permission import Allow
from studio.wire.rest.schemas.serving import (
    EndpointAnswer,
    EndpointLogAnswer,
    LimitsBody,
    ReplicaLogAnswer,
    SettingsBody,
    VariantBody,
    WeightsBody,
)
from studio.wire.rest.serving_answers import answer

router = APIRouter(prefix="/domains/{domain}/endpoints/{name}", tags=["endpoints"])


@router.patch("")
async def tune_endpoint(
    domain: str,
    name: str,
    body: SettingsBody,
    studio: Studio = Depends(studio),
    principal: Principal = Depends(Allow("serving.write")),
) -> EndpointAnswer:
    """Changes its settings while it serves."""
    settings = Settings(**{field.name: getattr(body, field.name) for field in fields(Settings)})
    trail.about(detail=", ".join(body.model_fields_set))
    await studio.store.write(lambda db: tuning.tune(db, domain, name, settings, principal.user))
    return await answer(studio, domain, name)


@router.put("/weights")
async def set_weights(
    domain: str,
    name: str,
    body: WeightsBody,
    studio: Studio = Depends(studio),
    principal: Principal = Depends(Allow("serving.write")),
) -> EndpointAnswer:
    """Divides the traffic among the variants; callers notice nothing."""
    trail.about(detail=", ".join(f"{variant} {weight:g}" for variant, weight in body.weights.items()))
    await studio.store.write(lambda db: shares.weigh(db, domain, name, body.weights, principal.user))
    return await answer(studio, domain, name)


@router.post("/variants", status_code=202)
async def add_variant(
    domain: str,
    name: str,
    body: VariantBody,
    studio: Studio = Depends(studio),
    principal: Principal = Depends(Allow("serving.write")),
) -> EndpointAnswer:
    """Another version beside those that serve; it takes its weight, or copies of requests, when it has passed."""
    wanted = Joining(**body.model_dump())
    trail.about(detail=f"version {body.version}, weight {body.weight:g}{', shadow' if body.shadow else ''}")
    await studio.store.write(lambda db: shares.join(db, domain, name, wanted, principal.user))
    return await answer(studio, domain, name)


@router.patch("/variants/{variant}")
async def limit_variant(
    domain: str,
    name: str,
    variant: str,
    body: LimitsBody,
    studio: Studio = Depends(studio),
    principal: Principal = Depends(Allow("serving.write")),
) -> EndpointAnswer:
    """How many replicas it has at least and at most; between them its load decides."""
    trail.about(detail=f"{variant}: {body.min_replicas} to {body.max_replicas} replicas")
    least, most = body.min_replicas, body.max_replicas
    await studio.store.write(lambda db: shares.limit(db, domain, name, variant, least, most, principal.user))
    return await answer(studio, domain, name)


@router.delete("/variants/{variant}", status_code=202)
async def remove_variant(
    domain: str,
    name: str,
    variant: str,
    studio: Studio = Depends(studio),
    principal: Principal = Depends(Allow("serving.write")),
) -> EndpointAnswer:
    """It finishes what it has begun and ends; the last one with traffic stays."""
    trail.about(detail=variant)
    await studio.store.write(lambda db: shares.leave(db, domain, name, variant, principal.user))
    return await answer(studio, domain, name)


@router.get("/log")
async def get_endpoint_log(
    domain: str, name: str, studio: Studio = Depends(studio), _: Principal = Depends(Allow("serving.read"))
) -> EndpointLogAnswer:
    """The ends of what its replicas printed, the newest replica last."""
    found = await studio.store.read(lambda db: endpoints.get(db, domain, name))
    root = studio.settings.paths.logs
    told = [
        (v, r, await asyncio.to_thread(printed.tail, root, found, r.id)) for v in found.variants for r in v.replicas
    ]
    return EndpointLogAnswer(
        replicas=[ReplicaLogAnswer(replica=r.id, variant=v.name, state=r.state, text=text) for v, r, text in told]
    )


@router.get("/openapi.json")
async def describe_endpoint(
    domain: str, name: str, studio: Studio = Depends(studio), _: Principal = Depends(Allow("serving.read"))
) -> dict[str, Any]:
    """The endpoint's OpenAPI document, for those who call it."""
    return _document(await answer(studio, domain, name), studio.address)


@router.get("/docs", response_class=HTMLResponse)
async def endpoint_docs(
    domain: str, name: str, studio: Studio = Depends(studio), _: Principal = Depends(Allow("serving.read"))
) -> HTMLResponse:
    """The same as a page."""
    found = await answer(studio, domain, name)
    return docs(_document(found, studio.address), found.snippets.curl)


def _document(found: EndpointAnswer, address: str) -> dict[str, Any]:
    columns = [column.model_dump() for column in found.signature.inputs]
    return openapi.document(address, found.name, found.model, columns, found.example)
