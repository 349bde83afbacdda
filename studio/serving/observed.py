"""What a decision about an endpoint rests on: what is wanted and what was seen."""

from dataclasses import dataclass, field

from studio.serving.rollout import Figures, Rollout
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
    that it sends it nothing new; of a parked one: that it knows how to wake it. `wanted`: replicas, between `least` and
    `most`; `weight`: its share is relative to the others'; `figures`: the gateway's."""

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
    name: str = ""
    weight: float = 100.0
    shadow: bool = False
    wanted: int = 1
    least: int = 1
    most: int = 1
    calm_ms: int = 0
    figures: Figures = field(default_factory=Figures)

    @property
    def answers(self) -> bool:
        """Whether a replica of it has passed and runs."""
        return any(r.alive and r.state is ReplicaState.ready for r in self.replicas)


@dataclass(frozen=True, slots=True)
class Observed:
    """One endpoint. `unrouted`: deleting, and the gateway acknowledged that it is gone. `idle`: unused for its idle
    time. `notice`: why the last update did not take; `rollout`: the shift of traffic under way; `target_load`: requests
    in flight and queued that one replica should have."""

    serverless: bool = False
    deleting: bool = False
    unrouted: bool = False
    idle: bool = False
    notice: str = ""
    variants: tuple[Variant, ...] = ()
    rollout: Rollout | None = None
    target_load: float = 4.0
