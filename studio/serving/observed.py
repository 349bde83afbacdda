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
    """One version in an endpoint. `unrouted`: the gateway acknowledged that it sends it nothing new and nothing is under way;
    for a parked one: that it knows how to wake it."""

    id: str
    version: int
    state: VariantState
    materialised: bool = False
    place: bool = False  # its environment's fork server answers
    failures: int = 0
    retry_ms: int = 0
    passed: bool = False  # has once answered its example
    unrouted: bool = False
    reason: str = ""
    replicas: tuple[Replica, ...] = ()


@dataclass(frozen=True, slots=True)
class Observed:
    """One endpoint. `idle`: serverless and unused for its idle time. `wake`: wanted awake by somebody in the panel."""

    serverless: bool = False
    deleting: bool = False
    unrouted: bool = False  # deleting: the gateway acknowledged that the endpoint is gone
    idle: bool = False
    wake: bool = False
    notice: str = ""
    variants: tuple[Variant, ...] = ()
