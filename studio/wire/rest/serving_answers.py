"""Endpoints as this wire shows them."""

from typing import Any

import msgspec
from sqlalchemy import Connection

from studio.domains import instance_types
from studio.serving import endpoints, rollout
from studio.serving.endpoints import Endpoint
from studio.serving.events import EndpointEvent, list_events
from studio.serving.observing import figures
from studio.serving.snippets import snippets, url
from studio.serving.states import ReplicaState, VariantState
from studio.serving.variants import Variant
from studio.wire.context import Studio
from studio.wire.rest.schemas import serving as schemas
from studio.wire.rest.schemas.serving import EndpointAnswer

_PROCESSES = (ReplicaState.starting, ReplicaState.ready, ReplicaState.stopping)
_SAME = ("name", "state", "reason", "mode", "instance_type", "model", "previous_version", "created_ms")
_SETTINGS = ("capture", "idle_s", "timeout_s", "max_body", "rate_limit", "cors", "target_load", "fast_path")
_KEPT = ("capture_percent", "capture_days", "redact")


def price(db: Connection, endpoint: Endpoint) -> float:
    """Per hour, as it is now: at zero it costs nothing."""
    prices = {item.name: item.price_per_hour for item in instance_types.list_all(db)}
    return sum(
        prices.get(v.instance_type, 0.0) * sum(r.state in _PROCESSES for r in v.replicas) for v in endpoint.variants
    )


async def answer(studio: Studio, domain: str, name: str) -> EndpointAnswer:
    """All of one endpoint."""

    def read(db: Connection) -> tuple[Endpoint, float, list[EndpointEvent]]:
        found = endpoints.get(db, domain, name)
        return found, price(db, found), list_events(db, found.id)

    found, per_hour, events = await studio.store.read(read)
    shown = found.shown
    example = shown.example if shown else ""
    columns = parsed(shown.signature) if shown and shown.signature else []
    return EndpointAnswer(
        **summary(studio, found, per_hour),
        signature=schemas.SignatureAnswer(inputs=[schemas.SignatureColumn(**column) for column in columns or []]),
        example=parsed(example),
        events=[schemas.EventAnswer.model_validate(event) for event in events],
        snippets=schemas.SnippetsAnswer.model_validate(snippets(studio.address, found.name, example)),
        settings=schemas.SettingsAnswer(**{name: getattr(found, name) for name in (*_SETTINGS, *_KEPT)}),
    )


def summary(studio: Studio, endpoint: Endpoint, per_hour: float) -> dict[str, Any]:
    """The fields of `EndpointSummary`."""
    stats = studio.gateway_stats.get(f"{endpoint.domain}/{endpoint.name}", {})
    whole = sum(v.weight for v in endpoint.variants if _has_traffic(v))
    return {name: getattr(endpoint, name) for name in (*_SAME, "capture", "idle_s")} | {
        "url": url(studio.address, endpoint.name),
        "version": endpoint.serving.version if endpoint.serving else endpoint.version,
        "variants": [_variant(variant, stats, whole) for variant in endpoint.variants],
        "stats": schemas.StatsAnswer.model_validate({key: value for key, value in stats.items() if value is not None}),
        "price_per_hour": per_hour,
        "rollout": _rollout(endpoint),
    }


def _has_traffic(variant: Variant) -> bool:
    return variant.state is VariantState.serving and not variant.shadow


def _variant(variant: Variant, stats: dict[str, Any], whole: float) -> schemas.VariantAnswer:
    seen = figures(stats, variant.name)
    same = ("name", "version", "weight", "state", "environment", "instance_type", "reason", "shadow")
    return schemas.VariantAnswer(
        **{name: getattr(variant, name) for name in same},
        share=100 * variant.weight / whole if whole and _has_traffic(variant) else 0.0,
        min_replicas=variant.min_replicas,
        max_replicas=variant.max_replicas,
        wanted=variant.wanted,
        requests=seen.requests,
        errors=seen.errors,
        p99_ms=seen.p99_ms,
        load=seen.load,
        loaded=parsed(variant.loaded) or {},
        replicas=[schemas.ReplicaAnswer(id=r.id, state=r.state, pid=r.pid or None) for r in variant.replicas],
    )


def _rollout(endpoint: Endpoint) -> schemas.RolloutAnswer | None:
    shift = rollout.decode(endpoint.rollout)
    new = next((v for v in endpoint.variants if shift is not None and v.id == shift.variant), None)
    if shift is None or new is None:
        return None
    told = rollout.words(shift, f"Version {new.version}")
    return schemas.RolloutAnswer(
        variant=new.name,
        version=new.version,
        share=shift.share,
        moved_ms=shift.moved_ms or None,
        strategy=schemas.StrategyBody(**msgspec.structs.asdict(shift.strategy)),
        words=told,
    )


def parsed(text: str) -> Any:
    """JSON from elsewhere, or None."""
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:
        return None
