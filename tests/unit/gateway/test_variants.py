"""The split of the traffic, what it is scaled by, and what a shadow may have under way."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.gateway.load import Load
from studio.gateway.variants import Variant, by_weight, rescale

_weights = st.lists(st.integers(1, 100), min_size=1, max_size=5)


def variants(*weights: float) -> list[Variant]:
    found = [Variant(f"v{number}", "1", False) for number in range(len(weights))]
    for variant, weight in zip(found, weights, strict=True):
        variant.weight = weight
    return found


def turns(among: list[Variant], count: int) -> Counter[str]:
    return Counter(found.name for _ in range(count) if (found := by_weight(among)))


@given(_weights)
def test_the_split_is_exact_over_each_round(weights: list[int]) -> None:
    among = variants(*weights)
    for _ in range(3):
        assert turns(among, sum(weights)) == {one.name: weight for one, weight in zip(among, weights, strict=True)}


@given(_weights, st.integers(0, 500))
def test_the_split_is_never_off_by_more_than_the_others(weights: list[int], count: int) -> None:
    among = variants(*weights)
    seen = turns(among, count)
    for one in among:
        assert abs(seen[one.name] - count * one.weight / sum(weights)) <= len(among)


@given(st.lists(st.tuples(_weights, st.integers(0, 200)), min_size=2, max_size=6))
def test_changes_of_weights_cost_nobody_more_than_a_turn_or_two(phases: list[tuple[list[int], int]]) -> None:
    """Variants that come, go and change in the middle of a round: each phase's split is its own, whatever was before,
    in units as large (per cent) or small (shares of 1) as the weights of the next one."""
    known = variants(*(1.0,) * 5)
    before = 0.0
    for number, (weights, count) in enumerate(phases):
        scale = 0.01 if number % 2 else 1.0
        among = known[: len(weights)]
        for variant, weight in zip(among, weights, strict=True):
            variant.weight = weight * scale
        for variant in known[len(weights) :]:
            variant.credit = 0.0
        rescale(among, before)
        before = sum(variant.weight for variant in among)
        assert sum(variant.credit for variant in among) == pytest.approx(0.0, abs=1e-6 * before)
        seen = turns(among, count)
        for one in among:
            assert abs(seen[one.name] - count * one.weight / before) <= 2 * len(known)


def test_nobody_has_a_turn_where_nobody_has_a_weight() -> None:
    assert by_weight([]) is None


@pytest.mark.parametrize(
    ("changes", "now", "average"),
    [
        ([], 100.0, 0.0),
        ([(0.0, 4)], 100.0, 4.0),  # long ago: what is level now
        ([(99.0, 4)], 100.0, 2.0),  # for half of the window
        ([(90.0, 4), (99.0, -4)], 100.0, 2.0),
        ([(90.0, 4), (91.0, -4)], 100.0, 0.0),
        ([(98.0, 1), (98.5, 1), (99.0, 1), (99.5, -3)], 100.0, (0.5 + 1.0 + 1.5) / 2),
        ([(10.0, 8), (10.2, -8), (99.5, 2)], 100.0, 0.5),
    ],
)
def test_load_is_what_was_under_way_over_two_seconds(
    changes: list[tuple[float, int]], now: float, average: float
) -> None:
    load = Load(0.0)
    for at, by in changes:
        load.change(by, at)
    assert load.average(now) == pytest.approx(average)


def test_load_of_steady_traffic_is_its_mean() -> None:
    load = Load(0.0)
    for number in range(1000):
        load.change(1, number * 0.01)
        load.change(-1, number * 0.01 + 0.005)
    assert load.average(10.0) == pytest.approx(0.5, abs=0.01)


def test_a_shadow_has_room_for_so_many_copies_and_bytes() -> None:
    shadow = Variant("s", "1", True)
    assert [shadow.takes_copy(10) for _ in range(300)].count(True) == 256 and shadow.dropped == 44
    large = Variant("l", "1", True)
    assert [large.takes_copy(15 << 20) for _ in range(3)] == [True, True, False]
