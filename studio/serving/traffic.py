"""What becomes of the traffic when a variant has passed, and at each step of a shift."""

import msgspec
from sqlalchemy import Connection

from studio.serving import endpoints, promotion, rollout, variants
from studio.serving.endpoints import Endpoint
from studio.serving.events import tell
from studio.serving.rollout import WHOLE, Figures, Finish, RollBack, Rollout, Shift
from studio.serving.states import VariantState
from studio.serving.variants import Variant


def route(db: Connection, endpoint: Endpoint, variant: Variant, seen: Figures, now_ms: int) -> None:
    """`variant` has passed: it takes its weight beside the others, its first share of a shift, or everything."""
    if variant.joins:
        variants.set_state(db, variant.id, VariantState.serving, reason="", detail="")
        copies = f"gets copies of {variant.weight:g} % of the requests"
        tell(db, endpoint.id, f"{variant.name} {copies if variant.shadow else 'has its share of the traffic'}.")
        return
    shift = rollout.decode(endpoint.rollout)
    before = {v.id: v.weight for v in endpoint.variants if v.state is VariantState.serving and not v.shadow}
    if shift is None or shift.variant != variant.id or not before:
        variants.route(db, variant)
        _took_over(db, endpoint, variant)
        return
    share = shift.strategy.first
    begun = msgspec.structs.replace(shift, before=before, requests=seen.requests, errors=seen.errors)
    variants.set_state(db, variant.id, VariantState.serving, reason="", detail="")
    _share(db, endpoint, begun, share, now_ms)


def roll(db: Connection, endpoint: Endpoint, step: Shift | Finish | RollBack, now_ms: int) -> None:
    """One step of the shift under way; nothing if it has ended meanwhile."""
    shift = rollout.decode(endpoint.rollout)
    variant = next((v for v in endpoint.variants if shift is not None and v.id == shift.variant), None)
    if shift is None or variant is None:
        return
    match step:
        case Shift(share):
            _share(db, endpoint, shift, share, now_ms)
        case RollBack(reason):
            promotion.take_back(db, endpoint, reason)
        case Finish():
            variants.route(db, variant)
            endpoints.change(db, endpoint, rollout="")
            _took_over(db, endpoint, variant, shift)


def _share(db: Connection, endpoint: Endpoint, shift: Rollout, share: float, now_ms: int) -> None:
    for id, weight in rollout.weights(shift, share).items():
        variants.change(db, id, weight=weight)
    moved = msgspec.structs.replace(shift, share=share, moved_ms=now_ms)
    endpoints.change(db, endpoint, rollout=rollout.encode(moved), notice="")
    version = endpoint.variant(shift.variant).version
    what = "all of the traffic" if share >= WHOLE else f"{share:g} % of the traffic"
    tell(db, endpoint.id, f"Version {version} has {what}.")


def _took_over(db: Connection, endpoint: Endpoint, variant: Variant, shift: Rollout | None = None) -> None:
    """What the endpoint says once `variant` alone serves."""
    weights = shift.before if shift else {v.id: v.weight for v in endpoint.variants}
    old = [v for v in endpoint.variants if v.state is VariantState.serving and not v.shadow and v.id != variant.id]
    before = max(old, key=lambda v: weights.get(v.id, 0.0), default=None)
    changes: dict[str, object] = {"notice": "", "version": variant.version}
    if before is not None and before.version != variant.version:
        changes["previous_version"] = before.version
    endpoints.change(db, endpoint, **changes)
    tell(db, endpoint.id, f"Version {variant.version} has the traffic{' alone' if shift else ''}.")
