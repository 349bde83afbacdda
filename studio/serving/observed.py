"""What a decision about an endpoint rests on: what is wanted and what was seen."""

from dataclasses import dataclass

from studio.serving.states import ReplicaState, VariantState


@dataclass(frozen=True, slots=True)
class Replica:
    """One process, or the name for one. `alive`: the supervisor says that it runs."""

    id: str
    state: ReplicaState
    alive: bool = False
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Variant:
    """One version in an endpoint. `place`: its environment's fork server answers. `unrouted`: the gateway acknowledged
    that it sends it nothing new; of a parked one: that it knows how to wake it."""

    id: str
    version: int
    state: VariantState
    materialised: bool = False
    place: bool = False
    failures: int = 0
    retry_ms: int = 0
    unrouted: bool = False
    reason: str = ""
    replicas: tuple[Replica, ...] = ()


@dataclass(frozen=True, slots=True)
class Observed:
    """One endpoint. `unrouted`: deleting, and the gateway acknowledged that it is gone. `idle`: unused for its idle
    time. `notice`: why the last update did not take."""

    serverless: bool = False
    deleting: bool = False
    unrouted: bool = False
    idle: bool = False
    notice: str = ""
    variants: tuple[Variant, ...] = ()
