"""Endpoints: desired state in, observed state out."""

from dataclasses import replace

from fastapi import APIRouter, Depends, Query, Request, Response
from sqlalchemy import Connection

from studio.access.principals import Principal
from studio.domains import instance_types
from studio.errors import Invalid, NotFound, StudioError, Timeout, TooLarge, Unavailable
from studio.serving import endpoints, invoking, promotion
from studio.serving.endpoints import Endpoint, Wanted
from studio.serving.invoking import Prediction
from studio.serving.rollout import strategy_of
from studio.serving.states import EndpointState
from studio.wire import trail
from studio.wire.context import Studio, studio
from studio.wire.environment_uses import made_in
from studio.wire.isolation import require_isolation
from studio.wire.permission import Allow
from studio.wire.rest.schemas.serving import (
    EndpointAnswer,
    EndpointBody,
    EndpointSummary,
    PredictionAnswer,
    PromoteBody,
)
from studio.wire.rest.serving_answers import answer, parsed, price, summary
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
    found = await studio.store.read(lambda db: [(e, price(db, e)) for e in endpoints.list_endpoints(db, domain)])
    return [EndpointSummary(**summary(studio, endpoint, per_hour)) for endpoint, per_hour in found]


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
        min_replicas=body.min_replicas,
        max_replicas=body.max_replicas,
        fast_path=body.fast_path,
    )

    def write(db: Connection) -> Endpoint:
        where = wanted.environment or made_in(db, domain, wanted.model)
        return endpoints.create(db, domain, principal.user, replace(wanted, environment=where))

    await studio.store.write(write)
    return await answer(studio, domain, body.name)


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
    return await answer(studio, domain, name)


@router.post("/{name}/promote", status_code=202)
async def promote(
    domain: str,
    name: str,
    body: PromoteBody,
    studio: Studio = Depends(studio),
    principal: Principal = Depends(Allow("serving.write")),
) -> EndpointAnswer:
    """Another version takes over when it has passed, at once or as `strategy` says; callers notice nothing."""
    trail.about(detail=f"version {body.version}")
    strategy = strategy_of(body.strategy.model_dump()) if body.strategy else promotion.AT_ONCE
    await studio.store.write(
        lambda db: promotion.promote(db, domain, name, body.version, principal.user, body.environment, strategy)
    )
    return await answer(studio, domain, name)


@router.post("/{name}/undo", status_code=202)
async def undo(
    domain: str, name: str, studio: Studio = Depends(studio), principal: Principal = Depends(Allow("serving.write"))
) -> EndpointAnswer:
    """Takes a shift under way back; else back to the version before."""
    await studio.store.write(lambda db: promotion.undo(db, domain, name, principal.user))
    return await answer(studio, domain, name)


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
    return PredictionAnswer(answer=parsed(found.body), **{k: getattr(found, k) for k in _PASSED})


_PASSED = ("status", "latency_ms", "predict_ms", "variant", "version", "inference_id")


def _refused(name: str, found: Prediction) -> StudioError:
    """The model's or the gateway's own words, as this wire's error."""
    said = parsed(found.body)
    message = str(said.get("message") or found.body) if isinstance(said, dict) else found.body
    kinds: dict[int, type[StudioError]] = {404: NotFound, 413: TooLarge, 503: Unavailable, 504: Timeout}
    kind = kinds.get(found.status, Invalid if found.status < 500 else Unavailable)
    return kind(message[:4000] or f"{name} answered {found.status}.", "")


async def _settled(studio: Studio, domain: str, name: str, timeout_s: float) -> None:
    async def is_settled() -> bool:
        found = await studio.store.read(lambda db: endpoints.get(db, domain, name))
        return found.state in SETTLED

    await until(studio, "endpoints", timeout_s, is_settled)
