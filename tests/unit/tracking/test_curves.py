"""Curves: never more points than asked for, and never without ends, peaks and what is no number."""

import itertools
import math
import random
import statistics

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection

from studio.errors import NotFound
from studio.tracking import curves, metrics, runs
from studio.tracking.curves import Curve, Window
from studio.tracking.records import Metric

ODD = [math.nan, math.inf, -math.inf]
values = st.lists(
    st.tuples(st.integers(-(2**63) + 1, 2**63 - 1) | st.integers(-5, 60), st.floats() | st.sampled_from(ODD)),
    min_size=1,
    max_size=120,
    unique_by=lambda pair: pair[0],
)


def logged(db: Connection, points: list[tuple[int, int, float]]) -> str:
    run_id = runs.create(db, "demo", "0", owner="ann").info.run_id
    metrics.log(db, "demo", run_id, [Metric("m", value, ts, step) for step, ts, value in points])
    return run_id


def curve(db: Connection, run_id: str, window: Window) -> Curve:
    (found,) = curves.of_run(db, "demo", run_id, ["m"], window)
    return found


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(given_=values, most=st.integers(8, 40), is_log=st.booleans())
def test_ends_and_extremes_stay(db: Connection, given_: list[tuple[int, float]], most: int, is_log: bool) -> None:
    points = [(step, 1000, value) for step, value in given_]
    run_id = logged(db, points)
    found = curve(db, run_id, Window(most, is_log=is_log))
    steps = [step for step, _, _ in found.points]
    assert len(found.points) <= most
    assert steps == sorted(set(steps))
    assert found.is_thinned == (len(points) > most)
    real = {step: value for step, _, value in points}
    for step, ts, value in found.points:
        assert ts == 1000
        assert value == real[step] or (math.isnan(value) and math.isnan(real[step])), "as logged, to the last bit"
    assert {min(real), max(real)} <= set(steps)
    finite = [value for value in real.values() if math.isfinite(value)]
    if finite:
        shown = [value for _, _, value in found.points if math.isfinite(value)]
        assert (min(shown), max(shown)) == (min(finite), max(finite))
    assert any(not math.isfinite(value) for _, _, value in found.points) == (len(finite) < len(real))


def test_every_stretch_keeps_its_lowest_and_highest(db: Connection) -> None:
    chance = random.Random(7)
    points = [(step, step * 10, chance.gauss(0, 1)) for step in range(5000)]
    run_id = logged(db, points)
    found = curve(db, run_id, Window(400))
    assert len(found.points) > 350
    kept = set(found.points)
    for least, most in curves.edges(0, 4999, 199):
        part = points[least : most + 1]
        assert {min(part, key=lambda point: point[2]), max(part, key=lambda point: point[2])} <= kept
    for (step, ts, value), (least, most) in zip(found.means, curves.edges(0, 4999, 199), strict=True):
        assert least <= step <= most
        assert ts == step * 10
        assert value == pytest.approx(statistics.fmean(value for _, _, value in points[least : most + 1]))


def test_values_near_the_end_of_the_range_of_floats(db: Connection) -> None:
    run_id = logged(db, [(step, step, 1.7e308) for step in range(100)])
    found = curve(db, run_id, Window(10))
    assert {value for _, _, value in found.points} == {1.7e308}
    assert found.means == []


def test_a_narrower_range_shows_every_point(db: Connection) -> None:
    run_id = logged(db, [(step, step, float(step % 7)) for step in range(3000)])
    found = curve(db, run_id, Window(100, least=2950, most=2999))
    assert [step for step, _, _ in found.points] == list(range(2950, 3000))
    assert not found.is_thinned


def test_values_without_steps_run_over_time(db: Connection) -> None:
    run_id = logged(db, [(0, ts, 1000 if ts == 777 else math.nan if ts == 500 else ts % 9) for ts in range(2000)])
    found = curve(db, run_id, Window(60))
    times = [ts for _, ts, _ in found.points]
    assert 30 < len(times) <= 60
    assert (times[0], times[-1]) == (0, 1999)
    assert 777 in times
    assert 500 in times


def test_a_logarithmic_axis_gets_as_many_points_at_its_left(db: Connection) -> None:
    run_id = logged(db, [(step, step, math.sin(step)) for step in range(20_000)])
    early = [step for step, _, _ in curve(db, run_id, Window(200, is_log=True)).points if step < 100]
    assert len(early) > 40
    assert len([step for step, _, _ in curve(db, run_id, Window(200)).points if step < 100]) <= 4


@pytest.mark.parametrize("is_log", [False, True])
@pytest.mark.parametrize("ends", [(0, 0), (-3, 5), (0, 7), (1, 10**6), (-(2**63), 2**63 - 1)])
def test_stretches_cover_all_steps_once(ends: tuple[int, int], is_log: bool) -> None:
    found = curves.edges(*ends, 50, is_log)
    assert 1 <= len(found) <= 50
    assert (found[0][0], found[-1][1]) == ends
    assert all(least <= most for least, most in found)
    assert all(left[1] + 1 == right[0] for left, right in itertools.pairwise(found))


def test_what_was_never_logged_is_left_out(db: Connection) -> None:
    run_id = logged(db, [(1, 1, 0.5)])
    found = curves.of_run(db, "demo", run_id, ["never", "m"], Window(100))
    assert found == [Curve(run_id, "m", [(1, 1, 0.5)], False)]


def test_another_domain_has_no_such_run(db: Connection) -> None:
    run_id = logged(db, [(1, 1, 0.5)])
    with pytest.raises(NotFound):
        curves.of_run(db, "other", run_id, ["m"], Window(100))
