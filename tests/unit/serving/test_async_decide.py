"""What waits is asked for in order, so many at once, again after a crash; what an answer means."""

import pytest

from studio.serving.async_decide import TRIES, Ask, Expire, Limits, Waiting, after, decide
from studio.serving.async_states import ALLOWED, ENDS, State
from studio.serving.states import EndpointState

LIMITS = Limits(per_endpoint=2, total=3, bytes=100)
UP = {"a": EndpointState.in_service, "b": EndpointState.idle, "c": EndpointState.creating}


def one(
    id: str, endpoint: str = "a", state: State = State.queued, size: int = 1, due: int = 0, ends: int = 99
) -> Waiting:
    return Waiting(id, endpoint, state, size, due, ends)


def test_first_come_first_asked_at_most_so_many_of_an_endpoint() -> None:
    assert decide([one("1"), one("2"), one("3"), one("4", "b")], UP, (), LIMITS, 10) == [Ask("1"), Ask("2"), Ask("4")]


def test_all_endpoints_together_have_a_limit() -> None:
    waiting = [one("1"), one("2"), one("3", "b"), one("4", "b")]
    assert decide(waiting, UP, (), LIMITS, 10) == [Ask("1"), Ask("2"), Ask("3")]


def test_what_runs_counts_and_is_not_asked_twice() -> None:
    waiting = [one("1", state=State.running), one("2", state=State.running), one("3")]
    assert decide(waiting, UP, {"1", "2"}, LIMITS, 10) == []


def test_what_an_ended_server_had_asked_is_asked_again() -> None:
    waiting = [one("1", state=State.running), one("2", state=State.running), one("3")]
    assert decide(waiting, UP, {"2"}, LIMITS, 10) == [Ask("1")]


def test_an_endpoint_that_does_not_answer_is_waited_for() -> None:
    assert decide([one("1", "c"), one("2", "gone"), one("3")], UP, (), LIMITS, 10) == [Ask("3")]


def test_what_failed_waits_for_its_pause_and_lets_others_pass() -> None:
    assert decide([one("1", due=20), one("2")], UP, (), LIMITS, 10) == [Ask("2")]
    assert decide([one("1", due=20), one("2")], UP, (), LIMITS, 20) == [Ask("1"), Ask("2")]


def test_what_failed_before_is_tried_alone_and_is_not_starved() -> None:
    again = Waiting("1", "a", State.queued, 1, 0, 99, attempts=1)
    assert decide([again, one("2"), one("3", "b")], UP, (), LIMITS, 10) == [Ask("1"), Ask("3")]
    # Others run still: they are waited for, and nothing else begins before it.
    waiting = [one("0", state=State.running), again, one("2")]
    assert decide(waiting, UP, {"0"}, LIMITS, 10) == []
    # It runs: nothing beside it, not even the next that failed.
    running = Waiting("1", "a", State.running, 1, 0, 99, attempts=2)
    other = Waiting("2", "a", State.queued, 1, 0, 99, attempts=1)
    assert decide([running, other, one("3")], UP, {"1"}, LIMITS, 10) == []
    assert decide([again, other, one("3")], UP, (), LIMITS, 10) == [Ask("1")]


def test_what_waited_too_long_expires_whatever_its_endpoint_does() -> None:
    waiting = [one("1", "c", ends=10), one("2", ends=10, due=50), one("3", state=State.running, ends=10)]
    assert decide(waiting, UP, {"3"}, LIMITS, 10) == [Expire("1"), Expire("2")]


def test_large_bodies_go_one_after_the_other_and_are_not_passed_for_ever() -> None:
    waiting = [one("1", size=60), one("2", size=60), one("3", "b", size=1)]
    assert decide(waiting, UP, (), LIMITS, 10) == [Ask("1")]
    assert decide([one("1", size=1000)], UP, (), LIMITS, 10) == [Ask("1")]


@pytest.mark.parametrize("status", [0, 429, 500, 502, 503, 504])
def test_what_may_pass_is_tried_again_and_given_up_after_three(status: int) -> None:
    first, second, last = (after(status, "no replica", attempts) for attempts in range(1, TRIES + 1))
    assert (first.state, second.state, last.state) == (State.queued, State.queued, State.failed)
    assert 0 < first.pause_s < second.pause_s
    assert "no replica" in last.reason and "3 times" in last.reason


@pytest.mark.parametrize("status", [400, 404, 413, 415, 422])
def test_what_is_wrong_with_the_request_is_not_tried_again(status: int) -> None:
    assert after(status, "There is no column wind.", 1).state is State.failed
    assert after(status, "There is no column wind.", 1).reason == "There is no column wind."


def test_an_answer_is_the_end() -> None:
    assert after(200, "", 2).state is State.done
    assert {state for state in State if not ALLOWED[state]} == set(ENDS)
