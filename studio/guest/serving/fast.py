"""The exact fast path: scikit-learn's own arithmetic in the same order, without what it does around it at each call.

A model gets it only if it gives the same bits as scikit-learn on the sample rows when it is loaded; rows that the short
way does not vouch for (not finite, another type or width) go the long one.
"""

from collections.abc import Callable, Sequence
from typing import Any

from studio.guest.serving import fast_forests, fast_linear
from studio.guest.serving.samples import around, same_bits

Fast = Callable[[Any], Any]  # None where it does not vouch for the rows


class Guarded:
    """Predicts by the fast path where it vouches for the rows, else by scikit-learn."""

    def __init__(self, fast: Fast, slow: Callable[[Any], Any]) -> None:
        self._fast, self._slow = fast, slow

    def __call__(self, rows: Any) -> Any:
        result = self._fast(rows)
        return self._slow(rows) if result is None else result


def make(estimator: Any, predict_fn: str) -> Fast | str:
    """The fast path of a fitted estimator or pipeline, or why it has none. It takes float64 [rows, features]."""
    steps, last = [], estimator
    if type(estimator).__module__ == "sklearn.pipeline" and type(estimator).__name__ == "Pipeline":
        steps, last = [step for _, step in estimator.steps[:-1]], estimator.steps[-1][1]
    for part in (*steps, last):
        if hasattr(part, "_sklearn_output_config"):
            return f"{_name(part)} has an output of its own (set_output)"
    scaled = fast_linear.scaling(steps)
    if isinstance(scaled, str):
        return scaled
    end = fast_linear.ending(last, predict_fn) or fast_forests.ending(last, predict_fn)
    if end is None:
        return f"{_name(last)}.{predict_fn} is none of those that have one"
    width = getattr(estimator, "n_features_in_", None)
    if not isinstance(width, int):
        return "the model does not say how many features it has"
    return _joined(width, scaled, end)


def _joined(width: int, scaled: Fast | None, end: Fast) -> Fast:
    from numpy import float64, isfinite

    def predict(rows: Any) -> Any:
        # A table has no `dtype`.
        if getattr(rows, "dtype", None) != float64 or rows.ndim != 2 or rows.shape[1] != width or not rows.shape[0]:
            return None
        if scaled is not None:
            rows = scaled(rows)
        return end(rows) if isfinite(rows).all() else None

    return predict


def differs(fast: Fast, slow: Callable[[Any], Any], example: Any, known: Sequence[tuple[Any, Any]] = ()) -> str:
    """Where the two differ on rows around the example, in words; "" if nowhere. `known`: rows and what `slow` made of
    them already."""
    import numpy

    rows = around(example)
    # Of what is missing or infinite the fast path decides nothing.
    rows = rows[numpy.isfinite(rows).all(axis=1)]
    width = rows.shape[1]
    ends = numpy.array([0.0, -0.0, 1.0, -1.0, 1e-45, 1e-310, 1e30, -1e30])
    rows = numpy.concatenate([rows, numpy.repeat(ends[:, None], width, axis=1)])
    outside = numpy.array([[numpy.nan], [numpy.inf], [-numpy.inf], [1e308], [-1e308], [1e39]]).repeat(width, axis=1)
    whole = [(part, result) for part, result in known if numpy.isfinite(part).all()]
    with numpy.errstate(all="ignore"):
        pairs = [*whole, (rows, slow(rows))]
        if not any(len(part) == 1 for part, _ in whole):
            pairs.append((rows[:1], slow(rows[:1])))
        for part, result in pairs:
            found = fast(part)
            if found is None:
                return "the sums on rows like the example are not finite"
            if not same_bits(found, result):
                return f"it does not give scikit-learn's bits on {'a single row' if len(part) == 1 else 'such rows'}"
        for at in range(len(outside)):
            found = fast(outside[at : at + 1])
            if found is not None and not _agree(found, slow, outside[at : at + 1]):
                return "it does not give scikit-learn's bits at the ends of the numbers"
    return ""


def _agree(found: Any, slow: Callable[[Any], Any], rows: Any) -> bool:
    try:
        return same_bits(found, slow(rows))
    except ValueError:
        return False


def _name(part: Any) -> str:
    return type(part).__name__
