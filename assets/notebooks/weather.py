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


def load() -> pd.DataFrame:
    """Features and target, one row per day; the first week and the last day have no complete row and are left out."""
    days = clean(pd.read_csv(path()))
    table = features(days)
    table[TARGET] = (days["precipitation"].shift(-1) > 0).astype("int64")
    table.index = table.index.strftime("%Y-%m-%d")
    return table.iloc[7:-1].dropna()


def winters(table: pd.DataFrame) -> pd.DataFrame:
    """The days from October to March."""
    return table[pd.to_datetime(table.index).month.isin(WINTER)]


def split(table: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame, pd.Series, pd.Series]:
    """X_train, X_test, y_train, y_test: winters of 2012-2014, and the winter days of 2015 that no model has seen."""
    winter = winters(table)
    new = pd.to_datetime(winter.index).year == 2015
    columns = [column for column in table.columns if column != TARGET]
    return winter.loc[~new, columns], winter.loc[new, columns], winter.loc[~new, TARGET], winter.loc[new, TARGET]
