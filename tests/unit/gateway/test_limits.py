"""A rate limit: what comes evenly passes, what comes at once is held to a second's worth."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.gateway.limits import RateLimit


@given(st.floats(0.01, 1000), st.integers(1, 300))
def test_what_comes_evenly_is_never_refused(per_s: float, count: int) -> None:
    limit = RateLimit(per_s, 0.0)
    assert not any(limit.take(number * 1.0001 / per_s, "rain") for number in range(count))


@given(st.floats(0.5, 50), st.lists(st.floats(0, 3), max_size=200))
def test_no_more_pass_than_the_limit_allows(per_s: float, gaps: list[float]) -> None:
    limit, now, passed = RateLimit(per_s, 0.0), 0.0, 0
    for gap in gaps:
        now += gap
        passed += limit.take(now, "rain") is None
    assert passed <= max(1.0, per_s) + now * per_s + 1e-6


@pytest.mark.parametrize(("per_s", "burst", "wait"), [(10, 10, 1), (0.5, 1, 2), (0.01, 1, 100), (2.5, 2, 1)])
def test_a_burst_is_told_when_to_come_again(per_s: float, burst: int, wait: int) -> None:
    limit = RateLimit(per_s, 0.0)
    assert [limit.take(0.0, "rain") for _ in range(burst)] == [None] * burst
    refused = limit.take(0.0, "rain")
    assert refused is not None and refused.status == 429 and refused.retry_s == wait
    assert limit.take(float(wait), "rain") is None


def test_a_clock_that_steps_back_gives_nothing() -> None:
    limit = RateLimit(1, 100.0)
    assert limit.take(100.0, "rain") is None
    assert limit.take(50.0, "rain") is not None
