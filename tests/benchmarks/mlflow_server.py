"""The peer of tracking: a real `mlflow server`, tuned as far as its options go."""

import contextlib
import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.benchmarks import peers
from tests.benchmarks.load import Target

PACKAGES = ["mlflow==3.17.2", "uvloop", "httptools", "psycopg[binary]>=3.2"]
QUIET = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    # Thirteen processes of job runners, which take the cores from the server when they wake.
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
}
# Without the log line of each request (a tenth of its time) and without the checks of Host and Origin.
TUNED = [
    "--workers", "1", "--disable-security-middleware",
    "--uvicorn-opts", "--loop uvloop --http httptools --no-access-log --log-level warning",
]  # fmt: skip
# Run by the peer's Python: the settings of a session as its server opens it.
_ASK = """
import json, sys
from sqlalchemy import text
from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore
with SqlAlchemyStore(sys.argv[1], sys.argv[2]).ManagedSessionMaker() as session:
    print(json.dumps({name: session.execute(text(how)).scalar() for name, how in json.loads(sys.argv[3]).items()}))
"""


@contextlib.contextmanager
def server(folder: Path, database: str = "") -> Iterator[tuple[Target, int]]:
    """A server on `database` (default: an SQLite file in `folder`), and its pid."""
    port = peers.free_port()
    where = ["--backend-store-uri", database or sqlite(folder), "--artifacts-destination", str(folder / "files")]
    command = [str(_bin() / "mlflow"), "server", *where, "--host", "127.0.0.1", "--port", str(port), *TUNED]
    with peers.server(command, f"http://127.0.0.1:{port}/version", folder, QUIET) as pid:
        yield Target(port, "none"), pid


def sqlite(folder: Path) -> str:
    """The URL of the file that `server` makes."""
    return f"sqlite:///{folder}/mlflow.db"


def settings(database: str, folder: Path, questions: dict[str, str]) -> dict[str, Any]:
    """What MLflow's own store answers to SQL questions such as `PRAGMA synchronous`."""
    argv = [str(_bin() / "python"), "-c", _ASK, database, str(folder / "files"), json.dumps(questions)]
    done = subprocess.run(argv, env={**os.environ, **QUIET}, check=True, capture_output=True, text=True, timeout=120)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def client(target: Target, program: str) -> Any:
    """The JSON that `program` prints at the end, run with the official client set up for `target`."""
    tracking = {"MLFLOW_TRACKING_URI": f"http://127.0.0.1:{target.port}", "MLFLOW_TRACKING_TOKEN": target.token}
    argv = [str(_bin() / "python"), "-c", program]
    env = {**os.environ, **QUIET, **tracking}
    done = subprocess.run(argv, env=env, check=True, capture_output=True, text=True, timeout=300)
    return json.loads(done.stdout.splitlines()[-1])


def _bin() -> Path:
    return peers.virtualenv("mlflow", PACKAGES)
