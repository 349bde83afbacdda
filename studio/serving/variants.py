"""Variants and replicas as rows: what `loops.serving` saw of them and did to them."""

from dataclasses import dataclass, fields, replace
from itertools import count
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from studio.clock import now_ms
from studio.errors import Conflict, Invalid
from studio.ids import new_id
from studio.serving.decide import STEADY_MS, retry_delay_ms
from studio.serving.states import REPLICA_TRANSITIONS, VARIANT_TRANSITIONS, ReplicaState, VariantState
from studio.store.tables.serving import endpoints, replicas, variants
from studio.store.tenancy import scope_query

MOST_REPLICAS = 32


@dataclass(frozen=True, slots=True)
class Replica:
    """A process of a variant, or the name for one; `pid` is the host's."""

    id: str
    variant: str
    state: ReplicaState
    pid: int
    reason: str
    detail: str
    created_ms: int
    ready_ms: int | None

    @property
    def socket(self) -> str:
        """Name of its socket below the sandbox's `out`."""
        return f"r/{self.id}.sock"


@dataclass(frozen=True, slots=True)
class Variant:
    """A version in an endpoint. `name`: what callers see in `x-Amzn-Invoked-Production-Variant`; `weight`: its share is
    relative to the others', of a shadow it is the per cent of requests that are copied to it; `wanted`: replicas, from
    `min_replicas` to `max_replicas`; `calm_ms`: since when fewer would do, 0 if they would not; `joins`: it takes its
    weight beside the others, else it takes their place; `signature`, `example` and `loaded` are JSON, from inside the
    sandbox."""

    id: str
    endpoint: str
    version: int
    environment: str
    state: VariantState
    digest: str
    baseline: str
    failures: int
    retry_ms: int
    reason: str
    detail: str
    signature: str
    example: str
    name: str
    weight: float
    instance_type: str
    min_replicas: int
    max_replicas: int
    wanted: int
    calm_ms: int
    shadow: bool
    joins: bool
    loaded: str
    created_ms: int
    replicas: tuple[Replica, ...]


def new_replica_id() -> str:
    """Also the name of its process and of its socket."""
    return new_id("r")


@dataclass(frozen=True, slots=True)
class Wanted:
    """A variant to come; the words are those of `Variant`."""

    version: int
    environment: str
    instance_type: str
    name: str = ""
    weight: float = 100.0
    min_replicas: int = 1
    max_replicas: int = 1
    shadow: bool = False
    joins: bool = False


def like(wanted: Wanted, other: Variant) -> Wanted:
    """`wanted` with as many replicas as `other` may have."""
    return replace(wanted, min_replicas=other.min_replicas, max_replicas=other.max_replicas)


def add(db: Connection, endpoint: str, wanted: Wanted) -> str:
    """A waiting variant; its id. One that would take the others' place and waits already retires: the last request
    counts."""
    if not wanted.joins:
        cancel_waiting(db, endpoint)
    id = new_id("var")
    name = _free_name(db, endpoint, wanted.name or f"v{wanted.version}")
    given = {field.name: getattr(wanted, field.name) for field in fields(wanted)}
    given |= {"id": id, "endpoint": endpoint, "wanted": wanted.min_replicas, "created_ms": now_ms()}
    db.execute(insert(variants).values(**given | {"name": name}, state=VariantState.waiting))
    return id


def _free_name(db: Connection, endpoint: str, name: str) -> str:
    """`name`, or with a number if a variant that callers may ask for has it."""
    live = (VariantState.waiting, VariantState.serving)
    query = select(variants.c.name).where(variants.c.endpoint == endpoint, variants.c.state.in_(live))
    taken = set(db.execute(query).scalars())
    return next(free for n in count(1) if (free := name if n == 1 else f"{name}-{n}") not in taken)


def check_limits(least: int, most: int) -> None:
    """`Invalid` unless an endpoint's variant can have `least` to `most` replicas."""
    if not 1 <= least <= most <= MOST_REPLICAS:
        raise Invalid(
            f"{least} to {most} replicas are not possible.",
            f"Choose 1 to {MOST_REPLICAS}, the least not above the most.",
        )


def cancel_waiting(db: Connection, endpoint: str) -> None:
    """What waits to take the others' place shall not come; what serves goes on."""
    mine = (variants.c.endpoint == endpoint) & (variants.c.state == VariantState.waiting) & ~variants.c.joins
    db.execute(update(variants).where(mine).values(state=VariantState.retiring))


def route(db: Connection, variant: Variant) -> None:
    """`variant` has all of the traffic from now on; shadows of others stay."""
    set_state(db, variant.id, VariantState.serving, reason="", detail="", weight=100.0)
    retire_others(db, variant)


def retire_others(db: Connection, variant: Variant) -> None:
    """What shares the traffic with `variant` finishes what it has begun; so do its own version's shadows."""
    others = (variants.c.endpoint == variant.endpoint) & (variants.c.id != variant.id)
    others &= variants.c.state == VariantState.serving
    others &= ~variants.c.shadow | (variants.c.version == variant.version)
    db.execute(update(variants).where(others).values(state=VariantState.retiring))


def set_state(db: Connection, variant: str, state: VariantState, **values: Any) -> None:
    """Moves a variant, or `Conflict` if that cannot follow (somebody else moved it meanwhile)."""
    before = db.scalar(select(variants.c.state).where(variants.c.id == variant))
    if before is None or (before != state and state not in VARIANT_TRANSITIONS[VariantState(before)]):
        raise Conflict(f"The variant {variant} is {before or 'gone'} and cannot become {state}.", "Look again.")
    db.execute(update(variants).where(variants.c.id == variant).values(state=state, **values))


def change(db: Connection, variant: str, **values: Any) -> None:
    """Notes what was found out about a variant."""
    db.execute(update(variants).where(variants.c.id == variant).values(values))


def remove(db: Connection, variant: str) -> None:
    """Forgets a variant of which nothing runs."""
    db.execute(delete(variants).where(variants.c.id == variant))


def list_variants(db: Connection, endpoint: str) -> tuple[Variant, ...]:
    """All of an endpoint with their replicas, oldest first."""
    mine: dict[str, list[Replica]] = {}
    joined = replicas.join(variants, variants.c.id == replicas.c.variant)
    query = select(replicas).select_from(joined).where(variants.c.endpoint == endpoint).order_by(replicas.c.created_ms)
    for row in db.execute(query):
        values = dict(row._mapping) | {"state": ReplicaState(row.state)}
        mine.setdefault(row.variant, []).append(Replica(**values))
    found = select(variants).where(variants.c.endpoint == endpoint).order_by(variants.c.created_ms, variants.c.id)
    return tuple(
        Variant(**{**row._mapping, "state": VariantState(row.state)}, replicas=tuple(mine.get(row.id, ())))
        for row in db.execute(found)
    )


def add_replica(db: Connection, variant: str, replica: str, state: ReplicaState) -> None:
    """A new name, of a process to come (`Starting`) or to be woken (`Parked`)."""
    db.execute(insert(replicas).values(id=replica, variant=variant, state=state, created_ms=now_ms()))


def set_replica(db: Connection, replica: str, state: ReplicaState, **values: Any) -> bool:
    """Moves a replica; False if it is gone or cannot become that any more."""
    before = db.scalar(select(replicas.c.state).where(replicas.c.id == replica))
    if before is None or (before != state and state not in REPLICA_TRANSITIONS[ReplicaState(before)]):
        return False
    db.execute(update(replicas).where(replicas.c.id == replica).values(state=state, **values))
    return True


def forget_replica(db: Connection, replica: str, *, failed: bool, reason: str = "", detail: str = "") -> None:
    """Its process is gone. `failed`: unasked; its variant counts it and waits before the next start."""
    row = db.execute(
        select(replicas.c.ready_ms, variants.c.id, variants.c.failures)
        .select_from(replicas.join(variants, variants.c.id == replicas.c.variant))
        .where(replicas.c.id == replica)
    ).one_or_none()
    if row is None:
        return
    db.execute(delete(replicas).where(replicas.c.id == replica))
    if failed:
        now = now_ms()
        steady = row.ready_ms is not None and now - row.ready_ms >= STEADY_MS
        failures = (0 if steady else row.failures) + 1
        change(db, row.id, failures=failures, retry_ms=now + retry_delay_ms(failures), reason=reason, detail=detail)


def digests(db: Connection, domain: str) -> set[str]:
    """The materialised folders that variants of `domain` use."""
    query = scope_query(select(variants.c.digest, variants.c.baseline), endpoints, domain)
    found = db.execute(query.join_from(variants, endpoints)).all()
    return {name for row in found for name in row if name}
