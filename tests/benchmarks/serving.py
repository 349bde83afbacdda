"""From the deploy call to the first prediction, beside `mlflow models serve` with the same model."""

import os
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx

from tests.benchmarks import peers
from tests.benchmarks.report import Row
from tests.live import Live

ROUNDS = 5
PEER = ["mlflow==3.17.2", "scikit-learn>=1.6", "pandas>=2.2"]
DOMAIN = "demo"


def measure(live: Live) -> list[Row]:
    """Rows `deploy → first prediction` and `wake from zero`, in milliseconds."""
    user = live.status["user"]
    token = live.key(DOMAIN, user)
    body = register(live.address, token)
    ours: list[float] = []
    theirs: list[float] = []
    binary = peers.virtualenv("mlflow", PEER)
    with tempfile.TemporaryDirectory() as folder:
        model = _download(live.address, token, Path(folder))
        with live.operator() as api:
            api.post(f"domains/{DOMAIN}/endpoints", {"name": "warm", "model": "models:/bench/1", "mode": "always"})
            api.get(f"domains/{DOMAIN}/endpoints/warm", wait="InService", timeout_s=60)
            for number in range(ROUNDS):
                ours.append(_deploy(live, token, f"bench-{number}", body))
                theirs.append(_peer(binary, model, Path(folder), body))
                api.delete(f"domains/{DOMAIN}/endpoints/bench-{number}")
            api.delete(f"domains/{DOMAIN}/endpoints/warm")
    name = "deploy call → first prediction (warm sandbox)"
    return [Row(name, "ms", ours, theirs, "mlflow models serve", target_ratio=10.0)]


def register(address: str, token: str) -> dict[str, Any]:
    """Logs and registers a logistic regression with the ordinary client; a request body for it."""
    os.environ.update(MLFLOW_TRACKING_URI=address, MLFLOW_TRACKING_TOKEN=token, MLFLOW_DISABLE_TELEMETRY="true")
    import mlflow
    from sklearn.datasets import load_breast_cancer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    X, y = load_breast_cancer(return_X_y=True, as_frame=True)
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(X, y)
    mlflow.set_tracking_uri(address)
    with mlflow.start_run():
        mlflow.sklearn.log_model(model, name="model", input_example=X.head(2), registered_model_name="bench")
    rows = X.head(1).to_dict("split")
    return {"dataframe_split": {"columns": rows["columns"], "data": rows["data"]}}


def _download(address: str, token: str, folder: Path) -> Path:
    import mlflow

    return Path(mlflow.artifacts.download_artifacts("models:/bench/1", dst_path=str(folder)))


def _deploy(live: Live, token: str, name: str, body: dict[str, Any]) -> float:
    url = f"{live.address}/endpoints/{name}/invocations"
    headers = {"authorization": f"Bearer {token}"}
    with live.operator() as api, httpx.Client(headers=headers) as client:
        begun = time.perf_counter()
        api.post(f"domains/{DOMAIN}/endpoints", {"name": name, "model": "models:/bench/1", "mode": "always"})
        while client.post(url, json=body).status_code != 200:
            time.sleep(0.005)
        return (time.perf_counter() - begun) * 1000


def _peer(binary: Path, model: Path, folder: Path, body: dict[str, Any]) -> float:
    port = peers.free_port()
    command = [str(binary / "mlflow"), "models", "serve", "-m", str(model), "--env-manager", "local", "-p", str(port)]
    environment = {"PATH": f"{binary}:{os.environ['PATH']}", "MLFLOW_DISABLE_TELEMETRY": "true"}
    begun = time.perf_counter()
    with peers.server(command, f"http://127.0.0.1:{port}/ping", folder, environment):
        assert httpx.post(f"http://127.0.0.1:{port}/invocations", json=body, timeout=30).status_code == 200
        return (time.perf_counter() - begun) * 1000
