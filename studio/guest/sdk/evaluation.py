"""What a model gets right and wrong on unseen rows, and what its training data looked like; written to the run."""

import json
import math
import random
from collections.abc import Sequence
from typing import Any

from studio.guest.sdk.call import CallFailed

MAX_ROWS = 20_000
EVALUATION = "studio/evaluation.json"
BASELINE = "studio/baseline.csv"


def evaluate(
    model_or_scores: Any, X_test: Any, y_test: Any, *, positive: Any = None, threshold: float = 0.5
) -> dict[str, float]:
    """Metrics of a two-class model on a test set, logged to the active run, with the rows behind every cell of its
    confusion matrix. `model_or_scores`: a model with predict_proba, or the score of the positive class per row.
    `positive` is that class's label (default: the greater one). Returns the metrics; `threshold` is a score's."""
    mlflow = _active_run()
    truth = _plain_list(y_test)
    labels = sorted({_key(label) for label in truth})
    if len(labels) != 2:
        raise CallFailed(
            f"y_test has {len(labels)} classes; evaluate looks at two.", "Compare one class with the rest."
        )
    positive = _plain(positive) if positive is not None else max(labels)[1]
    if positive not in [label for _, label in labels]:
        raise CallFailed(f"y_test has no {positive!r}; it has {[label for _, label in labels]}.", "Set positive=.")
    scores = _scores(model_or_scores, X_test, positive)
    if len(scores) != len(truth):
        raise CallFailed(f"{len(scores)} scores and {len(truth)} labels do not go together.", "Pass the same rows.")
    hits = [label == positive for label in truth]
    metrics = _metrics(hits, scores, threshold)
    mlflow.log_metrics(metrics)
    chosen = _sample(len(truth))
    columns, rows, ids = _rows(X_test, chosen)
    body = {
        "columns": columns,
        "rows": rows,
        "row_ids": ids,
        "y_true": [truth[at] for at in chosen],
        "score": [scores[at] for at in chosen],
        "positive_label": positive,
        "threshold": threshold,
    }
    mlflow.log_text(json.dumps(body, allow_nan=False), EVALUATION)
    return metrics


def log_baseline(X_train: Any) -> None:
    """Keeps (a sample of) the training rows with the run: what drift of an endpoint is measured against."""
    mlflow = _active_run()
    if not hasattr(X_train, "to_csv"):
        raise CallFailed("log_baseline wants a DataFrame.", "Its column names are what a monitor names.")
    chosen = X_train.iloc[_sample(len(X_train))]
    mlflow.log_text(chosen.to_csv(index=False), BASELINE)


def _active_run() -> Any:
    import mlflow

    if mlflow.active_run() is None:
        raise CallFailed("No MLflow run is active.", "Call this inside `with mlflow.start_run():`.")
    return mlflow


def _scores(model_or_scores: Any, X_test: Any, positive: Any) -> list[float]:
    if not hasattr(model_or_scores, "predict_proba"):
        return [float(score) for score in _plain_list(model_or_scores)]
    classes = [_plain(label) for label in model_or_scores.classes_]
    if positive not in classes:
        raise CallFailed(f"The model does not know the class {positive!r}; it knows {classes}.", "Set positive=.")
    return [float(row[classes.index(positive)]) for row in model_or_scores.predict_proba(X_test)]


def _metrics(hits: Sequence[bool], scores: Sequence[float], threshold: float) -> dict[str, float]:
    guesses = [score >= threshold for score in scores]
    tp = sum(hit and guess for hit, guess in zip(hits, guesses, strict=True))
    right = sum(hit == guess for hit, guess in zip(hits, guesses, strict=True))
    precision = tp / max(1, sum(guesses))
    recall = tp / max(1, sum(hits))
    return {
        "auc": _auc(hits, scores),
        "accuracy": right / len(hits),
        "precision": precision,
        "recall": recall,
        "f1": 2 * precision * recall / (precision + recall) if precision + recall else 0.0,
    }


def _auc(hits: Sequence[bool], scores: Sequence[float]) -> float:
    """Area under the ROC curve from ranks (Mann-Whitney U; ties share their mean rank)."""
    order = sorted(range(len(scores)), key=scores.__getitem__)
    ranks = [0.0] * len(scores)
    start = 0
    while start < len(order):
        end = start
        while end + 1 < len(order) and scores[order[end + 1]] == scores[order[start]]:
            end += 1
        for at in range(start, end + 1):
            ranks[order[at]] = (start + end) / 2 + 1
        start = end + 1
    positives = sum(hits)
    negatives = len(hits) - positives
    above = sum(rank for rank, hit in zip(ranks, hits, strict=True) if hit) - positives * (positives + 1) / 2
    return above / (positives * negatives)


def _sample(count: int) -> list[int]:
    """All positions, or a fixed random choice of `MAX_ROWS` of them in order."""
    if count <= MAX_ROWS:
        return list(range(count))
    return sorted(random.Random(0).sample(range(count), MAX_ROWS))


def _rows(X_test: Any, chosen: list[int]) -> tuple[list[str], list[list[Any]], list[Any]]:
    if hasattr(X_test, "iloc"):
        part = X_test.iloc[chosen]
        ids = [_plain(label) for label in part.index]
        return [str(name) for name in part.columns], [[_plain(v) for v in row] for row in part.values.tolist()], ids
    rows = [[_plain(value) for value in row] for row in (X_test[at] for at in chosen)]
    return [f"x{at}" for at in range(len(rows[0]) if rows else 0)], rows, list(chosen)


def _plain_list(values: Any) -> list[Any]:
    return [_plain(value) for value in (values.tolist() if hasattr(values, "tolist") else values)]


def _plain(value: Any) -> Any:
    """A value that JSON has: numpy's numbers as Python's, not-a-number and missing as null, the rest as text."""
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    return None if str(value) in ("<NA>", "NaT") else str(value)


def _key(label: Any) -> tuple[str, Any]:
    return (type(label).__name__, label)
