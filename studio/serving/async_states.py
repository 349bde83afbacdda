"""Pure: the states of a prediction that is made later."""

from enum import StrEnum


class State(StrEnum):
    """Queued: it waits for its turn, or for another try; Running: the endpoint was asked; the last three are ends."""

    queued = "Queued"
    running = "Running"
    done = "Done"
    failed = "Failed"
    expired = "Expired"

    @property
    def is_end(self) -> bool:
        """Whether nothing follows."""
        return not ALLOWED[self]


ENDS = frozenset({State.done, State.failed, State.expired})
ALLOWED: dict[State, frozenset[State]] = {
    State.queued: frozenset({State.running, State.failed, State.expired}),
    # Queued again: what failed may pass another time.
    State.running: frozenset({State.queued, State.done, State.failed}),
    State.done: frozenset(),
    State.failed: frozenset(),
    State.expired: frozenset(),
}


def may_follow(before: State, after: State) -> bool:
    """Whether one that is `before` may become `after`; staying is no change."""
    return after in ALLOWED[before]
