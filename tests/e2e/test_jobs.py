"""Jobs in a real sandbox: they complete, fail, are stopped, and do not notice that the server was killed."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from studio.client import Rest
from tests.e2e.killing import children, frozen_server, kill_server
from tests.live import Live, running, until

ENDS = ("Completed", "Failed", "Stopped")
TRAIN = """
import argparse, os, sys
from pathlib import Path

import mlflow

parser = argparse.ArgumentParser()
parser.add_argument("--depth", type=int)
parser.add_argument("--shift", type=float)
options = parser.parse_args()
with mlflow.start_run() as run:
    mlflow.log_params(vars(options))
    mlflow.log_metric("auc", 0.5 + options.depth / 100)
print("run", run.info.run_id, "in", os.getcwd(), "as", os.environ["STUDIO_JOB_ID"])
print("shift", options.shift, file=sys.stderr)
"""
WAIT = """
import os, sys, time
from pathlib import Path

print("begun", flush=True)
with open("starts-" + os.environ["STUDIO_JOB_ID"], "a") as file:
    file.write("x")
while not Path(sys.argv[2]).exists():
    time.sleep(0.05)
print("ended")
"""


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    with running(tmp_path_factory.mktemp("jobs")) as started:
        yield started


@pytest.fixture
def api(live: Live) -> Iterator[Rest]:
    with live.operator() as client:
        yield client


def start(api: Rest, script: str, **params: Any) -> Any:
    """The answer to POST."""
    return api.post("domains/demo/jobs", {"script_name": "script.py", "script": script, "params": params})


def ended(api: Rest, job: Any) -> Any:
    """The job when it has ended."""

    def look() -> Any:
        found = api.get(f"domains/demo/jobs/{job['id']}", wait_s=5)
        return found if found["state"] in ENDS else None

    return until(look, f"the end of {job['id']}", 60)


def log(api: Rest, job: Any) -> str:
    """All that it printed."""
    return "".join(api.follow(f"domains/demo/jobs/{job['id']}/log"))


def home(live: Live, job: Any) -> Path:
    """The owner's folder, as the host sees it."""
    return live.settings.paths.user("demo", job["owner"])


def test_a_job_runs_to_its_end_and_its_run_is_linked(live: Live, api: Rest) -> None:
    job = ended(api, start(api, TRAIN, depth=3, shift=-1.5))
    text = log(api, job)
    assert (job["state"], job["exit_code"]) == ("Completed", 0), text
    assert job["created_ms"] <= job["started_ms"] <= job["ended_ms"]
    [run_id] = job["run_ids"]
    assert f"run {run_id}" in text
    assert f"as {job['id']}" in text
    assert "shift -1.5" in text
    assert children(live).get(job["id"]) is None
    until(lambda: api.get(f"domains/demo/jobs/{job['id']}")["cost"] > 0, "the job's cost", 10)


def test_a_failed_job_has_its_traceback_in_the_log_and_its_exit_code(api: Rest) -> None:
    job = ended(api, start(api, "def f():\n    return 1 / 0\n\nf()\n"))
    text = log(api, job)
    assert (job["state"], job["exit_code"]) == ("Failed", 1)
    assert "ZeroDivisionError: division by zero" in text
    assert "script.py" in text
    assert "log" in job["reason"]


def test_a_job_is_stopped(live: Live, api: Rest) -> None:
    job = start(api, WAIT, until="never")
    until(lambda: api.get(f"domains/demo/jobs/{job['id']}/log")["text"] == "begun\n", "its first line", 60)
    until(lambda: api.get(f"domains/demo/jobs/{job['id']}")["state"] == "Running", "Running", 5)
    api.post(f"domains/demo/jobs/{job['id']}/stop")
    job = ended(api, job)
    assert (job["state"], job["reason"]) == ("Stopped", "It was stopped.")
    assert children(live).get(job["id"]) is None


def test_a_job_that_ignores_every_polite_signal_is_stopped_too(live: Live, api: Rest) -> None:
    script = "import signal, time\nfor n in (2, 15): signal.signal(n, signal.SIG_IGN)\nprint('deaf', flush=True)\n"
    job = start(api, script + "while True: time.sleep(1)\n")
    until(lambda: "deaf" in api.get(f"domains/demo/jobs/{job['id']}/log")["text"], "its first line", 60)
    api.post(f"domains/demo/jobs/{job['id']}/stop")
    assert ended(api, job)["state"] == "Stopped"


def test_a_killed_job_is_failed_and_not_running_for_ever(live: Live, api: Rest) -> None:
    job = start(api, WAIT, until="never")
    until(lambda: job["id"] in children(live), "its process", 60)
    os.kill(children(live)[job["id"]]["pid"], signal.SIGKILL)
    job = ended(api, job)
    assert job["state"] == "Failed"
    assert "killed" in job["reason"].lower()


def test_a_job_over_its_memory_says_so(api: Rest) -> None:
    body = {"script_name": "script.py", "script": "x = bytearray(3 * 2**30)\nprint(len(x))\n"}
    job = ended(api, api.post("domains/demo/jobs", body))
    assert job["state"] == "Failed"
    assert "memory" in (job["reason"] + log(api, job)).lower()


def test_a_job_goes_on_while_the_server_is_killed_and_is_adopted(live: Live, api: Rest) -> None:
    go = f"go-{os.getpid()}"
    job = start(api, WAIT, until=go)
    until(lambda: children(live).get(job["id"]), "its process", 60)
    before = children(live)[job["id"]]["pid"]
    kill_server(live)  # perhaps before it had seen the process
    until(lambda: api.get(f"domains/demo/jobs/{job['id']}")["state"] == "Running", "the job's adoption")
    assert children(live)[job["id"]]["pid"] == before
    (home(live, job) / go).touch()
    job = ended(api, job)
    assert job["state"] == "Completed", log(api, job)
    assert log(api, job) == "begun\nended\n"
    assert (home(live, job) / f"starts-{job['id']}").read_text() == "x"


def test_a_job_that_ended_while_the_server_was_away_is_completed_and_paid(live: Live, api: Rest) -> None:
    go = f"away-{os.getpid()}"
    job = start(api, WAIT, until=go)
    until(lambda: children(live).get(job["id"]), "its process", 60)
    with frozen_server(live):
        (home(live, job) / go).touch()
        until(lambda: job["id"] not in children(live), "the end of the process", 30)
    job = ended(api, job)
    assert (job["state"], job["exit_code"]) == ("Completed", 0)
    full = pytest.approx(0.02 * (job["ended_ms"] - job["started_ms"]) / 3_600_000)
    until(lambda: api.get(f"domains/demo/jobs/{job['id']}")["cost"] == full, "its whole cost", 10)


def test_code_in_the_sandbox_starts_a_job_as_its_owner(api: Rest) -> None:
    script = """
import os
from studio.guest import sdk
from pathlib import Path

Path("child.py").write_text("print('from inside')")
job = sdk.run_job("child.py", wait=True)
print(job.state, job.owner == os.environ["STUDIO_USER"])
"""
    job = ended(api, start(api, script))
    assert "from inside" in log(api, job)
    assert "Completed True" in log(api, job)
