"""`python -m tests.e2e.mlflow_sources FOLDER`: what MLflow 3.17 leaves: a file store, a database."""

import os
import sys
import warnings
from pathlib import Path


def fill(uri: str, artifacts: Path | None) -> None:
    """Autologging, a model that is logged and registered, odd values and names, things deleted."""
    import mlflow
    from sklearn.datasets import load_iris
    from sklearn.linear_model import LogisticRegression

    mlflow.set_tracking_uri(uri)
    mlflow.set_registry_uri(uri)
    client = mlflow.MlflowClient()
    if artifacts is not None:
        for name in ("team/iris", "gone"):
            client.create_experiment(name, artifact_location=(artifacts / name).as_uri())
    mlflow.set_experiment("team/iris")
    X, y = load_iris(return_X_y=True, as_frame=True)
    mlflow.sklearn.autolog(log_models=False, silent=True)
    with mlflow.start_run(run_name="auto"):
        model = LogisticRegression(max_iter=200).fit(X, y)
    mlflow.sklearn.autolog(disable=True)
    with mlflow.start_run(run_name="by hand", description="# Note"):
        for step in range(5):
            mlflow.log_metric("loss", 1 / (step + 1), step=step)
        for key, value, step in (("nan", "nan", 0), ("inf", "inf", 1), ("-inf", "-inf", 2), ("a/b c", "-0.5", -3)):
            mlflow.log_metric(key, float(value), step=step)
        mlflow.log_params({"lines": "x\ny", "empty": "", "ü": "ä 😀", "deep/er": "1"})
        mlflow.set_tag("plain", "ü: 'x' \"y\"")
        mlflow.log_text("hello", "notes/a b.txt")
        mlflow.log_text("", "empty.txt")
        mlflow.log_input(mlflow.data.from_pandas(X.head(5), name="five"), context="train")
        options = {"name": "model", "input_example": X.head(2), "pip_requirements": ["scikit-learn"]}
        mlflow.sklearn.log_model(model, registered_model_name="iris", skops_trusted_types=[], **options)
        client.create_registered_model("notes")
        info = mlflow.active_run().info
        client.create_model_version("notes", f"{info.artifact_uri}/notes", run_id=info.run_id)
    client.set_registered_model_alias("iris", "champion", "1")
    client.set_registered_model_tag("iris", "team", "a")
    client.set_model_version_tag("iris", "1", "checked", "yes")
    client.update_model_version("iris", "1", description="The first")
    client.create_model_version("iris", client.get_model_version("iris", "1").source, run_id=None)
    client.delete_model_version("iris", "2")
    client.create_model_version("iris", client.get_model_version("iris", "1").source, run_id=None)
    with mlflow.start_run(run_name="deleted") as run:
        mlflow.log_metric("m", 1.0)
    client.delete_run(run.info.run_id)
    with mlflow.start_run(run_name="long") as run:
        metrics = [mlflow.entities.Metric("many", n / 7, n, n) for n in range(12_000)]
        for start in range(0, len(metrics), 1000):
            client.log_batch(run.info.run_id, metrics[start : start + 1000])
    gone = client.get_experiment_by_name("gone")
    identity = gone.experiment_id if gone else client.create_experiment("gone")
    client.create_run(identity, run_name="went along")
    client.delete_experiment(identity)
    client.set_experiment_tag(client.get_experiment_by_name("team/iris").experiment_id, "kind", "test")
    client.create_run("0", run_name="in the default")


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    os.environ["MLFLOW_ALLOW_FILE_STORE"] = "true"
    folder = Path(sys.argv[1])
    fill((folder / "files" / "mlruns").as_uri(), None)
    (folder / "sql").mkdir()
    fill(f"sqlite:///{folder}/sql/mlflow.db", folder / "sql" / "mlartifacts")
