"""From rows and what the supervisor, gateway and clock say to what `decide` works with."""

from collections.abc import Callable, Mapping
from typing import Any

from studio.serving import observed, rollout
from studio.serving.endpoints import Endpoint
from studio.serving.states import ReplicaState, VariantState
from studio.serving.variants import Variant


def needs_gateway(endpoint: Endpoint) -> bool:
    """Whether the next decision rests on what the gateway has confirmed."""
    return endpoint.deleting or any(
        v.state is VariantState.retiring or any(r.state is ReplicaState.parked for r in v.replicas)
        for v in endpoint.variants
    )


def observe(
    endpoint: Endpoint,
    *,
    alive: Callable[[str], bool],
    place: Callable[[str], bool],
    confirmed: bool,
    stats: Mapping[str, Any],
    now_ms: int,
) -> observed.Observed:
    """`alive`: does the replica of this id run; `place`: does the fork server of this environment; `confirmed`: the
    gateway's table is at least as new as `endpoint`; `stats`: the gateway's figures for it."""

    def variant(v: Variant) -> observed.Variant:
        replicas = tuple(observed.Replica(r.id, r.state, alive(r.id), r.reason) for r in v.replicas)
        return observed.Variant(
            v.id,
            v.version,
            v.state,
            materialised=bool(v.digest),
            place=place(v.environment),
            failures=v.failures,
            retry_ms=v.retry_ms,
            unrouted=confirmed,
            reason=v.reason,
            replicas=replicas,
            name=v.name,
            weight=v.weight,
            shadow=v.shadow,
            wanted=v.wanted,
            least=v.min_replicas,
            most=v.max_replicas,
            calm_ms=v.calm_ms,
            figures=figures(stats, v.name),
        )

    return observed.Observed(
        serverless=endpoint.mode == "serverless" or endpoint.stopped,
        deleting=endpoint.deleting,
        unrouted=confirmed,
        idle=endpoint.stopped or (endpoint.mode == "serverless" and is_idle(endpoint, stats, now_ms)),
        notice=endpoint.notice,
        variants=tuple(variant(v) for v in endpoint.variants),
        rollout=rollout.decode(endpoint.rollout),
        target_load=endpoint.target_load,
    )


def figures(stats: Mapping[str, Any], variant: str) -> rollout.Figures:
    """The gateway's figures of one variant; nothing where it has said none."""
    found = (stats.get("variants") or {}).get(variant) or {}
    p99 = found.get("p99_ms")
    return rollout.Figures(
        requests=int(found.get("requests") or 0),
        errors=int(found.get("errors") or 0),
        p99_ms=None if p99 is None else float(p99),
        load=float(found.get("load") or 0.0),
    )


def is_idle(endpoint: Endpoint, stats: Mapping[str, Any], now_ms: int) -> bool:
    """Whether nobody used it for its idle time; becoming ready counts as use."""
    if stats.get("inflight", 0) > 0:
        return False
    ready = [r.ready_ms or r.created_ms for v in endpoint.variants for r in v.replicas if r.state is ReplicaState.ready]
    last = max([int(stats.get("last_ms", 0) or 0), endpoint.created_ms, *ready])
    return now_ms - last >= endpoint.idle_s * 1000
