"""A running server for a session of tests, and clients for it; a real `mlflow server` to compare answers with."""

import functools
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.benchmarks.peers import free_port
from tests.live import until
from tests.protocol import peer as peers

ROOT = Path(__file__).resolve().parents[2]
# Clients must not report home, nor try a refused call again for minutes.
QUIET = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0",
    "MLFLOW_ENABLE_ASYNC_LOGGING": "false",
    "MLFLOW_ENABLE_ASYNC_TRACE_LOGGING": "false",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "GIT_PYTHON_REFRESH": "quiet",
}


def _up(url: str) -> bool:
    try:
        return httpx.get(url, timeout=5).status_code < 500
    except httpx.HTTPError:
        return False


@dataclass
class Running:
    """A server, restarted on the same home and port by `start`."""

    home: Path
    port: int
    database: str = ""  # its URL; "" is the file in the home
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def token(self, name: str) -> str:
        """An access key: ann (admin of demo), vic (viewer of demo), bob (editor of other)."""
        return str(json.loads((self.home / "tokens.json").read_text())[name])

    def start(self) -> None:
        """Returns when it answers."""
        command = [sys.executable, "-m", "tests.protocol.server", "--home", str(self.home), "--port", str(self.port)]
        environment = {name: value for name, value in os.environ.items() if not name.startswith("STUDIO_")}
        environment["STUDIO_DATABASE_URL"] = self.database
        with (self.home / "server.log").open("ab") as log:
            self.process = process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
        until(lambda: process.poll() is not None or _up(f"{self.url}/health"), "the server", 60)
        assert process.poll() is None, (self.home / "server.log").read_text()[-2000:]

    def stop(self, number: int = signal.SIGTERM) -> None:
        """Ends it, and waits until it has ended."""
        assert self.process is not None
        self.process.send_signal(number)
        self.process.wait(20)

    def http(self, name: str = "ann", **headers: str) -> httpx.Client:
        """A plain client with an access key."""
        return httpx.Client(
            base_url=self.url, headers={"authorization": f"Bearer {self.token(name)}", **headers}, timeout=30
        )


@pytest.fixture(scope="session")
def server(shared_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Studio's server, for the whole session (one on each kind of database)."""
    url = shared_url if shared_url.startswith("postgresql") else ""
    running = Running(tmp_path_factory.mktemp("studio"), free_port(), url)
    running.start()
    yield running
    running.stop()


@pytest.fixture
def own_server(database_url: str, tmp_path: Path) -> Iterator[Running]:
    """Studio's server, for one test that is hard on it."""
    running = Running(tmp_path, free_port(), database_url if database_url.startswith("postgresql") else "")
    running.start()
    yield running
    running.stop(signal.SIGKILL)


@pytest.fixture(scope="session")
def peer(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[str]:
    """The address of a real `mlflow server` 3.17.2 on SQLite, shared by the workers of this run."""
    folder = tmp_path_factory.getbasetemp()
    with peers.shared((folder if worker_id == "master" else folder.parent) / "mlflow") as url:
        yield url


@pytest.fixture
def meet(server: Running, peer: str) -> Callable[..., None]:
    """Plays a scenario with both and fails if they differ where that is not listed."""
    from tests.protocol import conformance  # mlflow takes seconds to import

    return functools.partial(conformance.meet, server.url, peer)


@pytest.fixture
def client(server: Running, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """`mlflow` set up as it is in a kernel: three variables, nothing in code."""
    import mlflow

    monkeypatch.chdir(tmp_path)
    for name, value in QUIET.items():
        monkeypatch.setenv(name, value)
    # `set_experiment` writes it into the environment itself: set and taken away here, it is gone before and after.
    monkeypatch.setenv("MLFLOW_EXPERIMENT_ID", "")
    monkeypatch.delenv("MLFLOW_EXPERIMENT_ID")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", server.url)
    monkeypatch.setenv("MLFLOW_REGISTRY_URI", server.url)
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", server.token("ann"))
    mlflow.set_tracking_uri(server.url)
    mlflow.set_registry_uri(server.url)
    mlflow.tracking.fluent._active_experiment_id = None  # another file's
    yield
    mlflow.end_run()
    mlflow.tracking.fluent._active_experiment_id = None
