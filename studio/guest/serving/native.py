"""A model that is asked without MLflow: requests are joined, and numbers go in without a table where that is exact."""

import os
import warnings
from collections.abc import Callable
from typing import Any

import msgspec

from studio.guest.serving import answers, fast
from studio.guest.serving.inputs import Inputs, Parsed
from studio.guest.serving.mlmodel import MLModel
from studio.guest.serving.outputs import Named
from studio.guest.serving.samples import around, same_bits


class Predictor(msgspec.Struct):
    """How a flavour predicts. `table`: a DataFrame or a tensor, as mlflow.pyfunc asks it; `matrix`: an array of all
    columns without their names (None: never); `names`: the columns it was made with, None if it does not say;
    `row_wise`: each row is predicted by itself: True, False, or None where only trying tells."""

    flavor: str
    table: Callable[[Any], Any]
    matrix: Callable[[Any], Any] | None = None
    names: list[str] | None = None
    row_wise: bool | None = None
    estimator: Any = None
    forget_names: Callable[[], None] = lambda: None


class NativeModel:
    """`row_wise`: requests may be joined; `arrays`: it is given numbers without names; `fast_path`: "exact" if it is
    computed without its library, else why it is not."""

    def __init__(self, described: MLModel, predictor: Predictor, *, fast_path: bool = True) -> None:
        self.described = described
        self.flavor = predictor.flavor
        self.fast_path = "no input example was logged" if fast_path else "off"
        self.predict = predictor.table
        self.row_wise = predictor.row_wise is True
        self.inputs = Inputs(described.signature)
        self._predictor = predictor

    @property
    def arrays(self) -> bool:
        return self.inputs.arrays

    def check(self, example: bytes) -> int:
        """Predicts the logged example, and finds out by it whether arrays without names, joined rows and the fast path
        give the same. Returns the number of rows."""
        import numpy

        parsed = self.inputs.parse(example, "application/json")
        first = self.predict(parsed.data)
        answers.encode(first)
        if not isinstance(first, numpy.ndarray | Named) or len(first) != parsed.rows:
            self.row_wise = False
            self._note("the predictions are no array of rows")
            return parsed.rows
        self._try_arrays(parsed, first)
        data = self.inputs.matrix(parsed.data) if self.arrays else parsed.data
        known = [(data, first)]
        if self._predictor.row_wise is None:
            self._try_joined(data)
        elif self.row_wise and parsed.rows > 1:
            known.append((data[:1], self.predict(data[:1])))
            self.row_wise = _close(known[1][1], first[:1])
        self._try_fast(data, known)
        return parsed.rows

    def _try_arrays(self, parsed: Parsed, first: Any) -> None:
        asked, signature = self._predictor, self.described.signature
        if asked.matrix is None or not signature.matrix or asked.names not in (None, signature.names):
            return
        array = self.inputs.matrix(parsed.data)
        if array is None:
            return
        try:
            bare = asked.matrix(array)
        except Exception:
            # It needs the table after all.
            return
        if same_bits(bare, first):
            self.inputs = Inputs(signature, arrays=True)
            asked.forget_names()
            matrix, table = asked.matrix, asked.table
            self.predict = matrix if matrix == table else _either(matrix, table)

    def _try_joined(self, data: Any) -> None:
        """Rows of a model that nobody knows are joined if some, unlike each other, are predicted the same alone."""
        rows = around(data)
        if rows is None or len(rows) < 2:
            return
        try:
            whole = self.predict(rows)
            self.row_wise = len(whole) == len(rows) and all(
                _close(self.predict(rows[at : at + 1]), whole[at : at + 1]) for at in range(min(4, len(rows)))
            )
        except Exception:
            # A model that takes one row at a time, say: it gets one.
            self.row_wise = False

    def _try_fast(self, array: Any, known: list[tuple[Any, Any]]) -> None:
        """`known`: rows of the example and their predictions."""
        if self.fast_path == "off":
            return
        if self._predictor.flavor != "sklearn":
            self._note("only scikit-learn's linear models and forests have one")
            return
        if not self.row_wise:
            self._note("its rows are not predicted one by one")
            return
        if getattr(array, "dtype", None) != "float64" or array.ndim != 2:
            self._note("its input is not rows of float64")
            return
        slow = self.predict
        try:
            found = fast.make(self._predictor.estimator, self.described.predict_fn)
            why = found if isinstance(found, str) else fast.differs(found, slow, array, known)
        except Exception as error:
            # A version of scikit-learn whose models are made otherwise.
            found = why = f"{type(error).__name__}: {error}"[:200]
        if why or isinstance(found, str):
            self._note(why)
            return
        self.predict = fast.Guarded(found, slow)
        self.fast_path = "exact"

    def _note(self, why: str) -> None:
        if self.fast_path != "off":
            self.fast_path = why


def _either(matrix: Callable[[Any], Any], table: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def predict(data: Any) -> Any:
        return table(data) if hasattr(data, "iloc") else matrix(data)

    return predict


def _close(one: Any, other: Any) -> bool:
    """Sums of floats may differ in the last bits between one row and many; anything more is not row by row."""
    import numpy

    pairs = list(zip(_arrays(one), _arrays(other), strict=True))
    return all(
        a.shape == b.shape
        and bool(
            numpy.allclose(a, b, rtol=1e-5 if a.dtype == "float32" else 1e-8, atol=1e-8, equal_nan=True)
            if a.dtype.kind == "f"
            else (a == b).all()
        )
        for a, b in pairs
    )


def _arrays(result: Any) -> list[Any]:
    return list(result.arrays.values()) if isinstance(result, Named) else [result]


def cores() -> int:
    """Threads that a model may use: the cores of its instance type."""
    count = os.environ.get("OMP_NUM_THREADS", "1")
    return int(count) if count.isdigit() and int(count) else 1


def quiet() -> None:
    """Without names on one side, scikit-learn would say so at each request."""
    warnings.filterwarnings("ignore", message="X (does not have valid|has) feature names")
