"""Studio on PostgreSQL, through its gateway: PostgreSQL restarted, then away; nothing acknowledged is lost."""

import threading
import time
from collections.abc import Iterator

import httpx
import pytest

from tests import leaks
from tests.live import Live, until
from tests.postgres import Cluster, cluster

WAIT_S = 6.0


@pytest.fixture(scope="module")
def own() -> Iterator[Cluster]:
    with cluster() as made:
        yield made


@pytest.fixture(scope="module")
def live(own: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    url = own.url("studio").replace("postgresql+psycopg", "postgresql")
    variables = {"STUDIO_DATABASE_URL": url, "STUDIO_DATABASE_WAIT_SECONDS": str(WAIT_S)}
    found = Live(tmp_path_factory.mktemp("postgres") / "home", **variables)
    try:
        found.studio("up", "--detach", "--no-browser", "--port", "0")
        yield found
    finally:
        pids = leaks.table(found.settings)
        found.stop()
        leaks.check(found.settings, pids)


class Logger(threading.Thread):
    """Logs metric after metric to one run; remembers which were acknowledged."""

    def __init__(self, client: httpx.Client, run_id: str) -> None:
        super().__init__()
        self._client, self._run_id = client, run_id
        self.said: set[int] = set()
        self.refused: list[tuple[int, str]] = []
        self.is_over = threading.Event()

    def run(self) -> None:
        """Until `is_over`."""
        step = 0
        while not self.is_over.is_set():
            body = {"run_id": self._run_id, "key": "m", "value": step, "timestamp": 1, "step": step}
            answer = self._client.post("/api/2.0/mlflow/runs/log-metric", json=body)
            if answer.status_code == 200:
                self.said.add(step)
            else:
                self.refused.append((answer.status_code, answer.json()["error_code"]))
            step += 1

    def more(self) -> None:
        """Waits until some more are acknowledged."""
        goal = len(self.said) + 20
        until(lambda: len(self.said) >= goal, "more metrics")


def test_restarted_and_away_nothing_acknowledged_is_lost(live: Live, own: Cluster) -> None:
    assert not live.settings.paths.database.exists()
    headers = {"authorization": f"Bearer {live.key('demo', live.status['user'])}"}
    with httpx.Client(base_url=live.address, headers=headers, timeout=60) as client:
        created = client.post("/api/2.0/mlflow/runs/create", json={"experiment_id": "0"})
        run_id = created.json()["run"]["info"]["run_id"]
        loggers = [Logger(client, run_id) for _ in range(2)]
        for one in loggers:
            one.start()
        loggers[0].more()
        own.stop()
        own.start()
        for one in loggers:
            one.more()
        # Those that had begun waited; only a commit that was under way could not be told from one that failed.
        assert all(found == (503, "TEMPORARILY_UNAVAILABLE") for one in loggers for found in one.refused)
        few = sum(len(one.refused) for one in loggers)
        assert few <= len(loggers)
        began = time.monotonic()
        own.stop()
        until(lambda: sum(len(one.refused) for one in loggers) > few, "a clean error")
        assert time.monotonic() - began > WAIT_S / 2
        own.start()
        for one in loggers:
            one.more()
            one.is_over.set()
            one.join()
        assert {found for one in loggers for found in one.refused} == {(503, "TEMPORARILY_UNAVAILABLE")}
        query = {"run_id": run_id, "metric_key": "m", "max_results": 25_000}
        points = client.get("/api/2.0/mlflow/metrics/get-history", params=query).json()["metrics"]
    steps = [point["step"] for point in points]
    assert loggers[0].said | loggers[1].said <= set(steps)
    assert len(steps) == len(set(steps))
