"""`mlflow-skinny`, which cannot live beside the full client: in a virtualenv of its own, as processes of its own."""

import json
import subprocess
import uuid
from pathlib import Path
from typing import Any

import pytest

from tests.benchmarks.peers import virtualenv
from tests.protocol.conftest import QUIET, Running

PACKAGES = ("mlflow-skinny==3.17.2", "scikit-learn", "pandas")
WRITERS, CALLS = 3, 30
_SESSION = """
import json, sys
import mlflow
from sklearn.datasets import load_wine
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

name = sys.argv[1]
features, target = load_wine(return_X_y=True, as_frame=True)
model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=200)).fit(features, target)
mlflow.set_experiment(name)
with mlflow.start_run(run_name="skinny") as run:
    mlflow.log_params({"max_iter": 200})
    for step in range(3):
        mlflow.log_metric("score", step / 2, step=step)
    mlflow.log_text("hello", "notes/a.txt")
    mlflow.sklearn.log_model(
        model, name="model", registered_model_name=name, pip_requirements=["scikit-learn"], input_example=features[:2],
        serialization_format="cloudpickle",
    )
client = mlflow.MlflowClient()
client.set_registered_model_alias(name, "champion", "1")
loaded = mlflow.sklearn.load_model(f"models:/{name}@champion")
print(json.dumps({
    "run": run.info.run_id,
    "version": mlflow.__version__,
    "same": bool((loaded.predict(features) == model.predict(features)).all()),
    "text": mlflow.artifacts.load_text(f"runs:/{run.info.run_id}/notes/a.txt"),
}))
"""
_WRITER = """
import sys
import mlflow
from mlflow.entities import Metric

client, run, worker, calls = mlflow.MlflowClient(), sys.argv[1], sys.argv[2], int(sys.argv[3])
for step in range(calls):
    client.log_metric(run, "shared", float(worker), timestamp=int(worker) + 1, step=step)
    client.log_batch(run, [Metric(f"own/{worker}", n, step, step * 10 + n) for n in range(10)])
client.log_param(run, f"p{worker}", worker)
"""


@pytest.fixture(scope="module")
def python() -> Path:
    """The interpreter of the virtualenv, made at the first use and kept in .cache."""
    return virtualenv("skinny", PACKAGES) / "python"


def started(python: Path, server: Running, folder: Path, script: str, *words: str) -> subprocess.Popen[str]:
    """A process that runs `script`."""
    environment = {
        **QUIET,
        "PATH": str(python.parent),
        "HOME": str(folder),
        "MLFLOW_TRACKING_URI": server.url,
        "MLFLOW_REGISTRY_URI": server.url,
        "MLFLOW_TRACKING_TOKEN": server.token("ann"),
    }
    return subprocess.Popen(
        [str(python), "-c", script, *words],
        cwd=folder,
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def finished(process: subprocess.Popen[str]) -> str:
    """Its last line; fails with what it said if it failed."""
    out, problems = process.communicate(timeout=240)
    assert process.returncode == 0, problems[-3000:]
    return out.strip().rpartition("\n")[2]


def get(server: Running, path: str, **query: str) -> Any:
    """A GET of this wire."""
    with server.http() as http:
        answer = http.get(f"/api/2.0/mlflow/{path}", params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()


def test_a_session_from_run_to_model(python: Path, server: Running, tmp_path: Path) -> None:
    name = f"skinny-{uuid.uuid4().hex[:8]}"
    told = json.loads(finished(started(python, server, tmp_path, _SESSION, name)))
    assert (told["version"], told["same"], told["text"]) == ("3.17.2", True, "hello")
    run = get(server, "runs/get", run_id=told["run"])["run"]
    assert run["info"]["status"] == "FINISHED"
    assert run["data"]["params"] == [{"key": "max_iter", "value": "200"}]
    assert [item["step"] for item in run["data"]["metrics"] if item["key"] == "score"] == [2]
    version = get(server, "registered-models/alias", name=name, alias="champion")["model_version"]
    assert (version["run_id"], version["status"]) == (told["run"], "READY")


def test_processes_that_write_at_once_lose_nothing(python: Path, server: Running, tmp_path: Path) -> None:
    with server.http() as http:
        made = http.post("/api/2.0/mlflow/runs/create", json={"experiment_id": "0"}).json()
    run_id = made["run"]["info"]["run_id"]
    processes = [
        started(python, server, tmp_path, _WRITER, run_id, str(worker), str(CALLS)) for worker in range(WRITERS)
    ]
    for process in processes:
        finished(process)
    shared = get(server, "metrics/get-history", run_id=run_id, metric_key="shared")["metrics"]
    assert len(shared) == WRITERS * CALLS
    for worker in range(WRITERS):
        own = get(server, "metrics/get-history", run_id=run_id, metric_key=f"own/{worker}")["metrics"]
        assert [item["step"] for item in own] == list(range(CALLS * 10))
    data = get(server, "runs/get", run_id=run_id)["run"]["data"]
    assert {item["key"]: item["value"] for item in data["metrics"]}["shared"] == WRITERS - 1
    assert len(data["params"]) == WRITERS
