"""PSI and its bins against a slow oracle; missing values."""

import math
from collections.abc import Sequence

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from studio.monitoring.checks.missing import has_moved, rate
from studio.monitoring.checks.psi import noise, psi
from studio.monitoring.reference import BINS, OTHER, compare, inner_edges, learn

FLOATS = st.one_of(st.floats(-1e6, 1e6), st.sampled_from([0.0, 0.0, 1.0, 2.5]), st.none())


def oracle(reference: Sequence[float | None], current: Sequence[float | None]) -> float:
    """The same definition without numpy: deciles by sorting, bins by comparing."""
    known = sorted(x for x in reference if x is not None)
    if not known:
        edges: list[float] = []
    else:
        # The smallest value with at least a share q of the values at or below it (inverse of the distribution).
        deciles = {known[max(0, math.ceil(round(len(known) * k / BINS, 9)) - 1)] for k in range(1, BINS)}
        edges = sorted(x for x in deciles if x < known[-1])
        edges = edges or [math.nextafter(known[0], -math.inf), known[-1]]

    def counts(rows: Sequence[float | None]) -> list[int]:
        found = [0] * (len(edges) + 1)
        for x in rows:
            if x is not None:
                found[sum(x > edge for edge in edges)] += 1
        return found

    r, c = counts(reference), counts(current)
    absent_r, absent_c = (sum(x is None for x in rows) for rows in (reference, current))
    if absent_r or absent_c:
        r, c = [*r, absent_r], [*c, absent_c]
    if len(r) < 2 or not sum(r) or not sum(c):
        return 0.0
    total = 0.0
    for a, b in zip(r, c, strict=True):
        p = (a + 0.5) / (sum(r) + 0.5 * len(r))
        q = (b + 0.5) / (sum(c) + 0.5 * len(c))
        total += (q - p) * math.log(q / p)
    return total


@settings(max_examples=200, deadline=None)
@given(st.lists(FLOATS, min_size=1, max_size=80), st.lists(FLOATS, min_size=1, max_size=80))
def test_psi_equals_the_slow_oracle(reference: list[float | None], current: list[float | None]) -> None:
    known = learn(pl.Series("x", reference, dtype=pl.Float64))
    found = compare(known, pl.Series("x", current, dtype=pl.Float64), 0.2)
    assert found.psi == pytest.approx(oracle(reference, current), abs=1e-6)


def test_psi_is_symmetric_zero_for_the_same_and_refuses_other_bins() -> None:
    assert psi([5, 10, 5], [50, 100, 50]) == pytest.approx(0, abs=1e-3)
    assert psi([5, 10], [10, 5]) == pytest.approx(psi([10, 5], [5, 10]))
    assert psi([], []) == psi([3], [9]) == psi([0, 0], [1, 1]) == 0.0
    with pytest.raises(ValueError, match="bins"):
        psi([1, 2], [1, 2, 3])


def test_edges_are_exact_deciles_and_fewer_with_ties() -> None:
    values = np.arange(1.0, 101.0)
    assert inner_edges(values).tolist() == [10, 20, 30, 40, 50, 60, 70, 80, 90]
    assert inner_edges(np.array([0.0] * 60 + list(range(1, 41)))).tolist() == [0, 10, 20, 30]
    constant = inner_edges(np.array([7.0] * 5))
    assert constant.tolist() == [np.nextafter(7.0, -np.inf), 7.0]


def test_constant_column_notices_any_other_value() -> None:
    known = learn(pl.Series("x", [7.0] * 500))
    assert not compare(known, pl.Series("x", [7.0] * 300), 0.2).drifted
    assert compare(known, pl.Series("x", [7.1] * 300), 0.2).drifted
    assert compare(known, pl.Series("x", [6.9] * 300), 0.2).drifted


def test_categories_by_value_with_other_for_rare_and_new_ones() -> None:
    known = learn(pl.Series("kind", ["sun"] * 700 + ["rain"] * 290 + ["hail"] * 3 + [None] * 7))
    assert known.categories == ("sun", "rain", OTHER)
    assert known.counts.tolist() == [700, 290, 3]
    found = compare(known, pl.Series("kind", ["sun"] * 140 + ["ash"] * 60), 0.2)
    assert found.drifted
    assert found.current == [0.7, 0.0, 0.3]
    assert found.categories == ["sun", "rain", OTHER]


def test_texts_where_numbers_were_count_as_missing() -> None:
    known = learn(pl.Series("x", np.arange(500.0)))
    found = compare(known, pl.Series("x", ["high"] * 200), 0.2)
    assert (found.missing_current, found.drifted) == (1.0, True)


def test_missing_rate_needs_size_and_significance() -> None:
    assert rate(0, 0) == 0.0
    assert not has_moved((0, 1000), (8, 200))  # 4 points: too small to alarm anybody
    assert not has_moved((50, 1000), (14, 120))  # significant neither
    assert has_moved((0, 1000), (40, 200))
    assert has_moved((500, 1000), (20, 200))


def test_noise_is_the_level_that_undrifted_windows_stay_below() -> None:
    """At 200 rows of 400 a threshold of 0.2 would still be noise one time in some hundreds: the level covers it."""
    random = np.random.default_rng(3)
    above = 0
    level = noise(BINS, 400, 200)
    for _ in range(2000):
        known = learn(pl.Series("x", random.normal(size=400)))
        above += compare(known, pl.Series("x", random.normal(size=200)), 0.0).psi >= level
    assert above <= 10  # 1 in 2,000 in theory
