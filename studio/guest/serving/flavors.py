"""MLflow's flavours that are loaded without mlflow.

Each does what its `_load_pyfunc` and wrapper of MLflow 3.17 do, and gives the same answers (the tests compare); what is
not covered here goes through mlflow.pyfunc.

Only ever run inside a sandbox: loading a pickle, or a skops file with the trusted list of its own MLmodel, runs the
author's code.
"""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from studio.guest.serving import flavors_boosting, flavors_graphs
from studio.guest.serving.mlmodel import MLModel
from studio.guest.serving.native import Predictor, cores, quiet

# Their `predict` works on each row by itself, so requests can be joined. A FunctionTransformer runs the user's function
# on the whole table (a mean over it, say), so a pipeline that has one is never batched.
_ROW_WISE = {"sklearn", "xgboost", "lightgbm", "catboost"}
_WHOLE_TABLE = {"FunctionTransformer", "LocalOutlierFactor"}
_BY_NAME = {"ColumnTransformer", "TransformedTargetRegressor"}


def load(described: MLModel) -> Predictor | None:
    """How the model in its folder predicts; None if only MLflow itself can ask it."""
    function = described.flavors.get("python_function", {})
    loader = str(function.get("loader_module"))
    if described.signature.kind == "other" or described.signature.has_params or loader not in _LOADERS:
        return None
    flavor = loader.removeprefix("mlflow.")
    given = described.flavors.get(flavor)
    if not isinstance(given, dict):
        return None
    if code := function.get("code"):
        sys.path.insert(0, str(described.folder / code))
    quiet()
    return _LOADERS[loader](described, given)


def _sklearn(described: MLModel, given: dict[str, Any]) -> Predictor:
    path = described.folder / str(given.get("pickled_model") or described.flavors["python_function"]["model_path"])
    return of_estimator(described, unpickled(path, given, "pickle"), "sklearn")


def unpickled(path: Path, given: dict[str, Any], default: str) -> Any:
    """The object in a file of the form that `given` names."""
    form = given.get("serialization_format") or default
    if form == "skops":
        import skops.io

        return skops.io.load(path, trusted=given.get("skops_trusted_types"))
    with path.open("rb") as file:
        if form == "cloudpickle":
            import cloudpickle

            return cloudpickle.load(file)
        import pickle

        return pickle.load(file)


def of_estimator(described: MLModel, estimator: Any, flavor: str) -> Predictor:
    """How an estimator with scikit-learn's interface predicts."""
    predict = getattr(estimator, described.predict_fn)
    parts = list(_parts(estimator))
    kinds = {type(part).__name__ for part in parts}
    modules = {type(part).__module__.partition(".")[0] for part in parts}
    row_wise = modules <= _ROW_WISE and not kinds & _WHOLE_TABLE and described.predict_fn != "score"
    bare = row_wise and not kinds & _BY_NAME and modules <= {"sklearn", "xgboost", "lightgbm"}
    for part in parts:
        _bound_jobs(part)

    def forget() -> None:
        # From here on it only sees arrays, and would look for its names at each.
        for part in parts:
            vars(part).pop("feature_names_in_", None)

    # LightGBM goes by the order of the columns, whose names it changes for itself.
    named = None if flavor == "lightgbm" else getattr(estimator, "feature_names_in_", None)
    names = None if named is None else list(named)
    return Predictor(flavor, predict, predict if bare else None, names, row_wise, estimator, forget)


def _bound_jobs(part: Any) -> None:
    """No more threads than the instance type has cores; a prediction does not depend on their number."""
    jobs = getattr(part, "n_jobs", 1)
    if isinstance(jobs, int) and (jobs < 0 or jobs > cores()):
        part.n_jobs = cores()
    elif jobs is None and not type(part).__module__.startswith("sklearn."):
        # Boosting takes None for all cores, scikit-learn for one.
        part.n_jobs = cores()


def _parts(estimator: Any) -> Iterator[Any]:
    """The estimator and every estimator among its parameters."""
    yield estimator
    if hasattr(estimator, "get_params"):
        for value in estimator.get_params(deep=True).values():
            if hasattr(value, "fit") and not isinstance(value, type):
                yield value


def _xgboost(described: MLModel, given: dict[str, Any]) -> Predictor | None:
    if described.predict_fn != "predict":
        return None
    model = flavors_boosting.xgboost(described.folder / str(given.get("data")), str(given.get("model_class") or ""))
    if flavors_boosting.is_booster(model):
        return flavors_boosting.of_xgboost(model)
    return of_estimator(described, model, "xgboost")


def _lightgbm(described: MLModel, given: dict[str, Any]) -> Predictor | None:
    if described.predict_fn != "predict":
        return None
    path = described.folder / str(given.get("data"))
    if (given.get("model_class") or flavors_boosting.LIGHTGBM) == flavors_boosting.LIGHTGBM:
        return flavors_boosting.of_lightgbm(path)
    return of_estimator(described, unpickled(path, given, "cloudpickle"), "lightgbm")


_LOADERS: dict[str, Callable[[MLModel, dict[str, Any]], Predictor | None]] = {
    "mlflow.sklearn": _sklearn,
    "mlflow.xgboost": _xgboost,
    "mlflow.lightgbm": _lightgbm,
    "mlflow.onnx": flavors_graphs.onnx,
    "mlflow.pytorch": flavors_graphs.pytorch,
}
