"""Pure: the states of a data set's newest look at its file."""

from enum import StrEnum


class State(StrEnum):
    """A data set that Failed keeps the versions it has; registering again tries again."""

    PROFILING = "Profiling"
    READY = "Ready"
    FAILED = "Failed"


ALLOWED: dict[State, frozenset[State]] = {
    State.PROFILING: frozenset({State.READY, State.FAILED}),
    State.READY: frozenset({State.PROFILING}),
    State.FAILED: frozenset({State.PROFILING}),
}
