"""Loading what a version's folder holds: a model of MLflow, or a script with SageMaker's functions."""

from pathlib import Path

from studio.guest.serving import flavors
from studio.guest.serving.mlmodel import MLModel, read
from studio.guest.serving.native import NativeModel
from studio.guest.serving.problems import CannotLoad, explain
from studio.guest.serving.pyfunc import PyfuncModel
from studio.guest.serving.script import ScriptModel, find

Model = NativeModel | PyfuncModel | ScriptModel


def load(folder: Path, *, fast_path: bool = True) -> Model:
    """The model in `folder`, having predicted its input example; `CannotLoad` with traceback and likely cause."""
    if (script := find(folder)) is not None:
        return ScriptModel(folder, script)
    described = read(folder)
    try:
        model = _load(described, fast_path)
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


def _load(described: MLModel, fast_path: bool) -> NativeModel | PyfuncModel:
    predictor = flavors.load(described)
    if predictor is not None:
        return NativeModel(described, predictor, fast_path=fast_path)
    if "python_function" not in described.flavors:
        raise CannotLoad(
            "The model has no python_function flavour.", "Log it with a flavour of mlflow that can be served."
        )
    import mlflow.pyfunc

    return PyfuncModel(described, mlflow.pyfunc.load_model(str(described.folder)))
