"""Shifts of traffic and numbers of replicas: pure."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.errors import Invalid
from studio.serving.rollout import (
    LEAST_REQUESTS,
    Figures,
    Finish,
    RollBack,
    Rollout,
    Shift,
    Strategy,
    decode,
    encode,
    next_step,
    strategy_of,
    weights,
    words,
)
from studio.serving.scaling import CALM_MS, scale

CANARY = Strategy("canary", percent=10, step_s=60, bake_s=30)
LINEAR = Strategy("linear", percent=30, step_s=10)
WATCHED = Strategy("canary", percent=10, step_s=60, bake_s=30, max_error_percent=1, max_p99_ms=50, on_drift=True)


def shift(strategy: Strategy, share: float, **more: object) -> Rollout:
    return Rollout("new", strategy, share, before={"old": 100.0}, **more)  # type: ignore[arg-type]


def test_a_canary_has_two_steps_and_bakes() -> None:
    assert CANARY.first == 10
    assert next_step(shift(CANARY, 10), Figures(), 59_999) is None
    assert next_step(shift(CANARY, 10), Figures(), 60_000) == Shift(100)
    assert next_step(shift(CANARY, 100), Figures(), 29_999) is None
    assert next_step(shift(CANARY, 100), Figures(), 30_000) == Finish()


def test_nothing_follows_before_it_has_passed() -> None:
    assert next_step(shift(CANARY, 0), Figures(requests=100, errors=100), 10**9) is None


@pytest.mark.parametrize(
    ("seen", "more", "said"),
    [
        (Figures(requests=100, errors=2), {}, "2 of 100"),
        (Figures(requests=100, p99_ms=80.0), {}, "80 ms"),
        (Figures(), {"drift": "rain has drifted"}, "rain has drifted"),
        # Counted from when it began; the gateway's own restart begins a new count.
        (Figures(requests=130, errors=12), {"requests": 100, "errors": 10}, "2 of 30"),
        (Figures(requests=30, errors=5), {"requests": 100, "errors": 10}, "5 of 30"),
    ],
)
def test_it_is_taken_back(seen: Figures, more: dict[str, object], said: str) -> None:
    step = next_step(shift(WATCHED, 10, **more), seen, 0)
    assert isinstance(step, RollBack)
    assert said in step.reason


@pytest.mark.parametrize(
    "seen",
    [
        Figures(requests=LEAST_REQUESTS - 1, errors=LEAST_REQUESTS - 1, p99_ms=1000.0),
        Figures(requests=1000, errors=10, p99_ms=50.0),
    ],
)
def test_few_requests_and_figures_at_the_limit_say_nothing(seen: Figures) -> None:
    assert next_step(shift(WATCHED, 10), seen, 0) is None


def test_without_limits_errors_are_not_asked_for() -> None:
    assert next_step(shift(CANARY, 10), Figures(requests=100, errors=100, p99_ms=9e9), 0) is None


@given(
    st.floats(0.5, 99.5),
    st.dictionaries(st.sampled_from("abc"), st.floats(0, 1000), min_size=1),
)
def test_weights_are_a_hundred_and_the_others_keep_their_proportions(share: float, before: dict[str, float]) -> None:
    found = weights(Rollout("new", LINEAR, before=before), share)
    assert sum(found.values()) == pytest.approx(100)
    assert found["new"] == share
    whole = sum(before.values())
    for id, weight in before.items():
        assert found[id] == pytest.approx((100 - share) * (weight / whole if whole else 1 / len(before)))


@given(st.floats(1, 99), st.sampled_from(["canary", "linear", "all_at_once"]))
def test_every_shift_ends(percent: float, kind: str) -> None:
    strategy = strategy_of({"kind": kind, "percent": percent, "step_s": 1})
    share, steps = strategy.first, 0
    while share < 100:
        after = strategy.after(share)
        assert after > share
        share, steps = after, steps + 1
    assert share == 100
    assert steps <= 100


def test_it_is_kept_as_text() -> None:
    kept = shift(WATCHED, 10, moved_ms=5, requests=3)
    assert decode(encode(kept)) == kept
    assert (encode(None), decode("")) == ("", None)


@pytest.mark.parametrize(
    "values",
    [
        {"kind": "sideways"},
        {"kind": "canary", "percent": 0},
        {"kind": "canary", "percent": 100},
        {"kind": "linear", "percent": float("nan")},
        {"bake_s": -1},
        {"max_error_percent": 0},
        {"max_p99_ms": "fast"},
    ],
)
def test_what_is_no_strategy_is_refused(values: dict[str, object]) -> None:
    with pytest.raises(Invalid, match="shift traffic"):
        strategy_of(values)


def test_words_say_what_comes() -> None:
    assert "10 % of the traffic; after 60 s it gets 100 %" in words(shift(CANARY, 10), "Version 2")
    assert "watched for 30 s" in words(shift(CANARY, 100), "Version 2")
    assert "on its way" in words(shift(CANARY, 0), "Version 2")
    assert "after 5 min" in words(shift(msgspec.structs.replace(CANARY, step_s=300), 10), "Version 2")


def test_more_at_once_less_after_a_calm_minute() -> None:
    assert scale(1, 1, 4, load=11.0, target=4.0, calm_ms=0, now_ms=5) == (3, 0)
    assert scale(1, 1, 4, load=99.0, target=4.0, calm_ms=0, now_ms=5) == (4, 0)
    assert scale(3, 1, 4, load=0.0, target=4.0, calm_ms=0, now_ms=5) == (3, 5)
    assert scale(3, 1, 4, load=0.0, target=4.0, calm_ms=5, now_ms=CALM_MS) == (3, 5)
    assert scale(3, 1, 4, load=0.0, target=4.0, calm_ms=5, now_ms=CALM_MS + 5) == (2, CALM_MS + 5)
    assert scale(3, 1, 4, load=12.0, target=4.0, calm_ms=5, now_ms=CALM_MS) == (3, 0)


def test_new_limits_hold_at_once() -> None:
    assert scale(1, 2, 4, load=0.0, target=4.0, calm_ms=0, now_ms=5) == (2, 0)
    assert scale(4, 1, 2, load=99.0, target=4.0, calm_ms=0, now_ms=5) == (2, 0)


@given(
    st.integers(1, 8), st.integers(1, 8), st.integers(0, 8), st.floats(0, 1000), st.floats(0.1, 100),
    st.integers(0, 10**6), st.integers(0, 10**7),
)  # fmt: skip
def test_never_outside_its_limits(
    wanted: int, least: int, more: int, load: float, target: float, calm: int, now: int
) -> None:
    after, since = scale(wanted, least, least + more, load, target, calm, now)
    assert least <= after <= least + more
    assert since in (0, calm, now)
