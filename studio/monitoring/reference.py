"""Bins of the reference: exact deciles of the training data's columns, or their values; and counting rows into them."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from studio.monitoring.checks.missing import has_moved, rate
from studio.monitoring.checks.psi import noise, psi
from studio.monitoring.results import ColumnResult

BINS = 10
CATEGORIES = 20
LEAST_SHARE = 0.01  # a category rarer than this, or seen less than 5 times, is "other"
OTHER = "other"
Counts = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Reference:
    """One column of the training data. `edges`: inner edges; a value belongs to the bin whose right edge is at or above
    it. `low`, `high`: the range, for drawing."""

    name: str
    rows: int
    missing: int
    counts: Counts
    edges: Counts | None
    low: float
    high: float
    categories: tuple[str, ...]


def read_baseline(folder: Path) -> pl.DataFrame | None:
    """The sample of the training data in `folder`, whose only file is `baseline.<csv|parquet|json>`."""
    if (path := folder / "baseline.parquet").is_file():
        return pl.read_parquet(path)
    if (path := folder / "baseline.csv").is_file():
        return pl.read_csv(path, infer_schema_length=None)
    if (path := folder / "baseline.json").is_file():
        return pl.read_json(path)
    return None


def learn(column: pl.Series) -> Reference:
    """The bins of one column: at most ten with equal numbers of rows, fewer where values are tied."""
    if column.dtype.is_numeric():
        values = _numbers(column)
        known = values[~np.isnan(values)]
        edges = inner_edges(known)
        low, high = (float(known.min()), float(known.max())) if known.size else (0.0, 0.0)
        counts = _count_numbers(known, edges)
        return Reference(column.name, len(values), len(values) - known.size, counts, edges, low, high, ())
    texts = _texts(column)
    seen = texts.drop_nulls().value_counts(sort=True).head(CATEGORIES).rows()
    least = max(5.0, LEAST_SHARE * len(texts))
    categories = (*(str(value) for value, count in seen if count >= least), OTHER)
    counts = _count_texts(texts, categories)
    return Reference(column.name, len(texts), texts.null_count(), counts, None, 0.0, 0.0, categories)


def inner_edges(known: Counts) -> Counts:
    """Exact deciles without repetition. A constant column gets the edges just below and at its value, so that any other
    value falls into another bin."""
    if not known.size:
        return np.array([], dtype=np.float64)
    edges = np.unique(np.quantile(known, np.arange(1, BINS) / BINS, method="inverted_cdf"))
    inside: Counts = edges[edges < known.max()]
    if inside.size:
        return inside
    return np.array([np.nextafter(known.min(), -np.inf), known.max()])


def _numbers(column: pl.Series) -> Counts:
    """Floats, NaN where a value is missing or no number."""
    values = column.cast(pl.Float64, strict=False).fill_null(np.nan).to_numpy()
    return np.asarray(values, dtype=np.float64)


def _texts(column: pl.Series) -> pl.Series:
    return column.cast(pl.String, strict=False)


def _count_numbers(known: Counts, edges: Counts) -> Counts:
    bins = np.searchsorted(edges, known, side="left")
    counts: Counts = np.bincount(bins, minlength=edges.size + 1).astype(np.float64)
    return counts


def _count_texts(texts: pl.Series, categories: tuple[str, ...]) -> Counts:
    found = dict(texts.drop_nulls().value_counts().rows())
    counts = [float(found.pop(name, 0)) for name in categories[:-1]]
    return np.array([*counts, float(sum(found.values()))])


def compare(reference: Reference, column: pl.Series, threshold: float) -> ColumnResult:
    """PSI of `column` against `reference`, missing values as a bin of their own, and whether it has drifted."""
    if reference.edges is not None:
        values = _numbers(column)
        known = values[~np.isnan(values)]
        counts, missing = _count_numbers(known, reference.edges), len(values) - known.size
    else:
        texts = _texts(column)
        counts, missing = _count_texts(texts, reference.categories), texts.null_count()
    r, c = reference.counts, counts
    if reference.missing or missing:
        r, c = np.append(r, reference.missing), np.append(c, missing)
    value = psi(r, c)
    used = max(threshold, noise(int(r.size), reference.rows, len(column)))
    moved = has_moved((reference.missing, reference.rows), (missing, len(column)))
    return ColumnResult(
        name=reference.name,
        kind="numeric" if reference.edges is not None else "categorical",
        psi=round(value, 6),
        drifted=value >= used or moved,
        threshold=round(used, 6),
        missing_reference=round(rate(reference.missing, reference.rows), 6),
        missing_current=round(rate(missing, len(column)), 6),
        reference=_shares(reference.counts, reference.rows),
        current=_shares(counts, len(column)),
        edges=_drawn(reference) if reference.edges is not None else None,
        categories=list(reference.categories) if reference.edges is None else None,
    )


def _shares(counts: Counts, rows: int) -> list[float]:
    return [round(float(count) / rows, 6) if rows else 0.0 for count in counts]


def _drawn(reference: Reference) -> list[float]:
    """Edges with the range's ends: one more than there are bins, and finite, so that they can be drawn."""
    assert reference.edges is not None
    inner = [float(edge) for edge in reference.edges]
    return [min(reference.low, *inner[:1]), *inner, max(reference.high, *inner[-1:])] if inner else [0.0, 0.0]
