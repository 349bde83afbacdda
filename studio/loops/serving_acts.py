"""What the serving loop writes down of what it decided. Every act may be repeated."""

from sqlalchemy import Connection

from studio.clock import now_ms
from studio.loops.context import LoopContext
from studio.serving import endpoints, promotion, rollout, traffic
from studio.serving import variants as rows
from studio.serving.actions import Action, Adopt, Decision, Fail, Park, Retire, Roll, Route, Scale
from studio.serving.endpoints import Endpoint
from studio.serving.events import tell
from studio.serving.observing import figures
from studio.serving.rollout import Figures
from studio.serving.states import EndpointState, ReplicaState, VariantState
from studio.serving.variants import Variant, new_replica_id


async def note_state(context: LoopContext, endpoint: Endpoint, decision: Decision) -> None:
    """Writes the endpoint's state. InService is said only when the gateway routes to it."""
    if decision.state is EndpointState.in_service:
        await context.gateway.confirmed()

    def change(db: Connection) -> None:
        endpoints.change(db, endpoint, state=decision.state, reason=decision.reason)
        if decision.state is not endpoint.state and decision.state is not EndpointState.deleting:
            tell(db, endpoint.id, f"{decision.state}. {decision.reason}".strip())

    await context.store.write(change)


async def write(context: LoopContext, endpoint: Endpoint, action: Action) -> None:
    """The acts that are nothing but rows."""

    def change(db: Connection) -> None:
        # Somebody may have changed it since the decision, which then does not count: the loop is woken and looks again.
        fresh = endpoints.get_by_id(db, endpoint.id)
        if fresh is None or (fresh.rollout != endpoint.rollout and isinstance(action, Route | Roll | Fail)):
            return
        named = getattr(action, "variant", "")
        if named and named not in {v.id for v in fresh.variants}:
            return
        match action:
            case Route(id):
                traffic.route(db, fresh, fresh.variant(id), _figures(context, endpoint, id), now_ms())
            case Roll(step):
                traffic.roll(db, fresh, step, now_ms())
            case Scale(id, wanted, calm_ms):
                _scale(db, endpoint, endpoint.variant(id), wanted, calm_ms)
            case Park(id):
                rows.add_replica(db, id, new_replica_id(), ReplicaState.parked)
            case Adopt(id):
                rows.set_replica(db, id, ReplicaState.starting)
                endpoints.change(db, endpoint, stopped=False)
                tell(db, endpoint.id, "A request woke it.")
            case Fail(id, reason):
                _fail(db, fresh, fresh.variant(id), reason)
            case Retire(id):
                rows.remove(db, id)
        endpoints.change(db, endpoint)

    await context.store.write(change)


def _figures(context: LoopContext, endpoint: Endpoint, variant: str) -> Figures:
    stats = context.gateway_stats.get(f"{endpoint.domain}/{endpoint.name}", {})
    return figures(stats, endpoint.variant(variant).name)


def _scale(db: Connection, endpoint: Endpoint, variant: Variant, wanted: int, calm_ms: int) -> None:
    rows.change(db, variant.id, wanted=wanted, calm_ms=calm_ms)
    if wanted != variant.wanted:
        how = "more" if wanted > variant.wanted else "less"
        tell(db, endpoint.id, f"{variant.name} has {how} to do: {wanted} replicas.")


def _fail(db: Connection, endpoint: Endpoint, variant: Variant, reason: str) -> None:
    detail = next((r.detail for r in variant.replicas if r.detail), variant.detail)
    rows.set_state(db, variant.id, VariantState.failed, reason=reason, detail=detail)
    tell(db, endpoint.id, f"Version {variant.version} cannot serve: {reason}", detail)
    shift = rollout.decode(endpoint.rollout)
    if shift is not None and shift.variant == variant.id:
        promotion.take_back(db, endpoint, reason)
        return
    others = [v for v in endpoint.variants if v.state is VariantState.serving and not v.shadow and v.id != variant.id]
    if others:
        serving = max(others, key=lambda v: v.weight)
        verb = "did not start" if variant.state is VariantState.waiting else "ended"
        notice = f"Version {variant.version} {verb}, version {serving.version} goes on serving: {reason}"
        endpoints.change(db, endpoint, notice=notice, version=serving.version)


def refuse(db: Connection, endpoint: Endpoint, variant: Variant, why: str) -> None:
    """The variant cannot be served, for a reason that is known before anything was started."""
    _fail(db, endpoint, variant, why)
    endpoints.change(db, endpoint)
