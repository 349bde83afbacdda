"""Drift on real data: Seattle's weather, and shifts planted in it."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from studio.monitoring.reference import compare, learn

DATA = Path(__file__).resolve().parents[3] / "assets" / "data" / "seattle-weather.csv"
COLUMNS = ["precipitation", "temp_max", "temp_min", "wind"]


@pytest.fixture(scope="module")
def weather() -> pl.DataFrame:
    return pl.read_csv(DATA).with_columns(month=pl.col("date").str.slice(5, 2).cast(pl.Int64))


def drifted(reference: pl.DataFrame, current: pl.DataFrame) -> list[str]:
    return [name for name in COLUMNS if compare(learn(reference[name]), current[name], 0.2).drifted]


def test_undrifted_splits_raise_nothing(weather: pl.DataFrame) -> None:
    random = np.random.default_rng(1)
    for _ in range(200):
        order = random.permutation(len(weather))
        named = drifted(weather[order[:1000]], weather[order[1000:1200]])
        assert named == []


def test_winter_to_summer_drifts_everywhere(weather: pl.DataFrame) -> None:
    winter = weather.filter(pl.col("month").is_in([11, 12, 1, 2]))
    summer = weather.filter(pl.col("month").is_in([6, 7, 8]))
    assert drifted(winter, summer) == COLUMNS
    assert compare(learn(winter["temp_max"]), summer["temp_max"], 0.2).psi > 3


@pytest.mark.parametrize("name", COLUMNS)
def test_a_planted_shift_names_its_column_and_no_other(weather: pl.DataFrame, name: str) -> None:
    order = np.random.default_rng(2).permutation(len(weather))
    current = weather[order[1000:1300]]
    planted = current.with_columns(pl.col(name) * 1.8 + 3.2)
    assert drifted(weather[order[:1000]], planted) == [name]


def test_values_that_stay_away_are_noticed(weather: pl.DataFrame) -> None:
    gone = weather.with_columns(wind=pl.when(pl.col("month") > 6).then(None).otherwise(pl.col("wind")))
    found = compare(learn(weather["wind"]), gone["wind"], 0.2)
    assert found.drifted
    assert found.missing_reference == 0
    assert found.missing_current > 0.4
