"""Decisions about a job, and a simulated host on which they must converge whatever is killed when."""

import random
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from studio.jobs.decide import LOST_S, End, Exit, Fork, Mark, Observed, Stop, Wait, decide
from studio.jobs.states import ALLOWED, State, may_follow

DONE = Exit(0, "completed", "It ran to its end.", 10, 20)
BROKEN = Exit(1, "exit code 1", "The job ended with exit code 1. Its log says why.", 10, 20)
STOPPED = Exit(None, "stopped", "The job was stopped.", 10, 20)
CASES = [
    (Observed(State.queued, False, waiting_for="Its sandbox is starting."), Wait("Its sandbox is starting.")),
    (Observed(State.queued, False), Fork()),
    (
        Observed(State.queued, False, environment_error="No such environment."),
        End(State.failed, "No such environment."),
    ),
    (Observed(State.queued, True), End(State.stopped, "It was stopped before it started.")),
    (Observed(State.starting, False), Fork()),
    (Observed(State.starting, False, child_started_ms=5), Mark(5)),
    (Observed(State.starting, False, exit=DONE), End(State.completed, "", DONE)),
    (Observed(State.starting, True, child_started_ms=5), Stop()),
    (Observed(State.running, False, child_started_ms=5), Wait()),
    (Observed(State.running, True, child_started_ms=5), Stop()),
    (Observed(State.running, False, missing_s=LOST_S - 1), Wait()),
    (Observed(State.running, True, exit=DONE), End(State.completed, "", DONE)),
    (Observed(State.running, True, exit=BROKEN), End(State.stopped, "It was stopped.", BROKEN)),
    (Observed(State.running, False, exit=STOPPED), End(State.stopped, "It was stopped.", STOPPED)),
    (Observed(State.running, False, exit=BROKEN), End(State.failed, BROKEN.message, BROKEN)),
]


@pytest.mark.parametrize(("seen", "action"), CASES)
def test_decides(seen: Observed, action: object) -> None:
    assert decide(seen) == action


def test_a_lost_process_is_never_running_for_ever() -> None:
    action = decide(Observed(State.running, False, missing_s=LOST_S))
    assert isinstance(action, End)
    assert action.state is State.failed
    assert "lost" in action.reason


@given(
    st.sampled_from([State.queued, State.starting, State.running]),
    st.booleans(),
    st.sampled_from([None, DONE, BROKEN, STOPPED]),
    st.sampled_from([None, 5]),
    st.sampled_from(["", "wait"]),
    st.sampled_from([0.0, 100.0]),
)
def test_only_allowed_transitions_are_decided(
    state: State, stop: bool, ended: Exit | None, child: int | None, waiting: str, missing: float
) -> None:
    action = decide(Observed(state, stop, ended, child, "", waiting, missing))
    if isinstance(action, End):
        after = action.state
        assert may_follow(state, after)
    if isinstance(action, Mark):
        assert may_follow(state, State.running)
    if isinstance(action, Fork):
        assert state in (State.queued, State.starting)
        assert ended is None
        assert child is None


def test_ends_are_final() -> None:
    assert all(not ALLOWED[state] for state in State if state.is_end)


@dataclass
class Host:
    """A supervisor that runs one job of `length` steps; `starts` counts how often its process was made."""

    length: int
    child: int | None = None
    ended: Exit | None = None
    starts: int = 0
    left: int = 0

    def fork(self) -> None:
        if self.child is None:
            self.child, self.left = 5, self.length
            self.starts += 1

    def tick(self) -> None:
        if self.child is not None:
            self.left -= 1
            if self.left <= 0:
                self.child, self.ended = None, DONE


@settings(max_examples=200)
@given(st.integers(1, 6), st.randoms(use_true_random=False))
def test_converges_with_one_start_when_the_server_is_killed_anywhere(length: int, chance: random.Random) -> None:
    """A kill loses what the server had decided but not written; the row and the host stay."""
    host = Host(length)
    row = State.queued
    for turn in range(100):
        seen = Observed(row, False, host.ended, host.child)
        action = decide(seen)
        is_killed = turn < 50 and chance.random() < 0.3
        match action:
            case Fork():
                row = State.starting  # committed before the process is asked for
                if not is_killed:
                    host.fork()
            case Mark() if not is_killed:
                row = State.running
            case End(state) if not is_killed:
                row = state
                break
        if turn > 50 or chance.random() < 0.7:
            host.tick()
    assert row is State.completed
    assert host.starts == 1
