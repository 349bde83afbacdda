"""Pure: the states of a job."""

from enum import StrEnum


class State(StrEnum):
    """Queued: its place is not ready; Starting: its process was asked for; the last three are ends."""

    queued = "Queued"
    starting = "Starting"
    running = "Running"
    completed = "Completed"
    failed = "Failed"
    stopped = "Stopped"

    @property
    def is_end(self) -> bool:
        """Whether nothing follows."""
        return not ALLOWED[self]


ENDS = frozenset({State.completed, State.failed, State.stopped})
ALLOWED: dict[State, frozenset[State]] = {
    # A job may have ended before anybody saw it start or run.
    State.queued: frozenset({State.starting, State.running}) | ENDS,
    State.starting: frozenset({State.running}) | ENDS,
    State.running: ENDS,
    State.completed: frozenset(),
    State.failed: frozenset(),
    State.stopped: frozenset(),
}


def may_follow(before: State, after: State) -> bool:
    """Whether a job that is `before` may become `after`; staying is no change."""
    return after in ALLOWED[before]
