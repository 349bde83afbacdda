"""Forests of scikit-learn as a loop over their trees' `predict`, in the order of `ForestClassifier.predict_proba` and
`ForestRegressor.predict` of scikit-learn 1.9 (`ensemble/_forest.py`)."""

from collections.abc import Callable
from typing import Any

_CLASSIFIERS = ("RandomForestClassifier", "ExtraTreesClassifier")
_REGRESSORS = ("RandomForestRegressor", "ExtraTreesRegressor")


def ending(model: Any, predict_fn: str) -> Callable[[Any], Any] | None:
    """`predict` or `predict_proba` of a forest with one output; None if it is none."""
    name = type(model).__name__
    if not type(model).__module__.startswith("sklearn.ensemble.") or getattr(model, "n_outputs_", 0) != 1:
        return None
    if name in _REGRESSORS and predict_fn == "predict":
        return _summed(model, None)
    if name not in _CLASSIFIERS or predict_fn not in ("predict", "predict_proba"):
        return None
    chances = _summed(model, int(model.n_classes_))
    if predict_fn == "predict_proba":
        return chances
    classes = model.classes_

    def labels(rows: Any) -> Any:
        found = chances(rows)
        return None if found is None else classes.take(found.argmax(axis=1), axis=0)

    return labels


def _summed(model: Any, classes: int | None) -> Callable[[Any], Any]:
    """The mean over the trees: [rows, classes], or [rows] of a regression (`classes` None)."""
    from numpy import errstate, float32, isfinite, zeros

    trees = [tree.tree_.predict for tree in model.estimators_]

    def mean(rows: Any) -> Any:
        with errstate(over="ignore"):
            rows = rows.astype(float32)
        if not isfinite(rows).all():
            return None
        total = zeros(len(rows) if classes is None else (len(rows), classes))
        for tree in trees:
            found = tree(rows)
            total += found[:, 0] if classes is None else found[:, :classes]
        total /= len(trees)
        return total

    return mean
