"""The gateway's view of endpoints: which sockets answer with which weight, and how to wake one at zero.

The formats are those of `studio.gateway.endpoints` (entries) and `studio.guest.forkserver` (fork operations).
"""

from typing import Any

from sqlalchemy import Connection

from studio.domains import instance_types
from studio.runtime.sandbox import Layout
from studio.runtime.specs import ChildSpec, Isolation, Limits
from studio.serving.endpoints import Endpoint, list_endpoints
from studio.serving.states import ReplicaState, VariantState
from studio.serving.variants import Replica, Variant
from studio.settings import Paths

MAX_BODY = 16 << 20


def entries(db: Connection, paths: Paths, isolation: Isolation) -> dict[str, dict[str, Any]]:
    """ "endpoints/<domain>/<name>" → its entry, for every endpoint that is not being deleted."""
    types = {item.name: item for item in instance_types.list_all(db)}
    found: dict[str, dict[str, Any]] = {}
    for endpoint in list_endpoints(db):
        if not endpoint.deleting:
            kind = types.get(endpoint.instance_type)
            cpu = kind.cpu if kind else 1.0
            layout = Layout(paths, endpoint.domain, "service", isolation)
            found[f"endpoints/{endpoint.domain}/{endpoint.name}"] = entry(endpoint, layout, cpu)
    return found


def entry(endpoint: Endpoint, layout: Layout, cpu: float) -> dict[str, Any]:
    """One endpoint. All weight is on the serving variant; a retiring one stays until nothing of it runs.

    Before the first has passed, callers are held for the one to come: its socket appears when it has passed.
    """
    waiting = [variant for variant in endpoint.variants if variant.state is VariantState.waiting]
    serving = endpoint.serving or (waiting[0] if waiting else None)
    listed = [
        {
            "name": variant.name,
            "weight": 100 if variant is serving else 0,
            "version": str(variant.version),
            "replicas": [str(layout.host_out / r.socket) for r in variant.replicas if _answers(r)],
        }
        for variant in endpoint.variants
        if variant is serving or (variant.state is VariantState.retiring and _live(variant))
    ]
    return {
        "variants": listed,
        # One that was stopped sleeps like a serverless one, whatever its mode.
        "mode": "serverless" if endpoint.stopped else endpoint.mode,
        "idle_s": endpoint.idle_s,
        "timeout_s": endpoint.timeout_s,
        "max_body": MAX_BODY,
        "capture": {"spool": str(layout.host_capture / endpoint.name / "spool")} if endpoint.capture else None,
        "wake": _wake(serving, layout, cpu) if serving is not None else None,
    }


def _answers(replica: Replica) -> bool:
    """A parked one's socket is named too: that is where the woken process will answer."""
    return replica.state in (ReplicaState.ready, ReplicaState.parked, ReplicaState.starting)


def _live(variant: Variant) -> bool:
    return any(r.state is ReplicaState.ready for r in variant.replicas)


def _wake(serving: Variant, layout: Layout, cpu: float) -> dict[str, Any] | None:
    parked = [r for r in serving.replicas if r.state is ReplicaState.parked]
    if not parked:
        return None
    fork = layout.host_out / f"fork-{serving.environment}.sock"
    return {"socket": str(fork), "requests": [_fork(child(serving, r, layout, cpu)) for r in parked]}


def _fork(spec: ChildSpec) -> dict[str, Any]:
    return {"op": "fork", "name": spec.name, "kind": spec.kind, "cwd": spec.cwd, "env": spec.env, "args": spec.args}


def child(variant: Variant, replica: Replica, layout: Layout, cpu: float) -> ChildSpec:
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
        },
    )


def limits(cpu: float, memory_mb: int) -> Limits:
    """What a replica may use; processes and threads are bounded so that a model that forks hurts only itself."""
    return Limits(cpu=cpu, memory_mb=memory_mb, pids=256)
