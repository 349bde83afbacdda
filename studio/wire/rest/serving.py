"""Endpoints: desired state in, observed state out."""

from dataclasses import replace
from typing import Any

import msgspec
from fastapi import APIRouter, Depends, Query, Request, Response
from sqlalchemy import Connection

from studio.access.principals import Principal
from studio.domains import instance_types
from studio.errors import Invalid, NotFound, StudioError, Timeout, TooLarge, Unavailable
from studio.serving import endpoints, invoking
from studio.serving.endpoints import Endpoint, Wanted
from studio.serving.events import EndpointEvent, list_events
from studio.serving.invoking import Prediction
from studio.serving.snippets import snippets, url
from studio.serving.states import EndpointState, ReplicaState
from studio.serving.variants import Variant
from studio.wire import trail
from studio.wire.context import Studio, studio
from studio.wire.environment_uses import made_in
from studio.wire.isolation import require_isolation
from studio.wire.permission import Allow
from studio.wire.rest.schemas import serving as schemas
from studio.wire.rest.schemas.serving import (
    EndpointAnswer,
    EndpointBody,
    EndpointSummary,
    PredictionAnswer,
    PromoteBody,
)
from studio.wire.waiting import until

router = APIRouter(prefix="/domains/{domain}/endpoints", tags=["endpoints"])
MAX_WAIT_S = 120.0
INVOKE_S = 75.0
MAX_BODY = 16 << 20
SETTLED = (EndpointState.in_service, EndpointState.idle, EndpointState.failed)


@router.get("")
async def list_endpoints(
    domain: str, studio: Studio = Depends(studio), _: Principal = Depends(Allow("serving.read"))
) -> list[EndpointSummary]:
    """All endpoints of the domain."""
    found = await studio.store.read(lambda db: [(e, _price(db, e)) for e in endpoints.list_endpoints(db, domain)])
    return [EndpointSummary(**_summary(studio, endpoint, price)) for endpoint, price in found]


@router.post("", status_code=202)
async def create_endpoint(
    domain: str,
    body: EndpointBody,
    studio: Studio = Depends(studio),
    principal: Principal = Depends(Allow("serving.write")),
) -> EndpointAnswer:
    """Deploys a version; the same request again gives the same endpoint. Wait with GET ?wait=InService."""
    await require_isolation(studio, domain)
    wanted = Wanted(
        name=body.name,
        model=body.model,
        mode=body.mode,
        instance_type=body.instance_type or instance_types.DEFAULT,
        environment=body.environment,
        capture=body.capture,
        idle_s=body.idle_s,
    )

    def write(db: Connection) -> Endpoint:
        where = wanted.environment or made_in(db, domain, wanted.model)
        return endpoints.create(db, domain, principal.user, replace(wanted, environment=where))

    await studio.store.write(write)
    return await _answer(studio, domain, body.name)


@router.get("/{name}")
async def get_endpoint(
    domain: str,
    name: str,
    wait: str = Query("", description="InService: returns when it has settled (also Idle or Failed), or at the end"),
    timeout_s: float = Query(30.0, ge=0, le=MAX_WAIT_S),
    studio: Studio = Depends(studio),
    _: Principal = Depends(Allow("serving.read")),
) -> EndpointAnswer:
    """One endpoint; with `wait`, once it has settled."""
    if wait not in ("", EndpointState.in_service):
        raise Invalid(f"{wait!r} cannot be waited for.", "Use wait=InService.")
    if wait:
        await _settled(studio, domain, name, timeout_s)
    return await _answer(studio, domain, name)


@router.post("/{name}/promote", status_code=202)
async def promote(
    domain: str,
    name: str,
    body: PromoteBody,
    studio: Studio = Depends(studio),
    principal: Principal = Depends(Allow("serving.write")),
) -> EndpointAnswer:
    """Another version takes over when it has passed; callers notice nothing."""
    trail.about(detail=f"version {body.version}")
    await studio.store.write(
        lambda db: endpoints.promote(db, domain, name, body.version, principal.user, body.environment)
    )
    return await _answer(studio, domain, name)


@router.post("/{name}/undo", status_code=202)
async def undo(
    domain: str, name: str, studio: Studio = Depends(studio), principal: Principal = Depends(Allow("serving.write"))
) -> EndpointAnswer:
    """Back to the version before."""
    await studio.store.write(lambda db: endpoints.undo(db, domain, name, principal.user))
    return await _answer(studio, domain, name)


@router.delete("/{name}", status_code=202)
async def delete_endpoint(
    domain: str, name: str, studio: Studio = Depends(studio), principal: Principal = Depends(Allow("serving.write"))
) -> Response:
    """Ends it with everything it captured; its model stays."""
    await studio.store.write(lambda db: endpoints.remove(db, domain, name, principal.user))
    return Response(status_code=202)


@router.post("/{name}/invoke")
async def invoke(
    domain: str,
    name: str,
    request: Request,
    studio: Studio = Depends(studio),
    _: Principal = Depends(Allow("serving.invoke")),
) -> PredictionAnswer:
    """Try it: one prediction, body as for /invocations. It is captured like any other and wakes an endpoint at zero."""
    body = await request.body()
    if len(body) > MAX_BODY:
        raise TooLarge("The body is larger than 16 MiB.", "Send fewer rows at a time.")
    endpoint = await studio.store.read(lambda db: endpoints.get(db, domain, name))
    if endpoint.state in (EndpointState.failed, EndpointState.deleting) and endpoint.serving is None:
        raise Unavailable(f"The endpoint {name} is {endpoint.state}: {endpoint.reason}", "Promote another version.")
    kind = request.headers.get("content-type", "application/json")
    text = body.decode("utf-8", "replace")
    found = await invoking.invoke(studio.gateway.socket, domain, name, text, kind, INVOKE_S)
    if found.status >= 400:
        raise _refused(name, found)
    return PredictionAnswer(answer=_parsed(found.body), **{k: getattr(found, k) for k in _PASSED})


_PASSED = ("status", "latency_ms", "predict_ms", "variant", "version", "inference_id")


def _refused(name: str, found: Prediction) -> StudioError:
    """The model's or the gateway's own words, as this wire's error."""
    said = _parsed(found.body)
    message = str(said.get("message") or found.body) if isinstance(said, dict) else found.body
    kinds: dict[int, type[StudioError]] = {404: NotFound, 413: TooLarge, 503: Unavailable, 504: Timeout}
    kind = kinds.get(found.status, Invalid if found.status < 500 else Unavailable)
    return kind(message[:4000] or f"{name} answered {found.status}.", "")


def _parsed(text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:
        return None


async def _settled(studio: Studio, domain: str, name: str, timeout_s: float) -> None:
    async def is_settled() -> bool:
        found = await studio.store.read(lambda db: endpoints.get(db, domain, name))
        return found.state in SETTLED

    await until(studio, "endpoints", timeout_s, is_settled)


def _price(db: Connection, endpoint: Endpoint) -> float:
    """Per hour, as it is now: at zero it costs nothing."""
    price = instance_types.get(db, endpoint.instance_type).price_per_hour
    processes = (ReplicaState.starting, ReplicaState.ready, ReplicaState.stopping)
    return price * sum(r.state in processes for v in endpoint.variants for r in v.replicas)


async def _answer(studio: Studio, domain: str, name: str) -> EndpointAnswer:
    def read(db: Connection) -> tuple[Endpoint, float, list[EndpointEvent]]:
        found = endpoints.get(db, domain, name)
        return found, _price(db, found), list_events(db, found.id)

    found, price, events = await studio.store.read(read)
    shown = found.shown
    example = shown.example if shown else ""
    columns = _parsed(shown.signature) if shown and shown.signature else []
    return EndpointAnswer(
        **_summary(studio, found, price),
        signature=schemas.SignatureAnswer(inputs=[schemas.SignatureColumn(**column) for column in columns or []]),
        example=_parsed(example),
        events=[schemas.EventAnswer.model_validate(event) for event in events],
        snippets=schemas.SnippetsAnswer.model_validate(snippets(studio.address, found.name, example)),
    )


def _summary(studio: Studio, endpoint: Endpoint, price: float) -> dict[str, Any]:
    stats = studio.gateway_stats.get(f"{endpoint.domain}/{endpoint.name}", {})
    same = ("name", "state", "reason", "mode", "instance_type", "model", "previous_version", "capture", "idle_s")
    return {name: getattr(endpoint, name) for name in (*same, "created_ms")} | {
        "url": url(studio.address, endpoint.name),
        "version": endpoint.serving.version if endpoint.serving else endpoint.version,
        "variants": [_variant(endpoint, variant) for variant in endpoint.variants],
        "stats": schemas.StatsAnswer.model_validate({key: value for key, value in stats.items() if value is not None}),
        "price_per_hour": price,
    }


def _variant(endpoint: Endpoint, variant: Variant) -> schemas.VariantAnswer:
    return schemas.VariantAnswer(
        name=variant.name,
        version=variant.version,
        weight=100 if variant is endpoint.serving else 0,
        state=variant.state,
        environment=variant.environment,
        reason=variant.reason,
        replicas=[schemas.ReplicaAnswer(id=r.id, state=r.state, pid=r.pid or None) for r in variant.replicas],
    )
