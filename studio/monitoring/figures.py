"""Figures of quality in a stretch of time, added up from what the job wrote: pure, and quick enough for the server."""

import math
from collections import Counter
from dataclasses import dataclass, field, replace

from studio.monitoring.results import Labelled, Quality

CELL_IDS = 100


@dataclass(slots=True)
class MatrixCell:
    """Rows with this label and prediction; `row_ids`: the newest of them."""

    label: str
    prediction: str
    n: int = 0
    row_ids: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class ClassFigures:
    """One class. `precision`: the share of its predictions that were right, `recall`: the share of its rows that were
    found; None without any."""

    name: str
    labels: int
    predictions: int
    precision: float | None
    recall: float | None


@dataclass(frozen=True, slots=True)
class Figures:
    """One variant. Classes: `accuracy`, `classes`, `matrix`. Numbers: `mae`, `rmse` and `bias` (mean of prediction -
    label)."""

    variant: str
    version: int
    kind: str
    n: int
    incomparable: int
    accuracy: float | None = None
    classes: list[ClassFigures] = field(default_factory=list)
    matrix: list[MatrixCell] = field(default_factory=list)
    mae: float | None = None
    rmse: float | None = None
    bias: float | None = None


@dataclass(frozen=True, slots=True)
class Span:
    """From `from_ms` up to before `to_ms`; None: without end."""

    from_ms: int | None
    to_ms: int | None

    def has(self, at_ms: int) -> bool:
        return (self.from_ms is None or at_ms >= self.from_ms) and (self.to_ms is None or at_ms < self.to_ms)


def span(found: Quality, from_ms: int, to_ms: int) -> Span:
    """What was asked for (0: without end) made of whole stretches."""
    width = found.width_ms or 1
    return Span(from_ms // width * width if from_ms else None, -(-to_ms // width) * width if to_ms else None)


def figures(found: Quality, within: Span) -> list[Figures]:
    """Of every variant with labels in `within`."""
    made = [_numbers(one, within) if one.kind == "regression" else _classes(one, within) for one in found.variants]
    return [one for one in made if one.n]


def _numbers(one: Labelled, within: Span) -> Figures:
    mine = [part for part in one.deviations if within.has(part.at_ms)]
    n = sum(part.n for part in mine)
    plain = Figures(one.variant, one.version, one.kind, n, one.incomparable)
    if not n:
        return plain
    return replace(
        plain,
        mae=sum(part.absolute for part in mine) / n,
        rmse=math.sqrt(max(0.0, sum(part.squared for part in mine)) / n),
        bias=sum(part.signed for part in mine) / n,
    )


def _classes(one: Labelled, within: Span) -> Figures:
    cells: dict[tuple[str, str], MatrixCell] = {}
    for part in reversed(one.cells):
        if within.has(part.at_ms):
            cell = cells.setdefault((part.label, part.prediction), MatrixCell(part.label, part.prediction))
            cell.n += part.n
            cell.row_ids += part.row_ids[: CELL_IDS - len(cell.row_ids)]
    labels: Counter[str] = Counter()
    predictions: Counter[str] = Counter()
    for cell in cells.values():
        labels[cell.label] += cell.n
        predictions[cell.prediction] += cell.n
    right = {cell.label: cell.n for cell in cells.values() if cell.label == cell.prediction}
    n = labels.total()
    classes = [
        ClassFigures(
            name,
            labels[name],
            predictions[name],
            _share(right.get(name, 0), predictions[name]),
            _share(right.get(name, 0), labels[name]),
        )
        for name in sorted({*labels, *predictions})
    ]
    matrix = sorted(cells.values(), key=lambda cell: (cell.label, cell.prediction))
    accuracy = _share(sum(right.values()), n)
    return Figures(one.variant, one.version, one.kind, n, one.incomparable, accuracy, classes, matrix)


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
