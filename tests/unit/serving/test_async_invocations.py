"""The queue as rows: what moves, what does not move twice, what goes with its endpoint."""

import pytest
from sqlalchemy import Connection

from studio.access import memberships, users
from studio.errors import Conflict, Invalid, NotFound, TooMany
from studio.serving import async_invocations, endpoints
from studio.serving.async_decide import Next
from studio.serving.async_invocations import Answer, AsyncInvocation, Wanted, new_invocation_id
from studio.serving.async_states import State
from studio.serving.endpoints import Wanted as Endpoint


@pytest.fixture
def served(db: Connection) -> Connection:
    users.create_user(db, "ada")
    memberships.put(db, "demo", "ada", "viewer")
    for name in ("rain", "snow"):
        endpoints.create(db, "demo", "ada", Endpoint(name, "models:/rain/1"))
    return db


def queue(db: Connection, name: str = "rain", **wanted: object) -> AsyncInvocation:
    return async_invocations.create(db, "demo", name, "ada", new_invocation_id(), 10, Wanted(**wanted))  # type: ignore[arg-type]


def test_one_is_asked_once_and_has_one_end(served: Connection) -> None:
    made = queue(served)
    assert (made.state, made.attempts, made.inference_id) == (State.queued, 0, made.id)
    begun = async_invocations.begin(served, made.id)
    assert begun is not None and (begun.state, begun.attempts) == (State.running, 1)
    again = async_invocations.begin(served, made.id)  # by the server after a crash: no new try
    assert again == begun
    async_invocations.settle(served, made.id, Answer(200, "application/json", 7), Next(State.done, ""))
    async_invocations.settle(served, made.id, Answer(503), Next(State.queued, "late", 5))
    done = async_invocations.get(served, "demo", "rain", made.id)
    assert (done.state, done.answer.size, done.ended_ms is not None) == (State.done, 7, True)
    assert async_invocations.begin(served, made.id) is None
    assert async_invocations.waiting(served) == []


def test_what_is_tried_again_waits_and_says_why(served: Connection) -> None:
    made = queue(served)
    async_invocations.begin(served, made.id)
    async_invocations.settle(served, made.id, Answer(503, error="no"), Next(State.queued, "no replica", 3600))
    found = async_invocations.get(served, "demo", "rain", made.id)
    assert (found.state, found.reason, found.ended_ms) == (State.queued, "no replica", None)
    assert found.due_ms > found.created_ms + 3_000_000
    assert async_invocations.waiting(served) == []  # not before it is due


def test_what_waits_comes_in_order_and_only_the_front_of_each_queue(
    served: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(async_invocations, "LOOKED_AT", 2)
    made = [queue(served, name).id for name in ("rain", "rain", "snow", "rain")]
    assert [one.id for one in async_invocations.waiting(served)] == made[:3]


def test_only_an_end_is_told_and_only_to_whom_it_was_asked_for(served: Connection) -> None:
    quiet, told = queue(served), queue(served, notify_url="https://example.org/x")
    assert async_invocations.to_tell(served, 10) == []
    for made in (quiet, told):
        async_invocations.expire(served, made.id)
    assert [one.id for one in async_invocations.to_tell(served, 10)] == [told.id]
    async_invocations.told(served, (), {told.number: 60})
    assert async_invocations.to_tell(served, 10) == []
    assert async_invocations.get(served, "demo", "rain", told.id).notify_tries == 1
    async_invocations.told(served, [told.number], {})
    assert async_invocations.get(served, "demo", "rain", told.id).notify_ms is None


def test_who_is_no_member_any_more_gets_no_prediction(served: Connection) -> None:
    made = [queue(served), queue(served)]
    assert async_invocations.begin(served, made[0].id) is not None
    memberships.remove(served, "demo", "ada")
    for one in made:
        assert async_invocations.begin(served, one.id) is None
        found = async_invocations.get(served, "demo", "rain", one.id)
        assert (found.state, found.reason) == (State.failed, "ada is no member of demo any more.")


def test_a_queue_has_an_end(served: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(async_invocations, "MOST_QUEUED", 2)
    for _ in range(2):
        queue(served)
    with pytest.raises(TooMany, match="2 predictions wait"):
        queue(served)
    queue(served, "snow")


def test_an_endpoint_takes_its_own_with_it(served: Connection) -> None:
    made, kept = queue(served), queue(served, "snow")
    found = endpoints.get(served, "demo", "rain")
    endpoints.remove(served, "demo", "rain", "ada")
    with pytest.raises(Conflict, match="being deleted"):
        queue(served)
    endpoints.erase(served, found)
    assert async_invocations.find(served, made.id) is None
    assert async_invocations.ids(served) == {endpoints.get(served, "demo", "snow").id: {kept.id}}


def test_another_endpoint_or_domain_does_not_have_it(served: Connection) -> None:
    made = queue(served)
    for domain, name in (("demo", "snow"), ("other", "rain")):
        with pytest.raises(NotFound):
            async_invocations.get(served, domain, name, made.id)


def test_what_ended_long_ago_is_forgotten(served: Connection) -> None:
    made, waits = queue(served), queue(served)
    async_invocations.expire(served, made.id)
    assert async_invocations.remove_old(served, 0) == []
    assert [one.id for one in async_invocations.remove_old(served, made.created_ms + 10_000_000)] == [made.id]
    assert async_invocations.find(served, waits.id) is not None


@pytest.mark.parametrize("wrong", [{"ttl_s": 0}, {"ttl_s": 1e9}, {"timeout_s": 0}, {"timeout_s": 4000}])
def test_times_that_are_not_possible_are_refused(served: Connection, wrong: dict[str, float]) -> None:
    with pytest.raises(Invalid):
        queue(served, **wrong)
