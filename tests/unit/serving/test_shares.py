"""Several variants of one endpoint, and its settings, as rows."""

import pytest
from sqlalchemy import Connection

from studio.errors import Conflict, Invalid, NotFound
from studio.serving import endpoints, events, openapi, promotion, rollout, shares, traffic, tuning, variants
from studio.serving.endpoints import Endpoint, Wanted
from studio.serving.rollout import Figures, Finish, RollBack, Rollout, Shift, Strategy
from studio.serving.shares import Joining
from studio.serving.states import VariantState
from studio.serving.tuning import Settings

CANARY = Strategy("canary", percent=10)


@pytest.fixture
def served(db: Connection) -> Endpoint:
    """The endpoint `rain`, which serves version 1."""
    made = endpoints.create(db, "demo", "ada", Wanted("rain", "models:/rain/1"))
    return _passed(db, made)


def _passed(db: Connection, endpoint: Endpoint) -> Endpoint:
    """Its waiting variants have passed."""
    for v in endpoint.variants:
        if v.state is VariantState.waiting:
            traffic.route(db, endpoints.get(db, "demo", endpoint.name), v, Figures(requests=7), 1000)
    return endpoints.get(db, "demo", endpoint.name)


def _weights(endpoint: Endpoint) -> dict[str, float]:
    return {v.name: v.weight for v in endpoint.variants if v.state is VariantState.serving}


def _states(endpoint: Endpoint) -> list[tuple[str, str]]:
    return [(v.name, v.state) for v in endpoint.variants]


def test_who_joins_takes_its_weight_beside_the_others(db: Connection, served: Endpoint) -> None:
    found = shares.join(db, "demo", "rain", Joining(2, 50.0, max_replicas=3), "ada")
    assert _states(found) == [("v1", "Serving"), ("v2", "Waiting")]
    found = _passed(db, found)
    assert _weights(found) == {"v1": 100.0, "v2": 50.0}
    assert found.serving is not None and found.serving.name == "v1"
    found = shares.weigh(db, "demo", "rain", {"v1": 1.0, "v2": 3.0}, "ada")
    assert found.serving is not None and found.serving.name == "v2"
    found = shares.leave(db, "demo", "rain", "v1", "ada")
    assert _states(found) == [("v1", "Retiring"), ("v2", "Serving")]
    with pytest.raises(Conflict, match="all of the traffic"):
        shares.leave(db, "demo", "rain", "v2", "ada")


def test_the_same_version_twice_has_two_names(db: Connection, served: Endpoint) -> None:
    found = shares.join(db, "demo", "rain", Joining(1, 1.0), "ada")
    assert [v.name for v in found.variants] == ["v1", "v1-2"]
    with pytest.raises(Conflict, match="has a variant v1 "):
        shares.join(db, "demo", "rain", Joining(1, 1.0, name="v1"), "ada")


@pytest.mark.parametrize(
    ("joining", "error", "names"),
    [
        (Joining(9, 1.0), NotFound, "9"),
        (Joining(2, -1.0), Invalid, "-1"),
        (Joining(2, float("nan")), Invalid, "nan"),
        (Joining(2, 101.0, shadow=True), Invalid, "101"),
        (Joining(2, 1.0, min_replicas=0), Invalid, "replicas"),
        (Joining(2, 1.0, min_replicas=3, max_replicas=2), Invalid, "replicas"),
        (Joining(2, 1.0, name="a/b"), Invalid, "a/b"),
        (Joining(2, 1.0, environment="torch"), NotFound, "torch"),
        (Joining(2, 1.0, instance_type="huge"), NotFound, "huge"),
    ],
)
def test_what_cannot_join_leaves_no_row(
    db: Connection, served: Endpoint, joining: Joining, error: type, names: str
) -> None:
    with pytest.raises(error, match=names):
        shares.join(db, "demo", "rain", joining, "ada")
    assert _states(endpoints.get(db, "demo", "rain")) == [("v1", "Serving")]


def test_there_is_a_most_of_variants(db: Connection, served: Endpoint) -> None:
    for _ in range(shares.MOST_VARIANTS - 1):
        shares.join(db, "demo", "rain", Joining(2, 1.0), "ada")
    with pytest.raises(Conflict, match="the most"):
        shares.join(db, "demo", "rain", Joining(2, 1.0), "ada")


@pytest.mark.parametrize("weights", [{"v1": 0.0}, {"v1": -1.0}, {"v1": float("inf")}])
def test_weights_that_cannot_be_change_nothing(db: Connection, served: Endpoint, weights: dict[str, float]) -> None:
    with pytest.raises(Invalid):
        shares.weigh(db, "demo", "rain", weights, "ada")
    with pytest.raises(NotFound, match="v7"):
        shares.weigh(db, "demo", "rain", {"v1": 5.0, "v7": 1.0}, "ada")
    assert _weights(endpoints.get(db, "demo", "rain")) == {"v1": 100.0}


def test_a_shift_goes_step_by_step_and_is_noted(db: Connection, served: Endpoint) -> None:
    found = promotion.promote(db, "demo", "rain", 2, "ada", strategy=CANARY)
    found = _passed(db, found)
    assert _weights(found) == {"v1": 90.0, "v2": 10.0}
    shift = rollout.decode(found.rollout)
    assert shift is not None and (shift.share, shift.requests, shift.moved_ms) == (10.0, 7, 1000)
    with pytest.raises(Conflict, match="being shifted"):
        shares.join(db, "demo", "rain", Joining(2, 1.0), "ada")
    traffic.roll(db, found, Shift(100.0), 2000)
    found = endpoints.get(db, "demo", "rain")
    assert _weights(found) == {"v1": 0.0, "v2": 100.0}
    traffic.roll(db, found, Finish(), 3000)
    found = endpoints.get(db, "demo", "rain")
    assert _states(found) == [("v1", "Retiring"), ("v2", "Serving")]
    assert (found.rollout, found.version, found.previous_version) == ("", 2, 1)
    told = [event.text for event in events.list_events(db, found.id)]
    assert "ada promotes version 2, 10 % of the traffic first." in told
    assert "Version 2 has the traffic alone." in told


@pytest.mark.parametrize("by", ["limit", "hand", "promotion"])
def test_a_shift_is_taken_back(db: Connection, served: Endpoint, by: str) -> None:
    found = _passed(db, promotion.promote(db, "demo", "rain", 2, "ada", strategy=CANARY))
    if by == "limit":
        traffic.roll(db, found, RollBack("too slow"), 2000)
    elif by == "hand":
        promotion.undo(db, "demo", "rain", "bob")
    else:
        promotion.promote(db, "demo", "rain", 1, "bob")
    found = endpoints.get(db, "demo", "rain")
    assert _weights(found) == {"v1": 100.0}
    assert _states(found) == [("v1", "Serving"), ("v2", "Retiring")]
    assert (found.rollout, found.version) == ("", 1)
    if by != "promotion":
        assert {"limit": "too slow", "hand": "bob"}[by] in found.notice


def test_one_that_waits_is_called_off_by_undo(db: Connection, served: Endpoint) -> None:
    promotion.promote(db, "demo", "rain", 2, "ada", strategy=CANARY)
    found = promotion.undo(db, "demo", "rain", "bob")
    assert _states(found) == [("v1", "Serving"), ("v2", "Retiring")]
    assert (found.rollout, found.version) == ("", 1)


def test_drift_is_noted_only_for_a_shift_that_asked(db: Connection, served: Endpoint) -> None:
    promotion.note_drift(db, served, "wind")
    assert endpoints.get(db, "demo", "rain").rollout == ""
    for asked in (False, True):
        strategy = Strategy("canary", percent=10, on_drift=asked)
        found = _passed(db, promotion.promote(db, "demo", "rain", 2, "ada", strategy=strategy))
        promotion.note_drift(db, found, "wind has drifted")
        shift = rollout.decode(endpoints.get(db, "demo", "rain").rollout)
        assert isinstance(shift, Rollout) and bool(shift.drift) == asked
        promotion.undo(db, "demo", "rain", "ada")


def test_replicas_of_the_next_version_are_as_many(db: Connection, served: Endpoint) -> None:
    shares.limit(db, "demo", "rain", "v1", 2, 5, "ada")
    found = promotion.promote(db, "demo", "rain", 2, "ada")
    assert [(v.min_replicas, v.max_replicas) for v in found.variants] == [(2, 5), (2, 5)]
    assert found.variants[1].wanted == 2


def test_settings_change_alone_and_are_told(db: Connection, served: Endpoint) -> None:
    asked = Settings(
        rate_limit=50.0, cors=["https://a.example", "https://a.example"], redact=["wind"], mode="serverless"
    )
    found = tuning.tune(db, "demo", "rain", asked, "ada")
    assert (found.rate_limit, found.cors, found.redact) == (50.0, ("https://a.example",), ("wind",))
    assert (found.mode, found.idle_s, found.capture) == ("serverless", served.idle_s, served.capture)
    before = len(events.list_events(db, found.id))
    assert tuning.tune(db, "demo", "rain", asked, "ada") == found
    assert len(events.list_events(db, found.id)) == before
    found = tuning.tune(db, "demo", "rain", Settings(rate_limit=0.0, cors=[]), "ada")
    assert (found.rate_limit, found.cors) == (None, ())


@pytest.mark.parametrize(
    "settings",
    [
        Settings(mode="sometimes"),
        Settings(rate_limit=-1.0),
        Settings(max_body=0),
        Settings(timeout_s=float("nan")),
        Settings(target_load=0.0),
        Settings(capture_percent=101.0),
        Settings(capture_days=0),
        Settings(cors=["*"]),
        Settings(cors=["https://a.example/path"]),
        Settings(cors=["null"]),
        Settings(cors=["https://user@a.example"]),
        Settings(redact=[""]),
    ],
)
def test_settings_that_cannot_be_change_nothing(db: Connection, served: Endpoint, settings: Settings) -> None:
    with pytest.raises(Invalid):
        tuning.tune(db, "demo", "rain", settings, "ada")
    assert endpoints.get(db, "demo", "rain") == served


def test_the_version_that_takes_over_needs_no_shadow(db: Connection, served: Endpoint) -> None:
    found = _passed(db, shares.join(db, "demo", "rain", Joining(2, 100.0, shadow=True), "ada"))
    assert found.serving is not None and found.serving.name == "v1"
    found = _passed(db, promotion.promote(db, "demo", "rain", 2, "ada"))
    assert {v.name: v.state for v in found.variants} == {"v1": "Retiring", "v2": "Retiring", "v2-2": "Serving"}


def test_an_endpoint_is_described_for_its_callers() -> None:
    columns = [
        {"name": "wind", "type": "double", "required": True},
        {"name": "sky", "type": "string", "required": False},
    ]
    found = openapi.document("http://127.0.0.1:1", "rain", "weather", columns, {"inputs": [[1]]})
    row = found["components"]["schemas"]["Row"]
    assert row["required"] == ["wind"]
    assert row["properties"]["sky"] == {"type": "string"}
    body = found["paths"]["/endpoints/rain/invocations"]["post"]["requestBody"]
    assert body["content"]["application/json"]["example"] == {"inputs": [[1]]}
    bare = openapi.document("http://127.0.0.1:1", "rain", "weather", [], None)
    assert "required" not in bare["components"]["schemas"]["Row"]


def test_limits_of_replicas(db: Connection, served: Endpoint) -> None:
    for least, most in ((0, 1), (2, 1), (1, variants.MOST_REPLICAS + 1)):
        with pytest.raises(Invalid, match="replicas"):
            shares.limit(db, "demo", "rain", "v1", least, most, "ada")
    with pytest.raises(NotFound, match="v9"):
        shares.limit(db, "demo", "rain", "v9", 1, 1, "ada")
