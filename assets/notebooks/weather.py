"""Features for "does it rain tomorrow?" from daily weather in Seattle, 2012-2015 (NOAA, public domain).

One row is one day. Its columns are what a station knows in the evening: today's values and those of the days before.
The target is whether it rains on the day after. The file's `weather` label is never used: it was written by different
rules in different years."""

import os
from pathlib import Path

import pandas as pd

MEASURED = ["precipitation", "temp_max", "temp_min", "wind"]
TARGET = "rain_tomorrow"
WINTER = (10, 11, 12, 1, 2, 3)
SUMMER = (6, 7, 8)
# What goes wrong in the story: one gauge changes its unit.
SHIFTED_COLUMN = "wind"


def path() -> Path:
    """Where the file is: in the domain's shared folder, or beside a checkout's notebooks."""
    shared = os.environ.get("STUDIO_SHARED", "")
    places = [Path(shared) / "data"] if shared else []
    places += [Path("../shared/data"), Path(__file__).resolve().parent.parent / "data"]
    for place in places:
        if (place / "seattle-weather.csv").exists():
            return place / "seattle-weather.csv"
    raise FileNotFoundError(f"seattle-weather.csv is in none of {', '.join(map(str, places))}")


def clean(raw: pd.DataFrame) -> pd.DataFrame:
    """One row per day in order, numbers as numbers, gaps of a day filled from the day before, no impossible values."""
    days = raw.copy()
    days["date"] = pd.to_datetime(days["date"])
    days = days.drop_duplicates("date").set_index("date").sort_index().asfreq("D")
    days = days[MEASURED].apply(pd.to_numeric, errors="coerce").astype("float64")
    days["precipitation"] = days["precipitation"].clip(lower=0)
    days["wind"] = days["wind"].clip(lower=0)
    return days.ffill(limit=1)


def features(days: pd.DataFrame) -> pd.DataFrame:
    """Today's values, yesterday's, and means of the last days. No month and no date: a season must show in the data."""
    table = days[MEASURED].copy()
    table["temp_range"] = days["temp_max"] - days["temp_min"]
    for column in ("precipitation", "temp_max", "temp_min"):
        table[f"{column}_yesterday"] = days[column].shift(1)
    for column in MEASURED:
        table[f"{column}_mean_7"] = days[column].shift(1).rolling(7).mean()
    table["rainy_days_7"] = (days["precipitation"] > 0).shift(1).rolling(7).sum()
    return table


def prepare(raw: pd.DataFrame) -> pd.DataFrame:
    """Features and target, one row per day; the first week and the last day have no complete row and are left out."""
    days = clean(raw)
    table = features(days)
    table[TARGET] = (days["precipitation"].shift(-1) > 0).astype("int64")
    table.index = table.index.strftime("%Y-%m-%d")
    return table.iloc[7:-1].dropna()


def load() -> pd.DataFrame:
    """`prepare` of the file."""
    return prepare(pd.read_csv(path()))


def season(table: pd.DataFrame, months: tuple[int, ...], years: tuple[int, ...]) -> pd.DataFrame:
    """The rows of these months and years."""
    days = pd.to_datetime(table.index)
    return table[days.month.isin(months) & days.year.isin(years)]


def split(
    table: pd.DataFrame, months: tuple[int, ...] = WINTER
) -> tuple[pd.DataFrame, pd.DataFrame, pd.Series, pd.Series]:
    """X_train, X_test, y_train, y_test: `months` of 2012-2014, and the winter days of 2015 that no model has seen."""
    old, new = season(table, months, (2012, 2013, 2014)), season(table, WINTER, (2015,))
    columns = [column for column in table.columns if column != TARGET]
    return old[columns], new[columns], old[TARGET], new[TARGET]


def traffic(which: str, count: int, seed: int = 0) -> pd.DataFrame:
    """`count` rows as an endpoint is asked: `quiet` winter days like those of the training data; `shifted`, the same
    days after the station's new wind gauge began to report km/h; `summer`, days of another season."""
    table = load()
    months = SUMMER if which == "summer" else WINTER
    rows, _, _, _ = split(table, months)
    rows = rows.sample(count, replace=True, random_state=seed).reset_index(drop=True)
    if which == "shifted":
        rows[SHIFTED_COLUMN] = rows[SHIFTED_COLUMN] * 3.6
    elif which not in ("quiet", "summer"):
        raise ValueError(f"There is no traffic {which!r}; there is quiet, shifted and summer.")
    return rows
