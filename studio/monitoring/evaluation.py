"""Quality of a two-class model on a test set: confusion matrix at a threshold, the usual figures, the rows of a cell.

The file `studio/evaluation.json` of a run is written by `studio.guest.sdk.evaluate`; it is a user's file, read as such.
A row counts as predicted positive when its score is at least the threshold. The server imports this at its start and
numpy only with the first evaluation that somebody looks at: most never do, and it costs 20 MB and a third of a second.
"""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from studio.errors import Invalid

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FILE = "studio/evaluation.json"
MAX_BYTES = 64 << 20
CURVE_POINTS = 101
Cell = Literal["tp", "fp", "fn", "tn"]


class _Document(msgspec.Struct):
    """Rows stay undecoded until some are asked for: decoding all of them would hold the server up."""

    columns: list[str]
    rows: msgspec.Raw
    row_ids: msgspec.Raw
    y_true: list[Any]
    score: list[float]
    positive_label: Any
    threshold: float = 0.5


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Truth and score per row, as arrays; `order` sorts by falling score, `hits` are cumulative positives in it."""

    columns: list[str]
    positive_label: Any
    threshold: float
    truth: "NDArray[np.bool_]"
    score: "NDArray[np.float64]"
    falling: "NDArray[np.float64]"
    hits: "NDArray[np.int64]"
    rows: bytes
    row_ids: bytes


@dataclass(frozen=True, slots=True)
class Matrix:
    """Counts of the four cells."""

    tp: int
    fp: int
    fn: int
    tn: int


@dataclass(frozen=True, slots=True)
class Quality:
    """Figures at a threshold; `auc` is the area under the ROC curve, None with one class only; `curve`: rows of
    (threshold, tp, fp, fn, tn)."""

    positive_label: Any
    threshold: float
    n: int
    matrix: Matrix
    accuracy: float
    precision: float
    recall: float
    f1: float
    auc: float | None
    curve: list[tuple[float, int, int, int, int]]


def load(data: bytes) -> Evaluation:
    """The file's content, or `Invalid` with what is wrong about it."""
    import numpy as np

    try:
        found = msgspec.json.decode(data, type=_Document)
    except msgspec.DecodeError as error:
        raise Invalid(
            f"{FILE} cannot be read: {error}.", "Write it with `sdk.evaluate(model, X_test, y_test)`."
        ) from error
    if not found.score or len(found.score) != len(found.y_true):
        raise Invalid(f"{FILE} has {len(found.y_true)} labels and {len(found.score)} scores.", "Evaluate again.")
    positive = found.positive_label
    truth = np.fromiter((label == positive for label in found.y_true), dtype=np.bool_, count=len(found.y_true))
    score = np.asarray(found.score, dtype=np.float64)
    if not np.isfinite(score).all():
        raise Invalid(f"{FILE} has scores that are not finite.", "Evaluate again.")
    order = np.argsort(-score, kind="stable")
    hits = np.concatenate(([0], np.cumsum(truth[order]))).astype(np.int64)
    return Evaluation(
        found.columns,
        positive,
        found.threshold,
        truth,
        score,
        score[order],
        hits,
        bytes(found.rows),
        bytes(found.row_ids),
    )


def matrix(found: Evaluation, threshold: float) -> Matrix:
    """Counts when scores of at least `threshold` are predicted positive."""
    guessed = int((-found.falling).searchsorted(-threshold, side="right"))
    tp, positives, n = int(found.hits[guessed]), int(found.hits[-1]), found.score.size
    return Matrix(tp, guessed - tp, positives - tp, n - positives - (guessed - tp))


def quality(found: Evaluation, threshold: float | None = None) -> Quality:
    """Everything at `threshold` (None: the one that the evaluation was made with)."""
    at = found.threshold if threshold is None else threshold
    if not math.isfinite(at):
        raise Invalid("The threshold is not a number.", "Give one between the lowest and the highest score.")
    m = matrix(found, at)
    precision, recall = _share(m.tp, m.tp + m.fp), _share(m.tp, m.tp + m.fn)
    return Quality(
        positive_label=found.positive_label,
        threshold=at,
        n=found.score.size,
        matrix=m,
        accuracy=_share(m.tp + m.tn, found.score.size),
        precision=precision,
        recall=recall,
        f1=2 * precision * recall / (precision + recall) if precision + recall else 0.0,
        auc=auc(found),
        curve=curve(found),
    )


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


def auc(found: Evaluation) -> float | None:
    """Area under the ROC curve by the trapezoid rule over distinct scores, which gives ties their mean rank."""
    import numpy as np

    last = np.flatnonzero(np.append(np.diff(found.falling) != 0, True)) + 1
    tp = np.concatenate(([0], found.hits[last])).astype(np.float64)
    fp = np.concatenate(([0], last)) - tp
    if not tp[-1] or not fp[-1]:
        return None
    return float(np.trapezoid(tp, fp) / (tp[-1] * fp[-1]))


def curve(found: Evaluation) -> list[tuple[float, int, int, int, int]]:
    """The matrix at up to 101 thresholds: evenly from 0 to 1 for probabilities, else the scores' quantiles."""
    import numpy as np

    low, high = float(found.falling[-1]), float(found.falling[0])
    if low >= 0 and high <= 1:
        thresholds = np.linspace(0, 1, CURVE_POINTS)
    else:
        thresholds = np.unique(np.quantile(found.score, np.linspace(0, 1, CURVE_POINTS)))
    points = [(float(at), matrix(found, float(at))) for at in thresholds]
    return [(round(at, 6), m.tp, m.fp, m.fn, m.tn) for at, m in points]


def cell_rows(
    found: Evaluation, cell: Cell, threshold: float | None, limit: int
) -> tuple[list[str], list[list[Any]], list[Any]]:
    """(columns, rows, row ids) of a cell, the most wrong (or most certain) first. Columns end in label and score."""
    import numpy as np

    at = found.threshold if threshold is None else threshold
    guess = found.score >= at
    wanted = {"tp": guess & found.truth, "fp": guess & ~found.truth, "fn": ~guess & found.truth}
    inside = np.flatnonzero(wanted.get(cell, ~guess & ~found.truth))
    falling = cell in ("tp", "fp")
    ranked = inside[np.argsort(-found.score[inside] if falling else found.score[inside], kind="stable")][:limit]
    try:
        raw = msgspec.json.decode(found.rows, type=list[msgspec.Raw])
        ids = msgspec.json.decode(found.row_ids, type=list[Any])
        rows = [
            [*msgspec.json.decode(raw[i], type=list[Any]), bool(found.truth[i]), float(found.score[i])] for i in ranked
        ]
        chosen = [ids[i] for i in ranked]
    except (msgspec.DecodeError, IndexError) as error:
        raise Invalid(f"{FILE} has other rows than scores.", "Evaluate again.") from error
    return [*found.columns, "is positive", "score"], rows, chosen
