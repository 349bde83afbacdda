"""Quality of a run's model on its test set."""

from typing import Any

from studio.wire.rest.schemas.base import Answer


class MatrixAnswer(Answer):
    """The four cells of the confusion matrix."""

    tp: int
    fp: int
    fn: int
    tn: int


class EvaluationAnswer(Answer):
    """Figures at a threshold; `curve`: (threshold, tp, fp, fn, tn)."""

    positive_label: Any
    threshold: float
    n: int
    matrix: MatrixAnswer
    accuracy: float
    precision: float
    recall: float
    f1: float
    auc: float | None
    curve: list[tuple[float, int, int, int, int]]


class CellRowsAnswer(Answer):
    """Rows of one cell, the most wrong first."""

    columns: list[str]
    rows: list[list[Any]]
    row_ids: list[Any]
