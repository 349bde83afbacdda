"""The states of one version of an environment and how they may follow each other."""

from enum import StrEnum


class State(StrEnum):
    """NotBuilt → Queued → Building → Ready or Failed; one that was removed from the disk is NotBuilt again."""

    not_built = "NotBuilt"
    queued = "Queued"
    building = "Building"
    ready = "Ready"
    failed = "Failed"

    @property
    def is_on_its_way(self) -> bool:
        """Whether it will become Ready or Failed by itself."""
        return self in (State.queued, State.building)


ALLOWED: dict[State, frozenset[State]] = {
    State.not_built: frozenset({State.queued, State.ready}),
    State.queued: frozenset({State.building, State.ready, State.failed, State.not_built}),
    State.building: frozenset({State.ready, State.failed, State.queued}),
    State.ready: frozenset({State.queued, State.not_built, State.failed}),
    State.failed: frozenset({State.queued, State.ready, State.not_built}),
}


def may_follow(before: State, after: State) -> bool:
    """Whether `after` may come after `before`; staying is always allowed."""
    return before is after or after in ALLOWED[before]
