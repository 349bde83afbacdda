"""What runs is listed and paid for, stopped by one click, and neither lost nor doubled when the server is killed."""

from collections.abc import Iterator
from typing import Any

import pytest

from studio.cli.demo.kernel import Kernel
from studio.client import Rest
from tests.e2e.killing import children, kill_server
from tests.live import Live, running, until

SLEEP = "import time\nprint('begun', flush=True)\nwhile True: time.sleep(0.1)\n"
JOBS = "domains/demo/jobs"


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    with running(tmp_path_factory.mktemp("cost")) as started:
        yield started


@pytest.fixture
def api(live: Live) -> Iterator[Rest]:
    with live.operator() as client:
        yield client


def line(api: Rest, kind: str, id: str | None = None) -> Any:
    """The first line of that kind (with that id) in the list of what runs."""
    lines = api.get("domains/demo/running")
    return next((item for item in lines if item["kind"] == kind and id in (None, item["id"])), None)


def begin(api: Rest) -> str:
    """The id of a job that runs."""
    job = api.post(JOBS, {"script_name": "script.py", "script": SLEEP, "instance_type": "std.large"})
    until(lambda: line(api, "job", job["id"]), "the job in the list", 60)
    return str(job["id"])


def test_a_job_is_listed_paid_and_stopped(api: Rest) -> None:
    job_id = begin(api)
    shown = until(lambda: _ticked(line(api, "job", job_id)), "its memory and cost", 20)
    assert (shown["name"], shown["price_per_hour"], shown["stoppable"]) == ("script", 0.08, True)
    assert line(api, "fork server")["memory_bytes"] > 0
    before = api.get("domains/demo/cost")
    until(lambda: api.get("domains/demo/cost")["today"] > before["today"], "a tick", 20)
    api.post(f"domains/demo/running/{job_id}/stop")
    until(lambda: line(api, "job", job_id) is None, "its end", 20)
    job = until(lambda: _stopped(api.get(f"{JOBS}/{job_id}")), "its state", 10)
    full = pytest.approx(0.08 * (job["ended_ms"] - job["started_ms"]) / 3_600_000)
    until(lambda: api.get(f"{JOBS}/{job_id}")["cost"] == full, "its whole cost", 10)


def test_the_price_of_what_runs_stays_when_the_list_is_changed(live: Live, api: Rest) -> None:
    job_id = begin(api)
    before = {item["name"]: item for item in live.json("instance-type", "list")}
    changed = live.json("instance-type", "set", "std.large", "--price", "9")
    assert changed == before["std.large"] | {"price_per_hour": 9}
    try:
        other = begin(api)
        assert line(api, "job", job_id)["price_per_hour"] == 0.08
        assert line(api, "job", other)["price_per_hour"] == 9
    finally:
        live.studio("instance-type", "set", "std.large", "--price", str(before["std.large"]["price_per_hour"]))
    api.post("domains/demo/stop-all")
    until(lambda: line(api, "job") is None, "the end of all jobs", 20)


def test_a_killed_server_neither_loses_nor_doubles_a_cost(live: Live, api: Rest) -> None:
    job_id = begin(api)
    until(lambda: _ticked(line(api, "job", job_id)), "a tick", 20)
    for _ in range(2):
        kill_server(live)
        until(lambda: line(api, "job", job_id), "the job in the list", 15)
    lines = [item for item in api.get("domains/demo/running") if item["kind"] == "job"]
    assert [item["id"] for item in lines] == [job_id]
    api.post("domains/demo/stop-all")
    until(lambda: line(api, "job") is None, "the end of all jobs", 20)
    job = until(lambda: _stopped(api.get(f"{JOBS}/{job_id}")), "its state", 10)
    full = pytest.approx(0.08 * (job["ended_ms"] - job["started_ms"]) / 3_600_000)
    until(lambda: api.get(f"{JOBS}/{job_id}")["cost"] == full, "its whole cost", 10)


def test_the_overview_shows_it(api: Rest) -> None:
    seen = api.get("domains/demo/overview")
    assert seen["cost_today"] > 0
    assert seen["recent"][0]["kind"] == "job"
    assert seen["recent"][0]["detail"] == "Stopped"


def _stopped(job: Any) -> Any:
    return job if job["state"] == "Stopped" else None


def _ticked(shown: Any) -> Any:
    return shown if shown and shown["memory_bytes"] and shown["cost"] else None


def test_a_stopped_kernel_is_not_started_again_by_its_lab(live: Live, api: Rest) -> None:
    visitor = live.person()
    try:
        origin = live.in_lab(visitor)
        Kernel.start(visitor, origin, "sklearn", "shared/x.ipynb")
        shown = until(lambda: line(api, "kernel"), "the kernel in the list", 20)
        assert (shown["name"], shown["stoppable"]) == ("sklearn", True)
        assert until(lambda: line(api, "lab"), "the lab in the list", 20)["memory_bytes"] > 0
        api.post(f"domains/demo/running/{shown['id']}/stop")
        until(lambda: line(api, "kernel") is None, "its end", 20)
        until(lambda: visitor.json("GET", f"{origin}/api/kernels") == [], "the lab's list without it", 20)
        assert line(api, "kernel") is None
        assert not [child for child in children(live).values() if child["kind"] == "kernel"]
        lab = line(api, "lab")
        api.post(f"domains/demo/running/{lab['id']}/stop")
        until(lambda: line(api, "lab") is None, "the lab's end", 20)
    finally:
        visitor.close()
