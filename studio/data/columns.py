"""Statistics of a frame's columns, with polars."""

from datetime import date, datetime, time, timedelta
from typing import Any

import polars as pl

from studio.data.reports import (
    HEAD_COLUMNS,
    HEAD_ROWS,
    MAX_COLUMNS,
    MAX_TEXT,
    Cell,
    ColumnProfile,
    Head,
    Histogram,
    Profile,
)

BINS = 20
TOP = 10
_EXACT = 2**53  # integers beyond it change on their way through JavaScript


def profile(frame: pl.DataFrame, row_count: int) -> Profile:
    """The profile of a file with `row_count` rows of which `frame` has all or the first ones."""
    shown = frame.columns[:MAX_COLUMNS]
    head = frame.select(frame.columns[:HEAD_COLUMNS]).head(HEAD_ROWS)
    return Profile(
        row_count=row_count,
        column_count=frame.width,
        columns=[column(frame.get_column(name)) for name in shown],
        head=Head(
            [name[:MAX_TEXT] for name in head.columns], [[cell(value) for value in row] for row in head.iter_rows()]
        ),
        sampled_rows=frame.height if frame.height < row_count else None,
    )


def column(values: pl.Series) -> ColumnProfile:
    """One column in figures; a nested column only says what it is and how much is missing."""
    dtype = values.dtype
    name, kind = values.name[:MAX_TEXT], str(dtype.base_type().__name__).lower()
    if dtype.is_float():
        values = values.fill_nan(None)
    if dtype == pl.Duration:
        values, dtype = values.dt.total_microseconds() / 1e6, pl.Float64()  # as seconds
    present = values.drop_nulls()
    missing = values.len() - present.len()
    if dtype.is_nested() or dtype in (pl.Binary, pl.Object, pl.Null):
        return ColumnProfile(name, kind, missing)
    distinct = present.n_unique()
    if dtype == pl.Boolean:
        mean = _number(present.mean())
        return ColumnProfile(name, kind, missing, distinct, mean=mean, top=_top(present))
    if dtype.is_numeric():
        finite = present.filter(present.is_finite()) if dtype.is_float() else present
        low, high, mean = cell(finite.min()), cell(finite.max()), _number(finite.mean())
        return ColumnProfile(name, kind, missing, distinct, low, high, mean, _histogram(finite.cast(pl.Float64)))
    low, high = cell(present.min()), cell(present.max())
    if dtype in (pl.Date, pl.Datetime):
        stamps = present.cast(pl.Datetime("ms")).to_physical().cast(pl.Float64)
        return ColumnProfile(name, kind, missing, distinct, low, high, histogram=_histogram(stamps))
    text = present.cast(pl.String) if dtype != pl.String else present
    return ColumnProfile(name, kind, missing, distinct, low, high, top=_top(text))


def _histogram(values: pl.Series) -> Histogram | None:
    """At most `BINS` bins of equal width over the values' range; None without values."""
    if values.is_empty():
        return None
    low, high = float(values.min()), float(values.max())  # type: ignore[arg-type]
    whole = bool((values == values.round()).all())
    # Whole numbers in a small range get a bin each: 7 bins for days of the week, not 20 with gaps.
    bins = int(min(BINS, high - low + 1)) if whole else BINS
    width = (high - low) / bins
    if not 0 < width < float("inf"):
        return Histogram([low, high], [values.len()])
    index = ((values - low) / width).floor().clip(0, bins - 1).cast(pl.Int32)
    found = dict(index.value_counts(name="n").iter_rows())
    edges = [low + width * number for number in range(bins)] + [high]
    return Histogram(edges, [found.get(number, 0) for number in range(bins)])


def _top(values: pl.Series) -> list[tuple[Cell, int]]:
    """The most frequent values, most frequent first; equal counts in the values' order."""
    name = values.name
    counted = values.value_counts(name="\0n").sort(["\0n", name], descending=[True, False])
    return [(cell(value), count) for value, count in counted.head(TOP).iter_rows()]


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def cell(value: Any) -> Cell:
    """A value as JSON can carry it; long texts are cut."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value if abs(value) <= _EXACT else str(value)[:MAX_TEXT]
    if isinstance(value, float):
        return value if abs(value) < float("inf") else None if value != value else str(value)
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    text = value.hex() if isinstance(value, bytes) else str(value)
    return text if len(text) <= MAX_TEXT else text[: MAX_TEXT - 1] + "…"
