"""kill -9 of the server at random moments while clients log through the gateway: what was acknowledged is there, once.

The method: every client keeps a record of what was acknowledged to it; at the end the record is compared with what the
server has. `SEED` gives the moments, counted in acknowledgements.
"""

import itertools
import json
import random
import sqlite3
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import httpx
import pytest

from studio.client import Rest
from tests.e2e.killing import kill_server
from tests.live import Live, running, until

SEED = 20261122
API = "/api/2.0/mlflow"
BATCH = 50
STEPS = 150
# An ordinary client with no set-up at all, as in a cell.
TRAINING = f"""
import mlflow

with mlflow.start_run() as run:
    print("run", run.info.run_id, flush=True)
    for step in range({STEPS}):
        mlflow.log_metric("loss", 1 / (step + 1), step=step)
"""


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    with running(tmp_path_factory.mktemp("killed") / "home") as started:
        yield started


@pytest.fixture
def api(live: Live) -> Iterator[Rest]:
    with live.operator() as rest:
        yield rest


@pytest.fixture
def http(live: Live) -> Iterator[httpx.Client]:
    headers = {"authorization": f"Bearer {live.key('demo', live.status['user'])}"}
    with httpx.Client(base_url=live.address + API, headers=headers, timeout=60) as client:
        yield client


class Writer(threading.Thread):
    """Logs one value after the other until it is told to stop; an answer other than 200 and 503 ends it."""

    def __init__(self, http: httpx.Client, run_id: str, key: str) -> None:
        super().__init__(name=f"writer of {key}")
        self.key = key
        self.acknowledged: list[int] = []
        self.unanswered = 0
        self.error = ""
        self._run_id = run_id
        self._stopping = threading.Event()
        self._http = httpx.Client(base_url=http.base_url, headers=http.headers, timeout=60)

    def run(self) -> None:
        with self._http:
            for step in itertools.count():
                self.write(step)
                if self._stopping.is_set() or self.error:
                    return

    def write(self, step: int) -> None:
        """Sends the same again until it is acknowledged, as MLflow's client does."""
        body = {"key": self.key, "value": step / 7, "timestamp": 1, "step": step}
        while not self.send("runs/log-metric", body) and not self.error:
            self.unanswered += 1
        self.acknowledged.append(step)

    def send(self, path: str, body: dict[str, Any]) -> bool:
        """Whether it was acknowledged."""
        try:
            answer = self._http.post(path, json={"run_id": self._run_id, **body})
        except httpx.TransportError:
            return False
        if answer.status_code not in (200, 503):
            self.error = f"{answer.status_code}: {answer.text}"
        return answer.status_code == 200

    def stop(self) -> None:
        self._stopping.set()


class BatchWriter(Writer):
    """Writes batches and goes on to the next one, whatever became of the last: it may be there wholly or not at all."""

    def write(self, step: int) -> None:
        metrics = [{"key": self.key, "value": 0.5, "timestamp": 1, "step": step * BATCH + n} for n in range(BATCH)]
        if self.send("runs/log-batch", {"metrics": metrics}):
            self.acknowledged.append(step)
        else:
            self.unanswered += 1


def history(http: httpx.Client, run_id: str, key: str) -> Counter[int]:
    """How often each step of a metric is there."""
    found: Counter[int] = Counter()
    token = ""
    while True:
        wanted = {"run_id": run_id, "metric_key": key, "max_results": 25_000, "page_token": token}
        page = http.get("metrics/get-history", params=wanted).raise_for_status().json()
        found.update(int(metric["step"]) for metric in page.get("metrics", ()))
        token = page.get("next_page_token", "")
        if not token:
            return found


def start_run(http: httpx.Client, name: str) -> str:
    experiment = http.post("experiments/create", json={"name": name}).raise_for_status().json()["experiment_id"]
    made = http.post("runs/create", json={"experiment_id": experiment}).raise_for_status()
    return str(made.json()["run"]["info"]["run_id"])


def kill_under_load(live: Live, http: httpx.Client, kills: int) -> None:
    moments = random.Random(SEED + kills)
    run_id = start_run(http, f"{kills} kills")
    writers = [Writer(http, run_id, f"m{n}") for n in range(6)]
    batches = [BatchWriter(http, run_id, f"b{n}") for n in range(2)]
    everybody = [*writers, *batches]

    def acknowledged() -> int:
        assert [one.error for one in everybody if one.error] == []
        return sum(len(one.acknowledged) for one in everybody)

    for one in everybody:
        one.start()
    try:
        for _ in range(kills):
            moment = acknowledged() + moments.randrange(20, 400)
            until(lambda at=moment: acknowledged() >= at, f"{moment} acknowledgements", 120)
            kill_server(live)
        last = acknowledged() + 100
        until(lambda: acknowledged() >= last, "acknowledgements after the last kill", 120)
    finally:
        for one in everybody:
            one.stop()
        for one in everybody:
            one.join()
    acknowledged()
    assert sum(one.unanswered for one in everybody) > 0  # else no kill has met anybody
    for one in writers:
        assert history(http, run_id, one.key) == Counter(one.acknowledged), one.key
    for one in batches:
        found = history(http, run_id, one.key)
        whole = {step // BATCH for step in found}
        assert found == Counter(batch * BATCH + n for batch in whole for n in range(BATCH)), one.key
        assert set(one.acknowledged) <= whole
        assert len(whole) <= len(one.acknowledged) + one.unanswered
    with closing(sqlite3.connect(live.settings.paths.database)) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_every_acknowledged_metric_is_there_once(live: Live, http: httpx.Client) -> None:
    kill_under_load(live, http, 2)


@pytest.mark.soak
def test_every_acknowledged_metric_is_there_once_after_many_kills(live: Live, http: httpx.Client) -> None:
    kill_under_load(live, http, 12)


def test_an_ordinary_client_in_a_sandbox_notices_no_restart(live: Live, http: httpx.Client, api: Rest) -> None:
    job = api.post("domains/demo/jobs", {"script_name": "train.py", "script": TRAINING, "params": {}})

    def run_id() -> str:
        found = http.post("runs/search", json={"experiment_ids": ["0"], "max_results": 1}).json()
        return next((str(run["info"]["run_id"]) for run in found.get("runs", ())), "")

    run = until(run_id, "the run", 120)
    for logged in (5, 40):
        until(lambda at=logged: history(http, run, "loss").total() >= at, f"{logged} values", 120)
        kill_server(live)

    def ended() -> Any:
        found = api.get(f"domains/demo/jobs/{job['id']}", wait_s=5)
        return found if found["state"] in ("Completed", "Failed", "Stopped") else None

    found = until(ended, "the job's end", 300)
    printed = "".join(api.follow(f"domains/demo/jobs/{job['id']}/log"))
    assert (found["state"], found["reason"]) == ("Completed", ""), printed
    assert history(http, run, "loss") == Counter(range(STEPS)), json.dumps(printed)
