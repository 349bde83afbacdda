"""Several variants of one endpoint side by side: who joins, with which weight and how many replicas, who leaves."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite

from sqlalchemy import Connection

from studio.domains import instance_types
from studio.environments import environments
from studio.errors import Conflict, Invalid, NotFound
from studio.ids import check_name
from studio.registry import versions
from studio.serving import endpoints, variants
from studio.serving.endpoints import Endpoint
from studio.serving.events import tell
from studio.serving.states import VariantState
from studio.serving.variants import Variant

MOST_VARIANTS = 10
LIVE = (VariantState.waiting, VariantState.serving)


@dataclass(frozen=True, slots=True)
class Joining:
    """A variant to come beside the others. `environment`, `instance_type` empty: as the one that serves; `weight`:
    relative to the others', of a shadow the per cent of requests that are copied to it."""

    version: int
    weight: float
    name: str = ""
    environment: str = ""
    instance_type: str = ""
    min_replicas: int = 1
    max_replicas: int = 1
    shadow: bool = False


def join(db: Connection, domain: str, name: str, wanted: Joining, user: str) -> Endpoint:
    """Asks for another variant; it takes its weight when it has passed."""
    found = _settled(db, domain, name)
    shown = found.shown
    if shown is None or found.serving is None:
        raise Conflict(f"The endpoint {name} has nothing that serves.", "Promote a version first.")
    version = versions.resolve(db, domain, f"models:/{found.model}/{wanted.version}").version
    _check_weight(wanted.weight, shadow=wanted.shadow)
    variants.check_limits(wanted.min_replicas, wanted.max_replicas)
    if wanted.name:
        check_name(wanted.name, "variant")
    where = environments.require_ready(db, domain, wanted.environment or shown.environment).name
    kind = instance_types.get(db, wanted.instance_type or shown.instance_type).name
    live = [v for v in found.variants if v.state in LIVE]
    if any(v.name == wanted.name for v in live):
        raise Conflict(f"{name} has a variant {wanted.name} already.", "Choose another name, or remove that one first.")
    if len(live) >= MOST_VARIANTS:
        raise Conflict(f"{name} has {len(live)} variants, the most that are possible.", "Remove one first.")
    row = variants.Wanted(
        version, where, kind, wanted.name, wanted.weight, wanted.min_replicas, wanted.max_replicas, wanted.shadow, True
    )
    variants.add(db, found.id, row)
    how = f"a copy of {wanted.weight:g} % of the requests" if wanted.shadow else f"weight {wanted.weight:g}"
    tell(db, found.id, f"{user} adds version {version} with {how}.")
    endpoints.change(db, found)
    return endpoints.get(db, domain, name)


def leave(db: Connection, domain: str, name: str, variant: str, user: str) -> Endpoint:
    """The variant finishes what it has begun and ends; not the last one that has weight."""
    found = _settled(db, domain, name)
    leaving = _named(found, variant)
    others = [v for v in _weighted(found) if v.id != leaving.id and v.state is VariantState.serving]
    if not leaving.shadow and leaving.state is VariantState.serving and not any(v.weight for v in others):
        raise Conflict(f"{variant} has all of the traffic of {name}.", "Give another one weight first.")
    variants.set_state(db, leaving.id, VariantState.retiring)
    tell(db, found.id, f"{user} removes {variant}.")
    endpoints.change(db, found)
    return endpoints.get(db, domain, name)


def weigh(db: Connection, domain: str, name: str, weights: Mapping[str, float], user: str) -> Endpoint:
    """Sets weights by variant; those that are not named keep theirs. At least one must be above 0."""
    found = _settled(db, domain, name)
    changed = {_named(found, variant).id: weight for variant, weight in weights.items()}
    for v in found.variants:
        if v.id in changed:
            _check_weight(changed[v.id], shadow=v.shadow)
    if not any(changed.get(v.id, v.weight) for v in _weighted(found)):
        raise Invalid(f"Nothing of {name} would have weight.", "Give at least one variant a weight above 0.")
    for id, weight in changed.items():
        variants.change(db, id, weight=weight)
    tell(db, found.id, f"{user} sets " + ", ".join(f"{v} to {w:g}" for v, w in weights.items()) + ".")
    endpoints.change(db, found)
    return endpoints.get(db, domain, name)


def limit(db: Connection, domain: str, name: str, variant: str, least: int, most: int, user: str) -> Endpoint:
    """How many replicas a variant has at least and at most."""
    found = endpoints.changeable(db, domain, name)
    variants.check_limits(least, most)
    variants.change(db, _named(found, variant).id, min_replicas=least, max_replicas=most)
    tell(db, found.id, f"{user} gives {variant} {least} to {most} replicas.")
    endpoints.change(db, found)
    return endpoints.get(db, domain, name)


def _settled(db: Connection, domain: str, name: str) -> Endpoint:
    found = endpoints.changeable(db, domain, name)
    if found.rollout:
        raise Conflict(f"The traffic of {name} is being shifted.", "Wait until that is done, or undo it.")
    return found


def _weighted(found: Endpoint) -> list[Variant]:
    return [v for v in found.variants if v.state in LIVE and not v.shadow]


def _named(found: Endpoint, variant: str) -> Variant:
    for v in found.variants:
        if v.name == variant and v.state in LIVE:
            return v
    known = ", ".join(v.name for v in found.variants if v.state in LIVE) or "none"
    raise NotFound(f"The endpoint {found.name} has no variant {variant[:80]!r}.", f"Its variants: {known}.")


def _check_weight(weight: float, *, shadow: bool) -> None:
    most = 100 if shadow else 1_000_000
    if not isfinite(weight) or not 0 <= weight <= most:
        raise Invalid(f"A weight of {weight:g} is not possible.", f"Choose 0 to {most}.")
