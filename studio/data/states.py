"""Pure: the states of a data set's newest look at its file."""

from enum import StrEnum


class State(StrEnum):
    """A data set that Failed keeps the versions it has; registering again tries again."""

    profiling = "Profiling"
    ready = "Ready"
    failed = "Failed"


ALLOWED: dict[State, frozenset[State]] = {
    State.profiling: frozenset({State.ready, State.failed}),
    State.ready: frozenset({State.profiling}),
    State.failed: frozenset({State.profiling}),
}
