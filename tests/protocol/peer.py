"""A real `mlflow server` to compare answers with: one for all workers of a run, ended by the last that leaves."""

import contextlib
import fcntl
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil

from tests.benchmarks.peers import answers, free_port
from tests.live import until

# Its jobs are off, and nothing reports home.
QUIET = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    "GIT_PYTHON_REFRESH": "quiet",
}
_started: list[subprocess.Popen[bytes]] = []  # kept until this process ends: another worker may end the server


@contextlib.contextmanager
def shared(folder: Path) -> Iterator[str]:
    """The address of the server that belongs to `folder`, which all workers of a run name alike."""
    with _state(folder) as state:
        if not state.get("users"):
            state.update(_start(folder))
        state["users"] = state.get("users", 0) + 1
        url = str(state["url"])
    try:
        # Waited for outside the lock, since it takes a while.
        log = folder / "log"
        until(lambda: answers(f"{url}/version") or not psutil.pid_exists(state["pid"]), "mlflow server", 180)
        assert answers(f"{url}/version"), log.read_text()[-2000:]
        yield url
    finally:
        with _state(folder) as state:
            state["users"] -= 1
            if not state["users"]:
                _end(state["pid"])


@contextlib.contextmanager
def _state(folder: Path) -> Iterator[dict[str, Any]]:
    folder.mkdir(exist_ok=True)
    with (folder / "state").open("a+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        text = file.read()
        state = json.loads(text) if text else {}
        yield state
        file.truncate(0)
        file.write(json.dumps(state))


def _start(folder: Path) -> dict[str, Any]:
    port = free_port()
    places = ["--backend-store-uri", f"sqlite:///{folder}/mlflow.db", "--artifacts-destination", str(folder / "files")]
    where = ["--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    command = [str(Path(sys.executable).parent / "mlflow"), "server", *places, *where]
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MLFLOW_", "STUDIO_"))}
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            command, cwd=folder, env=environment | QUIET, stdout=log, stderr=log, start_new_session=True
        )
    _started.append(process)
    return {"url": f"http://127.0.0.1:{port}", "pid": process.pid}


def _end(pid: int) -> None:
    """Ends the process group, which is the server's own; whoever started it may be another worker."""
    members = [process for process in psutil.process_iter() if _group(process.pid) == pid]
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGTERM)
    until(lambda: not any(_lives(process) for process in members), "mlflow server to end", 30)


def _group(pid: int) -> int:
    try:
        return os.getpgid(pid)
    except OSError:
        return 0


def _lives(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
