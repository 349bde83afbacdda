"""Sessions of the real `mlflow` 3.17 client."""

import math
import threading
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.protocol.conftest import Running

mlflow = pytest.importorskip("mlflow")
pytestmark = [pytest.mark.usefixtures("client"), pytest.mark.filterwarnings("ignore")]
REQUIREMENTS = ["scikit-learn"]  # given, so that the client need not find them out in a process of its own


def name(of: str) -> str:
    """A name that no other test uses."""
    return f"{of}-{uuid.uuid4().hex[:8]}"


def refused(call: Callable[[], Any]) -> str:
    """The error code of a refused call."""
    with pytest.raises(mlflow.exceptions.MlflowException) as caught:
        call()
    return str(caught.value.error_code)


def test_a_run_keeps_what_is_logged() -> None:
    mlflow.set_experiment(name("kept"))
    with mlflow.start_run(run_name="first", tags={"a": "b"}, description="**why**") as run:
        mlflow.log_params({"depth": 3, "name": "x" * 7000})
        for step in range(3):
            mlflow.log_metric("loss", 1 / (step + 1), step=step)
        mlflow.log_metrics({"nan": math.nan, "inf": math.inf, "minus": -math.inf, "early": 1.0}, step=-5)
        mlflow.set_tag("later", "yes")
    client = mlflow.MlflowClient()
    found = client.get_run(run.info.run_id)
    assert found.info.status == "FINISHED"
    assert found.info.run_name == "first"
    assert found.data.tags["later"] == "yes"
    assert found.data.params["depth"] == "3"
    assert len(found.data.params["name"]) == 6000
    assert found.data.metrics["loss"] == pytest.approx(1 / 3)
    assert math.isnan(found.data.metrics["nan"])
    assert found.data.metrics["inf"] > 1e308 > -1e308 > found.data.metrics["minus"]
    history = client.get_metric_history(run.info.run_id, "loss")
    assert [(item.step, item.value) for item in history] == [(0, 1.0), (1, 0.5), (2, pytest.approx(1 / 3))]
    assert client.get_metric_history(run.info.run_id, "early")[0].step == -5
    assert refused(lambda: client.log_param(run.info.run_id, "depth", 4)) == "INVALID_PARAMETER_VALUE"


def test_the_default_experiment_is_zero() -> None:
    client = mlflow.MlflowClient()
    default = client.get_experiment("0")
    assert default.name == "Default"
    run = client.create_run("0")
    assert run.info.experiment_id == default.experiment_id
    assert run.info.run_id in {found.info.run_id for found in client.search_runs(["0"])}


def test_experiments_are_deleted_and_restored() -> None:
    client = mlflow.MlflowClient()
    first = name("gone")
    experiment = client.create_experiment(first, tags={"k": "v"})
    run = client.create_run(experiment)
    assert refused(lambda: client.create_experiment(first)) == "RESOURCE_ALREADY_EXISTS"
    client.delete_experiment(experiment)
    assert client.get_experiment(experiment).lifecycle_stage == "deleted"
    assert refused(lambda: client.create_run(experiment)) == "INVALID_PARAMETER_VALUE"
    assert refused(lambda: client.log_metric(run.info.run_id, "m", 1)) == "INVALID_PARAMETER_VALUE"
    assert client.search_runs([experiment]) == []
    client.restore_experiment(experiment)
    client.rename_experiment(experiment, second := name("back"))
    client.set_experiment_tag(experiment, "k", "w")
    assert client.get_experiment_by_name(second).tags == {"k": "w"}
    client.log_metric(run.info.run_id, "m", 1)
    client.delete_run(run.info.run_id)
    assert client.search_runs([experiment]) == []
    deleted = client.search_runs([experiment], run_view_type=mlflow.entities.ViewType.DELETED_ONLY)
    assert [found.info.run_id for found in deleted] == [run.info.run_id]
    client.restore_run(run.info.run_id)
    assert len(client.search_runs([experiment])) == 1


def test_searches_are_ordered_filtered_and_paged() -> None:
    client = mlflow.MlflowClient()
    experiment = client.create_experiment(name("search"))
    for n in range(10):
        run = client.create_run(experiment, run_name=f"run {n}", tags={"even": str(n % 2 == 0)}, start_time=n + 1)
        client.log_metric(run.info.run_id, "score", n / 10)
        client.log_param(run.info.run_id, "depth", n % 3)
    found = client.search_runs(
        [experiment], "metrics.score >= 0.3 AND params.depth = '0'", order_by=["metrics.score DESC"]
    )
    assert [run.data.metrics["score"] for run in found] == [0.9, 0.6, 0.3]
    found = client.search_runs([experiment], "tags.even = 'True' and attributes.`Run name` LIKE 'run%'")
    assert [run.info.start_time for run in found] == [9, 7, 5, 3, 1]
    page = client.search_runs([experiment], order_by=["params.depth", "metrics.score"], max_results=4)
    rest = client.search_runs(
        [experiment], order_by=["params.depth", "metrics.score"], max_results=10, page_token=page.token
    )
    scores = [run.data.metrics["score"] for run in [*page, *rest]]
    assert scores == [0.0, 0.3, 0.6, 0.9, 0.1, 0.4, 0.7, 0.2, 0.5, 0.8]
    assert refused(lambda: client.search_runs([experiment], "metrics.score >> 1")) == "INVALID_PARAMETER_VALUE"
    names = [item.name for item in client.search_experiments(filter_string=f"name = '{'x' * 10}'")]
    assert names == []


def test_scikit_learn_logs_itself_with_a_grid_search() -> None:
    from sklearn.datasets import load_iris
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GridSearchCV

    features, target = load_iris(return_X_y=True, as_frame=True)
    mlflow.set_experiment(name("grid"))
    mlflow.sklearn.autolog(log_models=False, silent=True)
    try:
        with mlflow.start_run() as run:
            GridSearchCV(LogisticRegression(max_iter=200), {"C": [0.1, 1.0, 10.0]}, cv=2).fit(features, target)
    finally:
        mlflow.sklearn.autolog(disable=True)
    client = mlflow.MlflowClient()
    parent = client.get_run(run.info.run_id)
    assert parent.data.params["best_C"] in {"0.1", "1.0", "10.0"}
    assert parent.data.metrics["best_cv_score"] > 0.9
    children = client.search_runs(
        [run.info.experiment_id], f"tags.mlflow.parentRunId = '{run.info.run_id}'", order_by=["metrics.mean_test_score"]
    )
    assert len(children) == 3
    assert {item.path for item in client.list_artifacts(run.info.run_id)} >= {"cv_results.csv"}
    assert parent.inputs.dataset_inputs
    found = client.search_runs([run.info.experiment_id], "dataset.context = 'train'")
    assert run.info.run_id in {item.info.run_id for item in found}


def test_a_model_is_logged_registered_and_loaded_by_alias() -> None:
    from sklearn.datasets import load_iris
    from sklearn.linear_model import LogisticRegression

    features, target = load_iris(return_X_y=True, as_frame=True)
    model = LogisticRegression(max_iter=200).fit(features, target)
    mlflow.set_experiment(name("model"))
    registered = name("iris")
    with mlflow.start_run() as run:
        logged = mlflow.sklearn.log_model(
            model,
            name="model",
            input_example=features.head(2),
            registered_model_name=registered,
            pip_requirements=REQUIREMENTS,
        )
        mlflow.log_metric("score", 0.5, model_id=logged.model_id)
    client = mlflow.MlflowClient()
    client.set_registered_model_alias(registered, "champion", 1)
    loaded = mlflow.sklearn.load_model(f"models:/{registered}@champion")
    assert (loaded.predict(features) == model.predict(features)).all()
    version = client.get_model_version_by_alias(registered, "champion")
    assert (version.run_id, version.status) == (run.info.run_id, "READY")
    again = mlflow.register_model(f"models:/{logged.model_id}", registered)
    by_run = mlflow.register_model(f"runs:/{run.info.run_id}/model", registered)
    assert (again.version, by_run.version) == ("2", "3")
    assert (
        mlflow.pyfunc.load_model(f"models:/{registered}/3").predict(features.head()) == model.predict(features.head())
    ).all()
    assert {item.version for item in client.search_model_versions(f"name = '{registered}'")} == {"1", "2", "3"}
    kept = client.get_logged_model(logged.model_id)
    assert kept.metrics[0].value == 0.5
    found = client.search_logged_models([run.info.experiment_id], filter_string="metrics.score > 0.4")
    assert [item.model_id for item in found] == [logged.model_id]
    client.set_registered_model_tag(registered, "owner", "ann")
    client.set_model_version_tag(registered, "1", "ok", "yes")
    client.update_model_version(registered, "1", "the first")
    assert client.get_model_version(registered, "1").description == "the first"
    client.delete_model_version(registered, "2")
    client.delete_registered_model_alias(registered, "champion")
    assert refused(lambda: client.get_model_version_by_alias(registered, "champion")) == "INVALID_PARAMETER_VALUE"
    assert refused(lambda: client.create_model_version(registered, "file:///etc")) == "INVALID_PARAMETER_VALUE"
    client.rename_registered_model(registered, other := name("renamed"))
    client.delete_registered_model(other)
    assert refused(lambda: client.get_registered_model(other)) == "RESOURCE_DOES_NOT_EXIST"


def test_artifacts_go_up_and_come_down(tmp_path: Path) -> None:
    mlflow.set_experiment(name("files"))
    folder = tmp_path / "up"
    (folder / "sub dir").mkdir(parents=True)
    (folder / "sub dir" / "ü 100%.bin").write_bytes(bytes(range(256)) * 20_000)
    (folder / "empty").touch()
    with mlflow.start_run() as run:
        mlflow.log_artifacts(str(folder), "here")
        mlflow.log_text("<script>alert(1)</script>", "page.html")
        mlflow.log_dict({"a": [1, 2]}, "data.json")
    client = mlflow.MlflowClient()
    assert [item.path for item in client.list_artifacts(run.info.run_id)] == ["data.json", "here", "page.html"]
    below = client.list_artifacts(run.info.run_id, "here")
    assert [(item.path, item.is_dir, item.file_size) for item in below] == [
        ("here/empty", False, 0),
        ("here/sub dir", True, None),
    ]
    down = Path(client.download_artifacts(run.info.run_id, "here", str(tmp_path)))
    assert (down / "sub dir" / "ü 100%.bin").read_bytes() == bytes(range(256)) * 20_000
    assert mlflow.artifacts.load_dict(f"runs:/{run.info.run_id}/data.json") == {"a": [1, 2]}
    repository = mlflow.store.artifact.artifact_repository_registry.get_artifact_repository(run.info.artifact_uri)
    repository.delete_artifacts("here")
    assert [item.path for item in client.list_artifacts(run.info.run_id)] == ["data.json", "page.html"]


def test_a_trace_is_kept() -> None:
    experiment = mlflow.set_experiment(name("trace"))

    @mlflow.trace
    def add(x: int) -> int:
        return x + 1

    add(2)
    mlflow.flush_trace_async_logging()
    client = mlflow.MlflowClient()
    found = client.search_traces(locations=[experiment.experiment_id], include_spans=False)
    assert len(found) == 1
    client.set_trace_tag(found[0].info.trace_id, "k", "v")
    assert client.delete_traces(experiment.experiment_id, trace_ids=[found[0].info.trace_id]) == 1


def test_many_writers_lose_nothing() -> None:
    client = mlflow.MlflowClient()
    experiment = client.create_experiment(name("many"))
    run = client.create_run(experiment)
    problems: list[Exception] = []

    def write(worker: int) -> None:
        try:
            for step in range(20):
                client.log_metric(run.info.run_id, "shared", worker, timestamp=worker + 1, step=step)
                client.log_metric(run.info.run_id, f"own/{worker}", step, step=step)
            client.log_param(run.info.run_id, f"p{worker}", worker)
        except Exception as error:
            problems.append(error)

    threads = [threading.Thread(target=write, args=(worker,)) for worker in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    assert len(client.get_metric_history(run.info.run_id, "shared")) == 160
    data = client.get_run(run.info.run_id).data
    assert data.metrics["shared"] == 7
    assert all(data.metrics[f"own/{worker}"] == 19 for worker in range(8))
    assert len(data.params) == 8


def test_a_job_of_studio_finds_its_runs(server: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_RUN_CONTEXT", '{"studio.job_id": "job-abc"}')
    mlflow.set_experiment(name("job"))
    with mlflow.start_run() as run:
        pass
    with server.http() as http:
        body = {"filter": "tags.studio.job_id = 'job-abc'"}
        found = http.post("/api/v1/domains/demo/runs/search", json=body).json()["runs"]
    assert [(item["run_id"], item["job_id"], item["user"]) for item in found] == [(run.info.run_id, "job-abc", "ann")]


def test_another_domains_ids_are_refused(server: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    client = mlflow.MlflowClient()
    experiment = client.create_experiment(name("mine"))
    run = client.create_run(experiment)
    client.log_text(run.info.run_id, "mine", "a.txt")
    registered = name("mine")
    client.create_registered_model(registered)
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", server.token("bob"))
    for call in (
        lambda: client.get_experiment(experiment),
        lambda: client.get_run(run.info.run_id),
        lambda: client.log_metric(run.info.run_id, "m", 1),
        lambda: client.delete_run(run.info.run_id),
        lambda: client.list_artifacts(run.info.run_id),
        lambda: client.get_registered_model(registered),
        lambda: client.create_run(experiment),
    ):
        assert refused(call) == "RESOURCE_DOES_NOT_EXIST"
    assert client.search_runs([experiment]) == []
    with server.http("bob") as http:
        path = f"/api/2.0/mlflow-artifacts/artifacts/{experiment}/{run.info.run_id}/artifacts/a.txt"
        assert http.get(path).status_code == 404
        assert http.put(path, content=b"theirs").status_code == 200
    with server.http("ann") as http:
        assert http.get(path).content == b"mine"


def test_a_viewer_reads_and_does_not_write(server: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    client = mlflow.MlflowClient()
    run = client.create_run("0")
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", server.token("vic"))
    assert client.get_run(run.info.run_id).info.run_id == run.info.run_id
    for call in (
        lambda: client.create_run("0"),
        lambda: client.log_metric(run.info.run_id, "m", 1),
        lambda: client.create_registered_model(name("no")),
        lambda: client.log_text(run.info.run_id, "x", "a.txt"),
    ):
        with pytest.raises(
            (mlflow.exceptions.MlflowException, httpx.HTTPError, Exception), match=r"403|PERMISSION_DENIED"
        ):
            call()
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", "studio_key-nope_nothing")
    with pytest.raises(mlflow.exceptions.MlflowException, match=r"401|UNAUTHENTICATED|credential|signed"):
        client.get_run(run.info.run_id)
