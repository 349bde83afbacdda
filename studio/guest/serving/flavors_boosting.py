"""XGBoost's and LightGBM's own models, as `mlflow.xgboost` and `mlflow.lightgbm` load and ask them."""

import importlib
from pathlib import Path
from typing import Any

from studio.guest.serving.native import Predictor, cores

LIGHTGBM = "lightgbm.basic.Booster"


def xgboost(path: Path, model_class: str) -> Any:
    """The model in the file; a Booster if no class is named."""
    module, _, name = (model_class or "xgboost.core.Booster").rpartition(".")
    model = getattr(importlib.import_module(module), name)()
    model.load_model(str(path))
    return model


def is_booster(model: Any) -> bool:
    """Whether it is XGBoost's own kind of model and not one with scikit-learn's interface."""
    import xgboost

    return isinstance(model, xgboost.Booster)


def of_xgboost(booster: Any) -> Predictor:
    """MLflow makes a DMatrix of each input; an array is predicted in place, if that gives the same bits."""
    import xgboost

    booster.set_param({"nthread": cores()})

    def table(data: Any) -> Any:
        return booster.predict(xgboost.DMatrix(data), validate_features=True)

    def matrix(data: Any) -> Any:
        return booster.inplace_predict(data, validate_features=False)

    return Predictor("xgboost", table, matrix, booster.feature_names, row_wise=True)


def of_lightgbm(path: Path) -> Predictor:
    """A Booster takes tables and arrays alike: it goes by the order of the columns."""
    import lightgbm

    booster = lightgbm.Booster(model_file=str(path))
    threads = cores()

    def predict(data: Any) -> Any:
        return booster.predict(data, num_threads=threads)

    return Predictor("lightgbm", predict, predict, None, row_wise=True)
