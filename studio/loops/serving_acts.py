"""What the serving loop writes down of what it decided. Every act may be repeated."""

from sqlalchemy import Connection

from studio.loops.context import LoopContext
from studio.serving import endpoints
from studio.serving import variants as rows
from studio.serving.actions import Action, Adopt, Decision, Fail, Park, Retire, Route
from studio.serving.endpoints import Endpoint
from studio.serving.events import tell
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
        match action:
            case Route(id):
                _route(db, endpoint, endpoint.variant(id))
            case Park(id):
                rows.add_replica(db, id, new_replica_id(), ReplicaState.parked)
            case Adopt(id):
                rows.set_replica(db, id, ReplicaState.starting)
                endpoints.change(db, endpoint, stopped=False)
                tell(db, endpoint.id, "A request woke it.")
            case Fail(id, reason):
                _fail(db, endpoint, endpoint.variant(id), reason)
            case Retire(id):
                rows.remove(db, id)
        endpoints.change(db, endpoint)

    await context.store.write(change)


def _route(db: Connection, endpoint: Endpoint, variant: Variant) -> None:
    before = endpoint.serving
    rows.route(db, variant)
    changes: dict[str, object] = {"notice": "", "version": variant.version}
    if before is not None and before.version != variant.version:
        changes["previous_version"] = before.version
    endpoints.change(db, endpoint, **changes)
    tell(db, endpoint.id, f"Version {variant.version} has the traffic.")


def _fail(db: Connection, endpoint: Endpoint, variant: Variant, reason: str) -> None:
    detail = next((r.detail for r in variant.replicas if r.detail), variant.detail)
    rows.set_state(db, variant.id, VariantState.failed, reason=reason, detail=detail)
    serving = endpoint.serving
    tell(db, endpoint.id, f"Version {variant.version} cannot serve: {reason}", detail)
    if serving is not None and serving.id != variant.id:
        notice = f"Version {variant.version} did not start, version {serving.version} goes on serving: {reason}"
        endpoints.change(db, endpoint, notice=notice, version=serving.version)


def refuse(db: Connection, endpoint: Endpoint, variant: Variant, why: str) -> None:
    """The variant cannot be served, for a reason that is known before anything was started."""
    _fail(db, endpoint, variant, why)
    endpoints.change(db, endpoint)
