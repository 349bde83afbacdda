"""Trains one model for "does it rain tomorrow?": as a job `train.py --model boosting --depth 3`, or from the notebook.

Nothing here is special to Studio but the two lines with `sdk`: the rest is the ordinary `mlflow` client."""

import argparse
import logging
import sys
import warnings
from importlib.metadata import version
from pathlib import Path

# As a job, this file is a copy in a folder of its own; what it imports lies in the person's home.
sys.path.insert(0, str(Path.home()))

import mlflow
import numpy as np
import weather
from sklearn.base import clone
from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss, roc_auc_score
from sklearn.model_selection import TimeSeriesSplit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from studio.guest import sdk

# Written down, so that MLflow need not find them out by importing the model once more.
REQUIREMENTS = [f"{package}=={version(package)}" for package in ("scikit-learn", "pandas", "numpy", "skops")]
# Models are stored in a form that runs no code when it is loaded; this is the one type in trees it wants to be told of.
TRUSTED = ["sklearn.tree._tree.Tree"]
# MLflow's own remarks about integer labels and coming versions of pandas.
warnings.filterwarnings("ignore", module="mlflow")
logging.getLogger("mlflow.utils.environment").setLevel(logging.ERROR)


def make(model: str, depth: int = 2):
    """An untrained model: logistic, forest or boosting."""
    if model == "logistic":
        return make_pipeline(StandardScaler(), LogisticRegression(C=0.1))
    if model == "forest":
        return RandomForestClassifier(100, min_samples_leaf=8, max_depth=depth * 3, random_state=0)
    if model == "boosting":
        return GradientBoostingClassifier(
            n_estimators=60, learning_rate=0.05, max_depth=depth, subsample=0.7, random_state=0
        )
    raise ValueError(f"There is no model {model!r}; there is logistic, forest and boosting.")


def log_folds(model, X, y, folds: int = 5) -> None:
    """Trains on the past and looks at what came after, five times; each fold is a point of the curve `fold_auc`."""
    for fold, (past, future) in enumerate(TimeSeriesSplit(folds).split(X)):
        fitted = clone(model).fit(X.iloc[past], y.iloc[past])
        auc = roc_auc_score(y.iloc[future], fitted.predict_proba(X.iloc[future])[:, 1])
        mlflow.log_metric("fold_auc", auc, step=fold + 1)


def log_rounds(model, X, y) -> None:
    """The loss on unseen rows after each boosting round, or after every tenth tree of a forest."""
    if isinstance(model, GradientBoostingClassifier):
        for step, scores in enumerate(model.staged_predict_proba(X), start=1):
            if step % 3 == 0:
                mlflow.log_metric("loss", log_loss(y, scores), step=step)
    elif isinstance(model, RandomForestClassifier):
        trees = [tree.predict_proba(X.to_numpy()) for tree in model.estimators_]
        for step in range(10, len(trees) + 1, 10):
            mlflow.log_metric("loss", log_loss(y, np.mean(trees[:step], axis=0)), step=step)


def train(name: str, X_train, y_train, X_test, y_test, depth: int = 2):
    """One run with its curves, metrics, baseline and model; returns MLflow's note of the model (run_id, model_uri)."""
    with mlflow.start_run(run_name=name):
        mlflow.log_param("model", name)
        model = make(name, depth)
        # MLflow writes parameters and metrics of a fit down by itself; of the last one only, not of the folds'.
        mlflow.sklearn.autolog(disable=True)
        log_folds(model, X_train, y_train)
        mlflow.sklearn.autolog(log_models=False, log_datasets=False, log_post_training_metrics=False, silent=True)
        model.fit(X_train, y_train)
        mlflow.sklearn.autolog(disable=True)
        log_rounds(model, X_test, y_test)
        mlflow.log_metric("auc", roc_auc_score(y_test, model.predict_proba(X_test)[:, 1]))
        sdk.log_baseline(X_train)
        example = X_train.head(5).reset_index(drop=True)
        return mlflow.sklearn.log_model(
            model, name="model", input_example=example, pip_requirements=REQUIREMENTS, skops_trusted_types=TRUSTED
        )


def main() -> None:
    """The job: trains, evaluates, and registers the result if it is told a name."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", default="boosting", choices=["logistic", "forest", "boosting"])
    parser.add_argument("--depth", type=int, default=2)
    parser.add_argument("--season", default="all", choices=["all", "winter"], help="days to learn from")
    parser.add_argument("--experiment", default="rain-tomorrow")
    parser.add_argument("--register", default="", help="registered model to add a version to")
    options = parser.parse_args()
    months = weather.WINTER if options.season == "winter" else tuple(range(1, 13))
    X_train, X_test, y_train, y_test = weather.split(weather.load(), months)
    print(f"{len(X_train)} days to learn from, {len(X_test)} to look at", flush=True)
    mlflow.set_experiment(options.experiment)
    made = train(options.model, X_train, y_train, X_test, y_test, options.depth)
    with mlflow.start_run(run_id=made.run_id):
        mlflow.log_param("season", options.season)
        model = mlflow.sklearn.load_model(made.model_uri)
        metrics = sdk.evaluate(model, X_test, y_test, positive=1)
    print(f"run {made.run_id}: " + ", ".join(f"{name} {value:.3f}" for name, value in metrics.items()), flush=True)
    if options.register:
        added = mlflow.register_model(made.model_uri, options.register)
        print(f"{options.register} version {added.version}", flush=True)


if __name__ == "__main__":
    main()
