"""Scalers and linear models of scikit-learn as numpy, in the order of its own code.

That is `transform`, `_decision_function`, `decision_function`, `predict` and `predict_proba` of scikit-learn 1.9
(`preprocessing/_data.py`, `linear_model/_base.py`, `_logistic.py`). Which of these a class inherits is asked of the
class itself, so that one that does something else is never taken for it.
"""

from collections.abc import Callable
from typing import Any

Step = Callable[[Any], Any]


def scaling(steps: list[Any]) -> Step | str | None:
    """All transformers before the last estimator as one function that leaves its input as it is; None if there are
    none; a text says which of them has no fast path."""
    operations: list[tuple[str, Any]] = []
    for step in steps:
        found = _operations(step)
        if isinstance(found, str):
            return found
        operations += found
    if not operations:
        return None

    def apply(rows: Any) -> Any:
        rows = rows.copy()
        for word, vector in operations:
            if word == "-":
                rows -= vector
            elif word == "/":
                rows /= vector
            elif word == "*":
                rows *= vector
            else:
                rows += vector
        return rows

    return apply


def _operations(step: Any) -> list[tuple[str, Any]] | str:
    if step is None or (isinstance(step, str) and step == "passthrough"):
        return []
    name = type(step).__name__
    if not type(step).__module__.startswith("sklearn."):
        return f"{name} is not scikit-learn's"
    if name == "StandardScaler":
        return [*_pair("-", step.mean_ if step.with_mean else None), *_pair("/", step.scale_)]
    if name == "RobustScaler":
        centre = step.center_ if step.with_centering else None
        return [*_pair("-", centre), *_pair("/", step.scale_ if step.with_scaling else None)]
    if name == "MinMaxScaler" and not step.clip:
        return [("*", step.scale_), ("+", step.min_)]
    if name == "MaxAbsScaler" and not getattr(step, "clip", False):
        return [("/", step.scale_)]
    if name == "SimpleImputer" and _only_fills(step):
        # What it is given here is finite: there is nothing to fill.
        return []
    return f"{name} is no step that has one"


def _pair(word: str, vector: Any) -> list[tuple[str, Any]]:
    return [] if vector is None else [(word, vector)]


def _only_fills(step: Any) -> bool:
    import numpy

    missing, filled = step.missing_values, getattr(step, "statistics_", None)
    is_nan = isinstance(missing, float) and missing != missing
    return bool(
        is_nan
        and not step.add_indicator
        and filled is not None
        and filled.dtype.kind == "f"
        and numpy.isfinite(filled).all()
    )


def ending(model: Any, predict_fn: str) -> Step | None:
    """`predict` or `predict_proba` of a linear model; None if it is none."""
    kind = type(model)
    if not kind.__module__.startswith("sklearn.linear_model.") and not kind.__module__.startswith("sklearn.svm."):
        return None
    from sklearn import linear_model as linear

    predict = getattr(kind, "predict", None)
    if predict_fn == "predict" and predict in (
        *(linear.LinearRegression.predict, linear.HuberRegressor.predict),
        *(linear.Ridge.predict, linear.RidgeCV.predict),
    ):
        plain = (linear.LinearRegression._decision_function, linear.ElasticNet._decision_function)
        return _sums(model, flat=False) if getattr(kind, "_decision_function", None) in plain else None
    if getattr(kind, "decision_function", None) is not linear.LogisticRegression.decision_function:
        return None
    if predict_fn == "predict" and predict in (linear.SGDClassifier.predict, linear.RidgeClassifier.predict):
        several = str(getattr(getattr(model, "_label_binarizer", None), "y_type_", "")).startswith("multilabel")
        return None if several else _labels(_sums(model, flat=True), model.classes_)
    chances = linear.LogisticRegression.predict_proba
    if predict_fn == "predict_proba" and getattr(kind, "predict_proba", None) is chances:
        return _chances(_sums(model, flat=True), len(model.classes_))
    return None


def _sums(model: Any, *, flat: bool) -> Step:
    """rows @ coef + intercept; [rows, 1] as [rows] if `flat`; None if one is infinite: scikit-learn then decides."""
    from numpy import isfinite

    coef, intercept = model.coef_.T if model.coef_.ndim == 2 else model.coef_, model.intercept_

    def sums(rows: Any) -> Any:
        found = rows @ coef + intercept
        if not isfinite(found).all():
            return None
        return found.reshape(-1) if flat and found.ndim > 1 and found.shape[1] == 1 else found

    return sums


def _labels(sums: Step, classes: Any) -> Step:
    def labels(rows: Any) -> Any:
        found = sums(rows)
        if found is None:
            return None
        return classes.take((found > 0).astype("int64") if found.ndim == 1 else found.argmax(axis=1), axis=0)

    return labels


def _chances(sums: Step, classes: int) -> Step:
    from numpy import exp, stack
    from scipy.special import expit

    def two(rows: Any) -> Any:
        found = sums(rows)
        if found is None:
            return None
        found = expit(found, out=found)
        return stack([1 - found, found], axis=1)

    def many(rows: Any) -> Any:
        found = sums(rows)
        if found is None:
            return None
        found -= found.max(axis=1).reshape(-1, 1)
        exp(found, out=found)
        found /= found.sum(axis=1).reshape(-1, 1)
        return found

    return two if classes <= 2 else many
