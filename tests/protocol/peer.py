"""A real `mlflow server` to compare answers with: one for all workers of a run, and no longer than they."""

import contextlib
import fcntl
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks.peers import answers, free_port
from tests.live import until

ROOT = Path(__file__).resolve().parents[2]
# Its jobs are off, and nothing reports home.
QUIET = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    "GIT_PYTHON_REFRESH": "quiet",
}
_started: list[subprocess.Popen[bytes]] = []  # kept until this process ends, as they may live as long


@contextlib.contextmanager
def shared(folder: Path) -> Iterator[str]:
    """The address of the server that belongs to `folder`, which all workers of a run name alike.

    Every user holds the writing end of a pipe; when the last has let go of it, however it ended, the server ends.
    """
    folder.mkdir(exist_ok=True)
    state, pipe = folder / "state", folder / "users"
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        held = _hold(pipe) if state.exists() else None
        if held is None:
            pipe.unlink(missing_ok=True)
            os.mkfifo(pipe)
            port = free_port()
            command = [sys.executable, "-m", "tests.protocol.peer", str(folder), str(port)]
            _started.append(subprocess.Popen(command, cwd=ROOT, start_new_session=True))
            state.write_text(json.dumps({"url": f"http://127.0.0.1:{port}"}))
            held = os.open(pipe, os.O_WRONLY)
    url = str(json.loads(state.read_text())["url"])
    try:
        # Waited for outside the lock, since it takes a while.
        until(lambda: answers(f"{url}/version"), f"mlflow server, see {folder / 'log'}", 180)
        yield url
    finally:
        os.close(held)


def _hold(pipe: Path) -> int | None:
    """The writing end, if somebody reads."""
    try:
        return os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
    except OSError:
        return None


def main(folder: Path, port: int) -> None:
    """Serves while anybody holds the other end of the pipe."""
    users = os.open(folder / "users", os.O_RDONLY)
    # As the command `mlflow server` starts it, but without importing all of MLflow for the command too.
    places = {
        "_MLFLOW_SERVER_FILE_STORE": f"sqlite:///{folder}/mlflow.db",
        "_MLFLOW_SERVER_ARTIFACT_DESTINATION": str(folder / "files"),
        "_MLFLOW_SERVER_ARTIFACT_ROOT": "mlflow-artifacts:/",
        "_MLFLOW_SERVER_SERVE_ARTIFACTS": "true",
    }
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MLFLOW_", "STUDIO_"))}
    app = ["uvicorn", "--host", "127.0.0.1", "--port", str(port), "mlflow.server.fastapi_app:app"]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", *app],
            cwd=folder,
            env=environment | places | QUIET,
            stdout=log,
            stderr=log,
        )
    while os.read(users, 1024):
        pass
    # This process and the server are a group of their own.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    os.killpg(os.getpgid(0), signal.SIGTERM)
    process.wait(30)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
