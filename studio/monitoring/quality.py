"""What labels say about a variant's predictions, by stretches of time: counts for classes, deviations for numbers.

Numbers with a fraction, or more than 20 different ones that are not whole by their type, are a regression; everything
else is classes, compared as text, so that a label "1" of a CSV file is the class 1.
"""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any

import msgspec
import polars as pl

from studio.monitoring.redaction import SHOWN
from studio.monitoring.results import RESULT_BYTES, Cell, Deviation, Labelled, Quality

HOUR_MS = 3_600_000
WIDTHS_MS = [HOUR_MS * hours for hours in (1, 6, 24, 24 * 7, 24 * 30, 24 * 365 * 100)]
MOST_STRETCHES = 3000  # cells and deviations in all: the server adds them up while others wait
MOST_IDS = 5000
CELL_IDS = 100
CLASSES = 50
LONGEST = 80  # characters of a class's name
LARGEST = 1e100  # whose square is a number still
OTHER, ANOTHER = "(other)", "(another)"  # classes beyond the most frequent; of two different ones the second
Pair = tuple[int, str, Any, Any]  # at_ms, row id, label, prediction


def quality(rows: pl.DataFrame, waiting: int) -> Quality:
    """`rows` as `labels.joined` gives them; stretches are as short as keeps the whole small."""
    groups = {key: _Group(list(_pairs(mine))) for key, mine in _by_variant(rows)}
    width = WIDTHS_MS[-1]
    for shorter in WIDTHS_MS:
        if sum(group.stretches(shorter) for group in groups.values()) <= MOST_STRETCHES:
            width = shorter
            break
    total = sum(group.stretches(width) for group in groups.values())
    ids = max(1, min(CELL_IDS, MOST_IDS // max(1, total)))
    newest = sorted(groups.items(), key=lambda item: max((pair[0] for pair in item[1].pairs), default=0), reverse=True)
    found = [group.labelled(variant, version, width, ids) for (variant, version), group in newest]
    while len(msgspec.json.encode(found)) > RESULT_BYTES - 1000:
        found.pop()  # of so many variants the one that answered longest ago
    return Quality(width, waiting, found)


def _by_variant(rows: pl.DataFrame) -> Iterator[tuple[tuple[str, int], pl.DataFrame]]:
    for key, mine in sorted(rows.partition_by("variant", "version", as_dict=True).items()):
        yield (str(key[0]), int(key[1])), mine


def _pairs(rows: pl.DataFrame) -> Iterator[Pair]:
    for at_ms, id, output, label in rows.select("at_ms", "id", "output", "label").iter_rows():
        yield at_ms, id, msgspec.json.decode(label), single(msgspec.json.decode(output))


def single(output: Any) -> Any:
    """The one value of a prediction; None if it is several."""
    while isinstance(output, dict | list) and len(output) == 1:
        output = next(iter(output.values() if isinstance(output, dict) else output))
    return None if isinstance(output, dict | list) or output == SHOWN else output


def is_regression(values: list[Any]) -> bool:
    """Whether labels and predictions are measurements rather than classes."""
    if not all(isinstance(value, int | float) for value in values):
        return False
    broken = [value for value in values if isinstance(value, float)]
    return any(not value.is_integer() for value in broken) or len(set(broken)) > 20


def _is_measured(value: Any) -> bool:
    return isinstance(value, int | float) and abs(value) <= LARGEST


class _Group:
    """The labelled rows of one variant."""

    def __init__(self, pairs: list[Pair]) -> None:
        usable = [pair for pair in pairs if pair[3] is not None]
        labels, predictions = ([pair[at] for pair in usable] for at in (2, 3))
        # A label that is text beside predictions that are numbers: its row cannot be compared, the others can.
        numbers = [value for value in labels if isinstance(value, int | float)]
        self.regression = is_regression([*numbers, *predictions]) and bool(numbers)
        if self.regression:
            usable = [pair for pair in usable if _is_measured(pair[2]) and _is_measured(pair[3])]
        self.incomparable = len(pairs) - len(usable)
        self.pairs = usable if self.regression else _as_classes(usable)

    def stretches(self, width: int) -> int:
        if self.regression:
            return len({at_ms // width for at_ms, *_ in self.pairs})
        return len({(at_ms // width, label, prediction) for at_ms, _, label, prediction in self.pairs})

    def labelled(self, variant: str, version: int, width: int, ids: int) -> Labelled:
        if self.regression:
            deviations = self._deviations(width)
            return Labelled(variant, version, "regression", self.incomparable, deviations=deviations)
        cells: dict[tuple[int, str, str], list[str]] = defaultdict(list)
        for at_ms, id, label, prediction in self.pairs:
            cells[at_ms // width * width, label, prediction].append(id)
        listed = [Cell(*key, n=len(mine), row_ids=mine[::-1][:ids]) for key, mine in sorted(cells.items())]
        return Labelled(variant, version, "classification", self.incomparable, cells=listed)

    def _deviations(self, width: int) -> list[Deviation]:
        found: dict[int, list[float]] = defaultdict(list)
        for at_ms, _, label, prediction in self.pairs:
            found[at_ms // width * width].append(float(prediction) - float(label))
        return [
            Deviation(at_ms, len(mine), sum(mine), sum(map(abs, mine)), sum(one * one for one in mine))
            for at_ms, mine in sorted(found.items())
        ]


def _as_classes(pairs: list[Pair]) -> list[Pair]:
    """Labels and predictions as the names of classes; those beyond the 50 most frequent ones as others."""
    # Labels that are true and false go with predictions that are 1 and 0, and the other way round.
    sides = [{type(pair[at]) for pair in pairs} for at in (2, 3)]
    as_numbers = bool in sides[0] | sides[1] and sides[0] != sides[1] and sides[0] | sides[1] <= {bool, int, float}
    named = [(at, id, _name(label, as_numbers), _name(guess, as_numbers)) for at, id, label, guess in pairs]
    counted = Counter(name for pair in named for name in pair[2:])
    if len(counted) <= CLASSES:
        return list(named)
    common = {name for name, _ in counted.most_common(CLASSES)}
    return [(at, id, *_folded(label, guess, common)) for at, id, label, guess in named]


def _folded(label: str, guess: str, common: set[str]) -> tuple[str, str]:
    """Right stays right, and wrong wrong."""
    shown = label if label in common else OTHER
    if guess in common:
        return shown, guess
    return shown, ANOTHER if label not in common and label != guess else OTHER


def _name(value: Any, as_numbers: bool) -> str:
    if isinstance(value, bool):
        return str(int(value)) if as_numbers else str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return _short(str(value))


def _short(text: str) -> str:
    """A long text as its beginning and a digest, so that two of them are the same class only if they are the same."""
    if len(text) <= LONGEST:
        return text
    return f"{text[:LONGEST]}… ({hashlib.sha256(text.encode()).hexdigest()[:8]})"
