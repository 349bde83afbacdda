"""Pure: what the loop does next about one job."""

from dataclasses import dataclass

from studio.jobs.states import State

LOST_S = 15.0  # a supervisor that starts again adopts what lives well within that time


@dataclass(frozen=True, slots=True)
class Exit:
    """The supervisor's record of how the job's process ended; `reason` is its short phrase, `message` its sentence."""

    code: int | None
    reason: str
    message: str
    started_ms: int
    ended_ms: int


@dataclass(frozen=True, slots=True)
class Observed:
    """`environment_error`: why no process can ever be made of its environment; `waiting_for`: what its place still
    lacks ("" = ready); `child_started_ms`: its process lives; `missing_s`: how long neither it nor its end was seen."""

    state: State
    is_stop_requested: bool
    exit: Exit | None = None
    child_started_ms: int | None = None
    environment_error: str = ""
    waiting_for: str = ""
    missing_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Fork:
    """Ask for its process."""


@dataclass(frozen=True, slots=True)
class Mark:
    """It runs."""

    started_ms: int


@dataclass(frozen=True, slots=True)
class Stop:
    """End its process."""


@dataclass(frozen=True, slots=True)
class End:
    """It is over."""

    state: State
    reason: str
    exit: Exit | None = None


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing to do but to say what it waits for."""

    reason: str = ""


Action = Fork | Mark | Stop | End | Wait


def decide(seen: Observed) -> Action:
    """A record of the end decides; else its process; else what was asked for. A process that was seen is never made
    twice: it ended or is lost."""
    if seen.exit is not None:
        return _end(seen, seen.exit)
    if seen.child_started_ms is not None:
        if seen.is_stop_requested:
            return Stop()
        return Wait() if seen.state is State.running else Mark(seen.child_started_ms)
    if seen.state is State.running:
        if seen.missing_s < LOST_S:
            return Wait()
        if seen.is_stop_requested:
            return End(State.stopped, "It was stopped.")
        return End(
            State.failed, "Its process is lost: it ended while nobody could see how. Look at its log; start it again."
        )
    if seen.is_stop_requested:
        return End(State.stopped, "It was stopped before it started.")
    if seen.environment_error:
        return End(State.failed, seen.environment_error)
    return Wait(seen.waiting_for) if seen.waiting_for else Fork()


def _end(seen: Observed, found: Exit) -> End:
    if found.reason == "stopped" or (seen.is_stop_requested and found.code != 0):
        return End(State.stopped, "It was stopped.", found)
    if found.code == 0:
        return End(State.completed, "", found)
    # The short phrase first, where the sentence does not say it: "Out of memory. The job reached the limit of …".
    phrase = "" if found.reason in found.message else f"{found.reason[:1].upper()}{found.reason[1:]}. "
    return End(State.failed, phrase + found.message, found)
