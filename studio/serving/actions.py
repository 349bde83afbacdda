"""What can be done for an endpoint. Each action is idempotent: it may be applied again after a crash."""

from dataclasses import dataclass

from studio.serving.rollout import Finish, RollBack, Shift
from studio.serving.states import EndpointState


@dataclass(frozen=True, slots=True)
class Materialise:
    """Copy the version's files to where the sandbox sees them, and check that its environment can load it."""

    variant: str


@dataclass(frozen=True, slots=True)
class StartReplica:
    """Fork a process; under the name of a parked replica if one is given. `nth` tells it from the variant's others."""

    variant: str
    replica: str = ""
    nth: int = 0


@dataclass(frozen=True, slots=True)
class Adopt:
    """Somebody (the gateway) started the parked replica: it is a starting one now."""

    replica: str


@dataclass(frozen=True, slots=True)
class Probe:
    """Ask the process whether it has passed its example; keeps asking until it says yes or no."""

    replica: str


@dataclass(frozen=True, slots=True)
class StopReplica:
    """INT → TERM → KILL. Nothing is routed to it any more."""

    replica: str


@dataclass(frozen=True, slots=True)
class Forget:
    """The process is gone: remove its row and socket. `failed`: it was not asked to go, count it."""

    replica: str
    failed: bool = False


@dataclass(frozen=True, slots=True)
class Route:
    """The variant has passed: it takes its weight, or all of the traffic, at once or as its rollout says."""

    variant: str


@dataclass(frozen=True, slots=True)
class Park:
    """Give the variant a name to be woken under."""

    variant: str


@dataclass(frozen=True, slots=True)
class Fail:
    """The variant cannot serve."""

    variant: str
    reason: str


@dataclass(frozen=True, slots=True)
class Retire:
    """Nothing of the variant runs: remove it."""

    variant: str


@dataclass(frozen=True, slots=True)
class Remove:
    """Nothing of the endpoint runs: remove it with what it captured."""


@dataclass(frozen=True, slots=True)
class Scale:
    """The variant should have `wanted` replicas; fewer would do since `calm_ms` (0: no)."""

    variant: str
    wanted: int
    calm_ms: int


@dataclass(frozen=True, slots=True)
class Roll:
    """The rollout's next step."""

    step: Shift | Finish | RollBack


Action = (
    Materialise
    | StartReplica
    | Adopt
    | Probe
    | StopReplica
    | Forget
    | Route
    | Park
    | Fail
    | Retire
    | Remove
    | Scale
    | Roll
)


@dataclass(frozen=True, slots=True)
class Decision:
    """The endpoint's state in words, and what to do now."""

    state: EndpointState
    reason: str
    actions: tuple[Action, ...]
