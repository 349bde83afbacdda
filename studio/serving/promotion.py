"""Another version in place of the one that serves: at once or by a strategy, and back."""

from typing import Any

import msgspec
from sqlalchemy import Connection

from studio.environments import environments
from studio.environments.defaults import get_default
from studio.errors import Conflict
from studio.registry import versions
from studio.serving import endpoints, rollout, variants
from studio.serving.endpoints import Endpoint
from studio.serving.events import tell
from studio.serving.rollout import Rollout, Strategy
from studio.serving.states import EndpointState, VariantState
from studio.serving.variants import list_variants

AT_ONCE = Strategy()


def promote(
    db: Connection,
    domain: str,
    name: str,
    version: int,
    user: str,
    environment: str = "",
    strategy: Strategy = AT_ONCE,
) -> Endpoint:
    """Asks for `version` of the endpoint's model in place of what serves; nothing if it alone serves already. A shift
    that is under way is taken back first."""
    found = endpoints.changeable(db, domain, name)
    target = versions.resolve(db, domain, f"models:/{found.model}/{version}")
    if found.rollout:
        take_back(db, found, f"{user} promotes version {version}.")
        found = endpoints.get(db, domain, name)
    serving = found.serving
    where = environment or (found.shown.environment if found.shown else get_default(db, domain))
    environments.require_ready(db, domain, where)
    alone = serving is not None and sum(v.state is VariantState.serving and not v.shadow for v in found.variants) == 1
    if alone and serving is not None and (serving.version, serving.environment) == (version, where):
        variants.cancel_waiting(db, found.id)
    else:
        _ask(db, found, target.version, where, user, strategy)
    values: dict[str, Any] = {"version": version, "notice": "", "stopped": False}
    if any(v.state is VariantState.waiting and not v.joins for v in list_variants(db, found.id)):
        # Said at once: who asks right after this must not take the old InService for the new one.
        values |= {"state": EndpointState.updating if serving else EndpointState.creating}
        values |= {"reason": f"Version {version} is on its way."}
    endpoints.change(db, found, **values)
    return endpoints.get(db, domain, name)


def _ask(db: Connection, found: Endpoint, version: int, where: str, user: str, strategy: Strategy) -> None:
    waits = [v for v in found.variants if v.state is VariantState.waiting and not v.joins]
    if any((v.version, v.environment) == (version, where) for v in waits):
        return
    like = found.serving or found.shown
    wanted = variants.Wanted(version, where, like.instance_type if like else found.instance_type)
    if like is not None:
        wanted = variants.like(wanted, like)
    id = variants.add(db, found.id, wanted)
    tell(db, found.id, f"{user} promotes version {version}{_how(strategy)}.")
    planned = None if strategy.is_plain or found.serving is None else Rollout(id, strategy)
    endpoints.change(db, found, rollout=rollout.encode(planned))


def _how(strategy: Strategy) -> str:
    match strategy.kind:
        case "canary":
            return f", {strategy.percent:g} % of the traffic first"
        case "linear":
            return f", in steps of {strategy.percent:g} %"
        case "all_at_once":
            return ""


def undo(db: Connection, domain: str, name: str, user: str) -> Endpoint:
    """Takes a shift under way back at once; else the version that served before is promoted."""
    found = endpoints.changeable(db, domain, name)
    if found.rollout:
        take_back(db, found, f"{user} took it back.")
        return endpoints.get(db, domain, name)
    if found.previous_version is None:
        raise Conflict(f"The endpoint {name} has had no other version.", "Promote one to have something to undo.")
    return promote(db, domain, name, found.previous_version, user)


def take_back(db: Connection, found: Endpoint, reason: str) -> None:
    """The others have their weights again; the new variant ends, and the endpoint says why."""
    shift = rollout.decode(found.rollout)
    if shift is None:
        return
    new = next((v for v in found.variants if v.id == shift.variant), None)
    for id, weight in shift.before.items():
        variants.change(db, id, weight=weight)
    values: dict[str, Any] = {"rollout": ""}
    if new is not None:
        if new.state in (VariantState.waiting, VariantState.serving):
            # It finishes what it has begun: callers notice nothing of this either.
            variants.set_state(db, new.id, VariantState.retiring, reason=reason)
        if kept := [v for v in found.variants if v.state is VariantState.serving and not v.shadow and v is not new]:
            values |= {"version": max(kept, key=lambda v: shift.before.get(v.id, v.weight)).version}
        values |= {"notice": f"Version {new.version} was taken back: {reason}"}
        tell(db, found.id, f"Version {new.version} was taken back: {reason}")
    endpoints.change(db, found, **values)


def note_drift(db: Connection, found: Endpoint, message: str) -> None:
    """An alert opened: a shift that is under way and asked for it is taken back by the loop."""
    fresh = endpoints.get_by_id(db, found.id)  # what the check began with may be older than the last step
    shift = rollout.decode(fresh.rollout) if fresh else None
    if shift is not None and shift.share and shift.strategy.on_drift:
        endpoints.change(db, found, rollout=rollout.encode(msgspec.structs.replace(shift, drift=message)))
