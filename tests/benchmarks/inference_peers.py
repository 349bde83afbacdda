"""Servers of models beside Studio: each in a virtualenv of its own, with one worker and the same model file."""

import contextlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.benchmarks import peers

_BASE = ["scikit-learn>=1.9,<1.10", "joblib", "numpy"]
PACKAGES: dict[str, list[str]] = {
    "MLServer": ["mlserver==1.7.1", "mlserver-sklearn==1.7.1", *_BASE],
    "MLflow": ["mlflow==3.17.2", "pandas>=2.2", "skops", "cloudpickle", *_BASE],
    "BentoML": ["bentoml>=1.4,<2", *_BASE],
    "LitServe": ["litserve==0.2.19", *_BASE],
    "FastAPI": ["fastapi", "uvicorn[standard]", *_BASE],
    "Granian": ["granian[uvloop]", *_BASE],
}
APPS = Path(__file__).parent / "peer_servers"


@dataclass(frozen=True, slots=True)
class Peer:
    """A running server: where rows go, in which form (`tests.benchmarks.wrk.rows_as`)."""

    name: str
    url: str
    form: str
    headers: dict[str, str] = field(default_factory=lambda: {"content-type": "application/json"})


@dataclass(frozen=True, slots=True)
class Model:
    """The same model as every server reads it."""

    joblib: Path
    mlflow: Path


@contextlib.contextmanager
def started(name: str, model: Model, folder: Path, *, batched: bool = False) -> Iterator[Peer]:
    """The peer, until the end of the block. `batched`: with its own batching switched on, where it has one."""
    binary = peers.virtualenv(name, PACKAGES[name])
    port = peers.free_port()
    folder.mkdir(parents=True, exist_ok=True)
    root = f"http://127.0.0.1:{port}"
    env = {"MODEL": str(model.joblib), "PATH": f"{binary}:{os.environ['PATH']}", "BATCH": "64" if batched else "1"}
    env |= {
        "OMP_NUM_THREADS": "1",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "BENTOML_DO_NOT_TRACK": "True",
        "PYTHONPATH": "",
    }
    command, ready, path, form = _command(name, binary, port, model, folder, batched=batched)
    with peers.server([str(binary / command[0]), *command[1:]], root + ready, folder, env):
        yield Peer(name, root + path, form)


def _command(
    name: str, binary: Path, port: int, model: Model, folder: Path, *, batched: bool
) -> tuple[list[str], str, str, str]:
    """(command, path that answers when it is ready, path of predictions, form)."""
    match name:
        case "MLServer":
            return (
                ["mlserver", "start", str(_mlserver(port, model, folder, batched=batched))],
                "/v2/models/m/ready",
                ("/v2/models/m/infer"),
                "v2",
            )
        case "MLflow":
            command = ["mlflow", "models", "serve", "-m", str(model.mlflow), "--env-manager", "local", "-p", str(port)]
            return [*command, "--workers", "1"], "/ping", "/invocations", "inputs"
        case "BentoML":
            command = ["bentoml", "serve", "bento_service:Served", "--working-dir", str(APPS), "-p", str(port)]
            return [*command, "--host", "127.0.0.1"], "/readyz", "/predict", "inputs"
        case "LitServe":
            return ["python", str(APPS / "litserve_app.py"), str(port)], "/health", "/predict", "inputs"
        case "FastAPI":
            command = ["uvicorn", "fastapi_app:app", "--app-dir", str(APPS), "--port", str(port), "--no-access-log"]
            return [*command, "--log-level", "warning"], "/docs", "/predict", "inputs"
        case _:
            command = [
                "granian",
                "--interface",
                "asgi",
                "asgi_app:app",
                "--working-dir",
                str(APPS),
                "--port",
                str(port),
            ]
            return [*command, "--workers", "1", "--loop", "uvloop", "--no-access-log"], "/", "/predict", "inputs"


def _mlserver(port: int, model: Model, folder: Path, *, batched: bool) -> Path:
    place = folder / "mlserver"
    place.mkdir(exist_ok=True)
    server = {"host": "127.0.0.1", "http_port": port, "grpc_port": peers.free_port(), "metrics_port": peers.free_port()}
    (place / "settings.json").write_text(json.dumps(server | {"parallel_workers": 0, "debug": False}))
    described = {
        "name": "m",
        "implementation": "mlserver_sklearn.SKLearnModel",
        "parameters": {"uri": str(model.joblib)},
    }
    batching = {"max_batch_size": 64, "max_batch_time": 0.002} if batched else {}
    (place / "model-settings.json").write_text(json.dumps(described | batching))
    return place
