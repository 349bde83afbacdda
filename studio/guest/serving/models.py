"""Loading a model from its MLflow folder: scikit-learn directly, every other flavour through mlflow.pyfunc.

Only ever run inside a sandbox: loading a pickle, or a skops file with the trusted list of its own MLmodel, runs the
author's code.
"""

import contextlib
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from studio.guest.serving import answers
from studio.guest.serving.inputs import Inputs
from studio.guest.serving.mlmodel import MLModel, read
from studio.guest.serving.problems import BadInput, CannotLoad, explain

# Their `predict` works on each row by itself, so requests can be joined. A FunctionTransformer runs the user's function
# on the whole table (a mean over it, say), so a pipeline that has one is never batched.
_ROW_WISE = {"sklearn", "xgboost", "lightgbm", "catboost"}
_WHOLE_TABLE = {"FunctionTransformer", "LocalOutlierFactor"}
_BY_NAME = {"ColumnTransformer", "TransformedTargetRegressor"}


class SklearnModel:
    """A scikit-learn estimator; `row_wise`: requests may be joined, `arrays`: it needs no column names."""

    flavor = "sklearn"

    def __init__(self, described: MLModel, estimator: Any) -> None:
        self.described = described
        self.estimator = estimator
        self.predict = getattr(estimator, described.predict_fn)
        parts = list(_parts(estimator))
        known = all(type(part).__module__.partition(".")[0] in _ROW_WISE for part in parts)
        kinds = {type(part).__name__ for part in parts}
        self.row_wise = known and not kinds & _WHOLE_TABLE and described.predict_fn != "score"
        self.inputs = Inputs(described.signature)
        self._may_arrays = (
            self.row_wise
            and not kinds & _BY_NAME
            and all(type(part).__module__.startswith("sklearn.") for part in parts)
            and bool(described.signature.columns)
            and all(column.type == "double" and column.required for column in described.signature.columns)
            and list(getattr(estimator, "feature_names_in_", described.signature.names)) == described.signature.names
        )

    @property
    def arrays(self) -> bool:
        return self.inputs.arrays

    def check(self, example: bytes) -> int:
        """Predicts the logged example, and finds out by it whether arrays without names and joined rows give the same
        bits. Returns the number of rows."""
        import numpy

        parsed = self.inputs.parse(example, "application/json")
        first = self.predict(parsed.data)
        answers.encode(first)
        if not isinstance(first, numpy.ndarray) or len(first) != parsed.rows:
            self.row_wise = False
            return parsed.rows
        if self._may_arrays:
            bare = self.predict(parsed.data.to_numpy(dtype="float64"))
            if bare.dtype == first.dtype and bare.tobytes() == first.tobytes():
                self.inputs = Inputs(self.described.signature, arrays=True)
                # From here on it only sees arrays, and would warn at each that it was fitted with names.
                for part in _parts(self.estimator):
                    vars(part).pop("feature_names_in_", None)
        if self.row_wise and parsed.rows > 1:
            single = self.predict(parsed.data[:1])
            # Sums of floats may differ in the last bit between one row and many; anything more is not row-wise.
            self.row_wise = (
                bool(numpy.allclose(single, first[:1], equal_nan=True))
                if first.dtype.kind == "f"
                else bool((single == first[:1]).all())
            )
        return parsed.rows


class PyfuncModel:
    """Any flavour, through MLflow's own scoring functions, one request at a time."""

    flavor = "python_function"
    row_wise = False
    arrays = False

    def __init__(self, described: MLModel, model: Any) -> None:
        self.described = described
        self._model = model
        self._schema = model.metadata.get_input_schema()

    def check(self, example: bytes) -> int:
        """Predicts the logged example; raises what the model raises. Returns 1."""
        self.invoke(example, "application/json")
        return 1

    @property
    def takes_tensors(self) -> bool:
        """Whether its signature is of tensors, not of columns."""
        return self._schema is not None and bool(self._schema.is_tensor_spec())

    def invoke(self, body: bytes, content_type: str) -> bytes:
        """JSON as `mlflow models serve` answers; NaN as null."""
        from mlflow.pyfunc import scoring_server

        with self._words():
            data, params, unwrapped = self._read(scoring_server, body, content_type)
            result = self._model.predict(data, params=params)
        return answers.encode(result)[len(b'{"predictions":') : -1] if unwrapped else answers.encode(result)

    def predict(self, data: Any) -> Any:
        """Checked by MLflow against the signature; `BadInput` says what does not fit."""
        with self._words():
            return self._model.predict(data)

    @contextlib.contextmanager
    def _words(self) -> Iterator[None]:
        from mlflow.exceptions import MlflowException

        try:
            yield
        except MlflowException as error:
            raise BadInput(
                str(error.message)[:4000], code=str(error.error_code), status=error.get_http_status_code()
            ) from error
        except BadInput:
            raise
        except Exception as error:
            raise BadInput(
                f"The model failed on this input: {type(error).__name__}: {error}"[:4000],
                "Compare it with the input example.",
            ) from error

    def _read(self, scoring_server: Any, body: bytes, content_type: str) -> tuple[Any, Any, bool]:
        from io import BytesIO, StringIO

        kind = content_type.partition(";")[0].strip().lower() or "application/json"
        if kind == "text/csv":
            return scoring_server.parse_csv_input(StringIO(body.decode()), self._schema), None, False
        if kind == "application/vnd.apache.parquet":
            return scoring_server.parse_parquet_input(BytesIO(body)), None, False
        if kind != "application/json":
            raise BadInput(
                f"The content type {kind!r} is not known here.", "Send application/json or text/csv.", status=415
            )
        parsed = scoring_server._parse_json_data(body, self._model.metadata, self._schema)
        return parsed.data, parsed.params, parsed.is_unified_llm_input


Model = SklearnModel | PyfuncModel


def load(folder: Path) -> Model:
    """The model in `folder`, having predicted its input example; `CannotLoad` with traceback and likely cause."""
    described = read(folder)
    try:
        model = _load(described)
    except CannotLoad:
        raise
    except Exception as error:
        raise explain(error, "loading the model") from error
    if described.example is None:
        return model
    try:
        model.check(described.example.read_bytes())
    except CannotLoad:
        raise
    except Exception as error:
        raise explain(error, "predicting the logged input example") from error
    return model


def _load(described: MLModel) -> Model:
    warnings.filterwarnings("ignore", message="X does not have valid feature names")
    flavor = described.flavors.get("sklearn")
    function = described.flavors.get("python_function", {})
    plain = described.signature.kind != "other" and not described.signature.has_params
    if flavor and plain and function.get("loader_module") == "mlflow.sklearn":
        if code := function.get("code"):
            sys.path.insert(0, str(described.folder / code))
        return SklearnModel(described, _estimator(described, flavor))
    if not function:
        raise CannotLoad(
            "The model has no python_function flavour.", "Log it with a flavour of mlflow that can be served."
        )
    import mlflow.pyfunc

    return PyfuncModel(described, mlflow.pyfunc.load_model(str(described.folder)))


def _estimator(described: MLModel, flavor: dict[str, Any]) -> Any:
    path = described.folder / str(flavor.get("pickled_model") or described.flavors["python_function"]["model_path"])
    form = flavor.get("serialization_format") or "pickle"
    if form == "skops":
        import skops.io

        return skops.io.load(path, trusted=flavor.get("skops_trusted_types"))
    with path.open("rb") as file:
        if form == "cloudpickle":
            import cloudpickle

            return cloudpickle.load(file)
        import pickle

        return pickle.load(file)


def _parts(estimator: Any) -> Any:
    """The estimator and every estimator among its parameters."""
    yield estimator
    if hasattr(estimator, "get_params"):
        for value in estimator.get_params(deep=True).values():
            if hasattr(value, "fit") and not isinstance(value, type):
                yield value
