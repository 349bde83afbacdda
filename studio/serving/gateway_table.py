"""The gateway's view of endpoints: which sockets answer with which weight, and how to wake one at zero.

The formats are those of `studio.gateway.endpoints` (entries) and `studio.guest.forkserver` (fork operations).
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection

from studio.domains import instance_types
from studio.runtime.sandbox import Layout
from studio.runtime.specs import ChildSpec, Isolation, Limits
from studio.serving.endpoints import Endpoint, list_endpoints
from studio.serving.states import ReplicaState, VariantState
from studio.serving.variants import Replica, Variant
from studio.settings import Paths


def entries(db: Connection, paths: Paths, isolation: Isolation) -> dict[str, dict[str, Any]]:
    """ "endpoints/<domain>/<name>" → its entry, for every endpoint that is not being deleted."""
    cpus = {item.name: item.cpu for item in instance_types.list_all(db)}
    found: dict[str, dict[str, Any]] = {}
    for endpoint in list_endpoints(db):
        if not endpoint.deleting:
            layout = Layout(paths, endpoint.domain, "service", isolation)
            found[f"endpoints/{endpoint.domain}/{endpoint.name}"] = entry(endpoint, layout, cpus)
    return found


def entry(endpoint: Endpoint, layout: Layout, cpus: Mapping[str, float]) -> dict[str, Any]:
    """One endpoint; `cpus`: cores by instance type. A retiring variant stays, without weight, until nothing of it runs.

    Before the first has passed, callers are held for the one to come: its socket appears when it has passed.
    """
    serving = [v for v in endpoint.variants if v.state is VariantState.serving]
    if not any(not v.shadow for v in serving):
        serving += [v for v in endpoint.variants if v.state is VariantState.waiting and not v.shadow][:1]
    retiring = [v for v in endpoint.variants if v.state is VariantState.retiring and _live(v)]
    capture = {"spool": str(layout.host_capture / endpoint.name / "spool"), "percent": endpoint.capture_percent}
    return {
        "variants": [_variant(v, v.weight, layout) for v in serving] + [_variant(v, 0, layout) for v in retiring],
        # One that was stopped sleeps like a serverless one, whatever its mode.
        "mode": "serverless" if endpoint.stopped else endpoint.mode,
        "idle_s": endpoint.idle_s,
        "timeout_s": endpoint.timeout_s,
        "max_body": endpoint.max_body,
        "rate_limit": endpoint.rate_limit,
        "cors": list(endpoint.cors),
        "capture": capture if endpoint.capture else None,
        "wake": [found for v in serving if (found := _wake(endpoint, v, layout, cpus.get(v.instance_type, 1.0)))],
    }


def _variant(variant: Variant, weight: float, layout: Layout) -> dict[str, Any]:
    return {
        "name": variant.name,
        "weight": weight,
        "version": str(variant.version),
        "shadow": variant.shadow,
        "replicas": [str(layout.host_out / r.socket) for r in variant.replicas if _answers(r)],
    }


def _answers(replica: Replica) -> bool:
    """A parked one's socket is named too: that is where the woken process will answer."""
    return replica.state in (ReplicaState.ready, ReplicaState.parked, ReplicaState.starting)


def _live(variant: Variant) -> bool:
    return any(r.state is ReplicaState.ready for r in variant.replicas)


def _wake(endpoint: Endpoint, variant: Variant, layout: Layout, cpu: float) -> dict[str, Any] | None:
    parked = [r for r in variant.replicas if r.state is ReplicaState.parked]
    if not parked:
        return None
    fork = layout.host_out / f"fork-{variant.environment}.sock"
    requests = [_fork(child(endpoint, variant, r, layout, cpu)) for r in parked]
    return {"variant": variant.name, "socket": str(fork), "requests": requests}


def _fork(spec: ChildSpec) -> dict[str, Any]:
    return {"op": "fork", "name": spec.name, "kind": spec.kind, "cwd": spec.cwd, "env": spec.env, "args": spec.args}


def child(endpoint: Endpoint, variant: Variant, replica: Replica, layout: Layout, cpu: float) -> ChildSpec:
    """How a replica of `variant` is forked; `cpu`: cores of its instance type."""
    return ChildSpec(
        name=replica.id,
        kind="replica",
        cwd=layout.inside_out,
        env={"OMP_NUM_THREADS": str(max(1, int(cpu))), "OPENBLAS_NUM_THREADS": str(max(1, int(cpu)))},
        args={
            "socket": f"{layout.inside_out}/{replica.socket}",
            "model_dir": f"{layout.inside_models}/{variant.digest}",
            "name": replica.id,
            "fast_path": endpoint.fast_path,
        },
    )


def limits(cpu: float, memory_mb: int) -> Limits:
    """What a replica may use; processes and threads are bounded so that a model that forks hurts only itself."""
    return Limits(cpu=cpu, memory_mb=memory_mb, pids=256)
