"""Confusion matrix and figures against scikit-learn."""

import json
import time

import numpy as np
import pytest
from sklearn import metrics

from studio.errors import Invalid
from studio.monitoring.evaluation import auc, cell_rows, load, matrix, quality

RANDOM = np.random.default_rng(5)


def document(n: int = 400, *, ties: bool = False, **changes: object) -> bytes:
    truth = RANDOM.random(n) < 0.3
    score = np.clip(truth * 0.2 + RANDOM.random(n) * 0.8, 0, 1)
    score = np.round(score, 1) if ties else score
    values = {
        "columns": ["a", "b"],
        "rows": [[i, "x"] for i in range(n)],
        "row_ids": [f"r{i}" for i in range(n)],
        "y_true": ["rain" if t else "dry" for t in truth],
        "score": score.tolist(),
        "positive_label": "rain",
        "threshold": 0.5,
    }
    return json.dumps(values | changes).encode()


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("threshold", [0.0, 0.3, 0.5, 0.9, 1.0])
def test_figures_equal_scikit_learn(ties: bool, threshold: float) -> None:
    data = document(ties=ties)
    raw = json.loads(data)
    truth = np.array(raw["y_true"]) == "rain"
    score = np.array(raw["score"])
    guess = score >= threshold
    found = quality(load(data), threshold)
    tn, fp, fn, tp = metrics.confusion_matrix(truth, guess, labels=[False, True]).ravel()
    assert (found.matrix.tp, found.matrix.fp, found.matrix.fn, found.matrix.tn) == (tp, fp, fn, tn)
    assert found.accuracy == pytest.approx(metrics.accuracy_score(truth, guess))
    assert found.precision == pytest.approx(metrics.precision_score(truth, guess, zero_division=0))
    assert found.recall == pytest.approx(metrics.recall_score(truth, guess))
    assert found.f1 == pytest.approx(metrics.f1_score(truth, guess, zero_division=0))
    assert found.auc == pytest.approx(metrics.roc_auc_score(truth, score))


def test_rows_of_a_cell_are_exactly_its_rows_most_wrong_first() -> None:
    data = document()
    raw = json.loads(data)
    found = load(data)
    columns, rows, ids = cell_rows(found, "fn", 0.5, 1000)
    wrong = [i for i, (y, s) in enumerate(zip(raw["y_true"], raw["score"], strict=True)) if y == "rain" and s < 0.5]
    assert set(ids) == {f"r{i}" for i in wrong}
    assert columns == ["a", "b", "is positive", "score"]
    assert [row[3] for row in rows] == sorted(raw["score"][i] for i in wrong)
    assert len(cell_rows(found, "fn", 0.5, 2)[1]) == 2
    counts = {cell: len(cell_rows(found, cell, 0.5, 1000)[1]) for cell in ("tp", "fp", "fn", "tn")}
    assert sum(counts.values()) == 400
    assert counts["tp"] == matrix(found, 0.5).tp


def test_curve_covers_probabilities_and_other_scores() -> None:
    found = quality(load(document()))
    assert (found.threshold, len(found.curve)) == (0.5, 101)
    assert found.curve[0][1:] == (found.matrix.tp + found.matrix.fn, found.matrix.fp + found.matrix.tn, 0, 0)
    other = quality(load(document(4, score=[-3.0, 1.0, 2.0, 5.0], y_true=["rain", "dry", "rain", "dry"])), 1.5)
    assert [point[0] for point in other.curve] == sorted(point[0] for point in other.curve)


def test_one_class_has_no_auc() -> None:
    assert auc(load(document(3, y_true=["rain"] * 3, score=[0.1, 0.2, 0.3]))) is None


@pytest.mark.parametrize(
    "data",
    [
        b"not json",
        b"{}",
        document(3, score=[0.1]),
        document(2, score=[], y_true=[]),
        document(1, score=["high"]),
    ],
)
def test_a_users_broken_file_says_so(data: bytes) -> None:
    with pytest.raises(Invalid, match="evaluat"):
        load(data)


def test_rows_that_do_not_match_say_so() -> None:
    with pytest.raises(Invalid, match="other rows"):
        cell_rows(load(document(50, rows=[[1, 2]], row_ids=["a"])), "tn", 0.5, 100)


def test_twenty_thousand_rows_stay_quick() -> None:
    found = load(document(20_000))
    begun = time.process_time()
    quality(found, 0.4)
    assert time.process_time() - begun < 0.05  # about 2 ms; the bound is for a busy machine
