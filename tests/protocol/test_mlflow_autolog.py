"""Autologging of the libraries that people train with, on real data."""

import uuid
from collections.abc import Iterator
from typing import Any

import pytest

mlflow = pytest.importorskip("mlflow")
pytestmark = [pytest.mark.usefixtures("client"), pytest.mark.filterwarnings("ignore")]
ROUNDS = 8


@pytest.fixture(autouse=True)
def experiment(client: None) -> Iterator[str]:
    """An experiment of its own; autologging ends with the test."""
    yield mlflow.set_experiment(f"autolog-{uuid.uuid4().hex[:8]}").experiment_id
    for flavour in (mlflow.sklearn, mlflow.xgboost, mlflow.lightgbm):
        flavour.autolog(disable=True, silent=True)


def cars() -> tuple[Any, Any]:
    """Features and target of the cars of 1970 to 1982: miles per gallon by weight, power and so on."""
    from vega_datasets import data

    table = data.cars().dropna()
    return table[["Weight_in_lbs", "Horsepower", "Cylinders", "Displacement"]].astype(float), table["Miles_per_Gallon"]


def last_run(experiment: str) -> Any:
    """The newest run of the experiment, whole."""
    found = mlflow.MlflowClient().search_runs([experiment], max_results=1)
    return mlflow.get_run(found[0].info.run_id)


def history(run: Any, key: str) -> list[tuple[int, float]]:
    """(step, value) of a metric."""
    return [(item.step, item.value) for item in mlflow.MlflowClient().get_metric_history(run.info.run_id, key)]


def test_scikit_learn(experiment: str) -> None:
    from sklearn.datasets import load_breast_cancer
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.model_selection import train_test_split
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    mlflow.sklearn.autolog(log_models=False, silent=True)
    table = load_breast_cancer(as_frame=True)
    parts = train_test_split(table.data, table.target, random_state=0)
    model = make_pipeline(StandardScaler(), RandomForestClassifier(n_estimators=20, random_state=0))
    model.fit(parts[0], parts[2])
    score = model.score(parts[1], parts[3])
    run = last_run(experiment)
    assert run.info.status == "FINISHED"
    assert run.data.params["randomforestclassifier__n_estimators"] == "20"
    assert run.data.tags["estimator_name"] == "Pipeline"
    assert run.data.metrics["training_accuracy_score"] > 0.95
    assert [value for key, value in run.data.metrics.items() if key.startswith("Pipeline_score")] == [score]
    assert run.inputs.dataset_inputs[0].dataset.schema
    files = {item.path for item in mlflow.MlflowClient().list_artifacts(run.info.run_id)}
    assert {"training_confusion_matrix.png", "estimator.html"} <= files


def test_xgboost(experiment: str) -> None:
    import xgboost

    mlflow.xgboost.autolog(log_models=False, silent=True)
    features, target = cars()
    train, check = (xgboost.DMatrix(features[part], target[part]) for part in (slice(0, 300), slice(300, None)))
    told: dict[str, Any] = {}
    xgboost.train(
        {"max_depth": 3, "nthread": 1}, train, ROUNDS, evals=[(check, "check")], evals_result=told, verbose_eval=False
    )
    run = last_run(experiment)
    assert run.data.params["max_depth"] == "3"
    assert [value for _, value in history(run, "check-rmse")] == pytest.approx(told["check"]["rmse"])
    assert [step for step, _ in history(run, "check-rmse")] == list(range(ROUNDS))
    assert run.data.metrics["check-rmse"] == pytest.approx(told["check"]["rmse"][-1])
    assert "feature_importance_weight.json" in {
        item.path for item in mlflow.MlflowClient().list_artifacts(run.info.run_id)
    }


def test_lightgbm(experiment: str) -> None:
    import lightgbm

    mlflow.lightgbm.autolog(log_models=False, silent=True)
    features, target = cars()
    train = lightgbm.Dataset(features[:300], target[:300])
    check = lightgbm.Dataset(features[300:], target[300:], reference=train)
    told: dict[str, Any] = {}
    lightgbm.train(
        {"objective": "regression", "metric": "l2", "num_threads": 1, "verbosity": -1},
        train,
        ROUNDS,
        valid_sets=[check],
        valid_names=["check"],
        callbacks=[lightgbm.record_evaluation(told)],
    )
    run = last_run(experiment)
    assert run.data.params["objective"] == "regression"
    assert [value for _, value in history(run, "check-l2")] == pytest.approx(told["check"]["l2"])
    assert run.data.metrics["check-l2"] == pytest.approx(told["check"]["l2"][-1])
    assert run.info.status == "FINISHED"


def test_a_model_of_xgboost_is_loaded_by_its_alias() -> None:
    import xgboost

    features, target = cars()
    model = xgboost.XGBRegressor(n_estimators=ROUNDS, max_depth=3, n_jobs=1).fit(features, target)
    name = f"cars-{uuid.uuid4().hex[:8]}"
    with mlflow.start_run():
        mlflow.xgboost.log_model(
            model, name="model", input_example=features.head(2), pip_requirements=["xgboost-cpu"],
            registered_model_name=name,
        )  # fmt: skip
    mlflow.MlflowClient().set_registered_model_alias(name, "champion", 1)
    loaded = mlflow.pyfunc.load_model(f"models:/{name}@champion")
    assert loaded.predict(features.head()).tolist() == pytest.approx(model.predict(features.head()).tolist())
