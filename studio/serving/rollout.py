"""How traffic goes over to a new variant: at once, with a canary, or in steps; watched, and taken back. Pure.

The words are those of SageMaker's deployment guardrails: a canary or linear shift, a time to bake, automatic rollback.
"""

from dataclasses import dataclass
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from studio.errors import Invalid

Kind = Literal["all_at_once", "canary", "linear"]
WHOLE = 100.0
# Below so many answers a share of errors says nothing.
LEAST_REQUESTS = 20


class Strategy(msgspec.Struct, frozen=True):
    """`percent`: of the canary, or of each linear step; `step_s`: how long each share but the last is watched;
    `bake_s`: how long all of the traffic is watched before the old variants end. It is taken back when more than
    `max_error_percent` of its answers are errors of the server, when its p99 of the last minute is above `max_p99_ms`,
    or, `on_drift`, when an alert opens meanwhile."""

    kind: Kind = "all_at_once"
    percent: Annotated[float, Meta(gt=0, lt=100)] = 10.0
    step_s: Annotated[float, Meta(ge=0, le=604_800)] = 60.0
    bake_s: Annotated[float, Meta(ge=0, le=604_800)] = 0.0
    max_error_percent: Annotated[float, Meta(gt=0, le=100)] | None = None
    max_p99_ms: Annotated[float, Meta(gt=0)] | None = None
    on_drift: bool = False

    @property
    def is_plain(self) -> bool:
        """All at once, with nothing to watch afterwards."""
        return self.kind == "all_at_once" and not self.bake_s

    @property
    def first(self) -> float:
        """Per cent of the traffic that the new variant begins with."""
        return WHOLE if self.kind == "all_at_once" else self.percent

    def after(self, share: float) -> float:
        """The share that follows `share`."""
        return min(WHOLE, share + self.percent) if self.kind == "linear" else WHOLE


class Rollout(msgspec.Struct, frozen=True):
    """A shift to `variant` (an id). `share`: per cent of the traffic that it has, 0 while it starts; `moved_ms`: since
    when; `before`: the others' weights by id; `requests`, `errors`: the gateway's counts when it began; `drift`: what
    an alert said since."""

    variant: str
    strategy: Strategy
    share: float = 0.0
    moved_ms: int = 0
    before: dict[str, float] = {}
    requests: int = 0
    errors: int = 0
    drift: str = ""


@dataclass(frozen=True, slots=True)
class Figures:
    """The gateway's, of one variant: counts since the gateway's start, p99 of the last minute."""

    requests: int = 0
    errors: int = 0
    p99_ms: float | None = None
    load: float = 0.0


@dataclass(frozen=True, slots=True)
class Shift:
    """The new variant gets `share` per cent."""

    share: float


@dataclass(frozen=True, slots=True)
class Finish:
    """It has all of the traffic and was watched long enough: the others end."""


@dataclass(frozen=True, slots=True)
class RollBack:
    """The others have the traffic again."""

    reason: str


def next_step(rollout: Rollout, seen: Figures, now_ms: int) -> Shift | Finish | RollBack | None:
    """What follows now, if anything."""
    strategy = rollout.strategy
    if not rollout.share:
        return None  # it has not passed yet
    if reason := _breach(rollout, seen):
        return RollBack(reason)
    waited_s = (now_ms - rollout.moved_ms) / 1000
    if rollout.share >= WHOLE:
        return Finish() if waited_s >= strategy.bake_s else None
    return Shift(strategy.after(rollout.share)) if waited_s >= strategy.step_s else None


def _breach(rollout: Rollout, seen: Figures) -> str:
    strategy = rollout.strategy
    # The gateway was restarted since: it counts anew.
    restarted = seen.requests < rollout.requests
    requests = seen.requests - (0 if restarted else rollout.requests)
    errors = seen.errors - (0 if restarted else rollout.errors)
    limit = strategy.max_error_percent
    if limit is not None and requests >= LEAST_REQUESTS and 100 * errors > limit * requests:
        return f"{errors} of {requests} answers were errors; the limit is {limit:g} %."
    slowest = strategy.max_p99_ms
    if slowest is not None and requests >= LEAST_REQUESTS and seen.p99_ms is not None and seen.p99_ms > slowest:
        return f"Its p99 is {seen.p99_ms:.0f} ms; the limit is {slowest:g} ms."
    return f"An alert opened: {rollout.drift}" if strategy.on_drift and rollout.drift else ""


def weights(rollout: Rollout, share: float) -> dict[str, float]:
    """Every variant's weight by id, together 100, when the new one has `share`; the others keep their proportions."""
    rest, whole = WHOLE - share, sum(rollout.before.values())
    old = {id: rest * weight / whole if whole else rest / len(rollout.before) for id, weight in rollout.before.items()}
    return old | {rollout.variant: share}


def words(rollout: Rollout, name: str) -> str:
    """Where the shift is, for people."""
    strategy = rollout.strategy
    if not rollout.share:
        return f"{name} is on its way."
    if rollout.share >= WHOLE:
        return f"{name} has all of the traffic and is watched for {_time(strategy.bake_s)} before the others end."
    then = strategy.after(rollout.share)
    return f"{name} has {rollout.share:g} % of the traffic; after {_time(strategy.step_s)} it gets {then:g} %."


def _time(seconds: float) -> str:
    return f"{seconds:g} s" if seconds < 120 else f"{seconds / 60:.3g} min"


def strategy_of(values: dict[str, object]) -> Strategy:
    """A strategy from what somebody asked for; `Invalid` names what cannot be."""
    try:
        return msgspec.convert(values, Strategy)
    except msgspec.ValidationError as error:
        raise Invalid(f"This is no way to shift traffic: {error}.", "See the fields of `strategy`.") from error


def encode(rollout: Rollout | None) -> str:
    """As it is kept in the endpoint's row."""
    return "" if rollout is None else msgspec.json.encode(rollout).decode()


def decode(text: str) -> Rollout | None:
    """From the endpoint's row."""
    return msgspec.json.decode(text, type=Rollout) if text else None
