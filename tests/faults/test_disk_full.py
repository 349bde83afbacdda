"""The disk of a running Studio is full: clear errors, nothing half made, nothing down, healthy once there is room."""

import contextlib
import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from studio.errors import StudioError
from studio.runtime import space
from tests import leaks
from tests.live import Live, until
from tests.marks import needs_sandboxes

API = "/api/2.0/mlflow/"
FILES = "/api/2.0/mlflow-artifacts/artifacts"
MIB = 1 << 20
SIZE = 96 * MIB


class Disk:
    """A file system of its own, that the test fills and frees."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._ballast = folder / "ballast"

    def fill(self) -> None:
        """Not one block is left."""
        with self._ballast.open("ab", buffering=0) as file:
            for size in (MIB, 4096, 512, 1):
                with contextlib.suppress(OSError):
                    while file.write(b"\0" * size) == size:
                        pass

    def free(self) -> None:
        self._ballast.unlink(missing_ok=True)


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Disk]:
    if os.geteuid() != 0:
        pytest.skip("a small file system is mounted by root only")
    folder = tmp_path_factory.mktemp("disk")
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "studio-test", str(folder)], check=True)
    try:
        yield Disk(folder)
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.fixture(scope="module")
def live(disk: Disk) -> Iterator[Live]:
    found = Live(disk.folder / "home")
    try:
        found.studio("up", "--detach", "--no-browser", "--port", "0")
        yield found
    finally:
        disk.free()
        pids = leaks.table(found.settings)
        found.stop()
        leaks.check(found.settings, pids)


@pytest.fixture
def http(disk: Disk, live: Live) -> Iterator[httpx.Client]:
    """A client of the operator's own key; the disk has room before and after."""
    with live.operator() as api:
        token = live.key("demo", str(api.get("session")["user"]))
    with httpx.Client(base_url=live.address, headers={"authorization": f"Bearer {token}"}, timeout=60) as client:
        yield client
    disk.free()


def new_run(http: httpx.Client) -> str:
    return str(http.post(API + "runs/create", json={"experiment_id": "0"}).json()["run"]["info"]["run_id"])


def log(http: httpx.Client, run_id: str, step: int) -> httpx.Response:
    """A batch of 100 values, all of one step."""
    metrics = [{"key": f"m{n}", "value": step, "timestamp": 1, "step": step} for n in range(100)]
    return http.post(API + "runs/log-batch", json={"run_id": run_id, "metrics": metrics})


def history(http: httpx.Client, run_id: str, key: str) -> list[int]:
    params: dict[str, Any] = {"run_id": run_id, "metric_key": key, "max_results": 25_000}
    found = http.get(API + "metrics/get-history", params=params).json()
    return sorted(int(item.get("step", 0)) for item in found.get("metrics", []))


def refused(answer: httpx.Response) -> None:
    """The error of a full disk, in MLflow's form, with what to do."""
    assert (answer.status_code, answer.json()["error_code"]) == (507, "RESOURCE_EXHAUSTED"), answer.text
    assert "full" in answer.json()["message"] and "Free space" in answer.json()["message"]


def log_until_refused(http: httpx.Client, run_id: str) -> list[int]:
    """The steps that were acknowledged before the database had no room (its log may have some left at first)."""
    kept: list[int] = []
    for step in range(5_000):
        answer = log(http, run_id, step)
        if answer.status_code != 200:
            refused(answer)
            return kept
        kept.append(step)
    raise AssertionError("The disk never was full.")


def test_metrics_on_a_full_disk_are_refused_and_what_was_acknowledged_is_kept(disk: Disk, http: httpx.Client) -> None:
    run_id = new_run(http)
    disk.fill()
    kept = log_until_refused(http, run_id)
    for step in range(10_000, 10_003):
        refused(log(http, run_id, step))
    # A whole batch or nothing of it; reading goes on.
    for key in ("m0", "m99"):
        assert history(http, run_id, key) == kept
    refused(http.post(API + "runs/create", json={"experiment_id": "0", "run_name": "none"}))
    found = http.post(API + "runs/search", json={"experiment_ids": ["0"], "filter": "run_name = 'none'"})
    assert (found.status_code, found.json()) == (200, {})
    disk.free()
    assert log(http, run_id, 20_000).status_code == 200
    assert history(http, run_id, "m7") == [*kept, 20_000]


def test_files_on_a_full_disk_are_refused_and_leave_nothing(disk: Disk, live: Live, http: httpx.Client) -> None:
    half = live.settings.paths.artifacts / ".uploads"
    assert http.put(f"{FILES}/disk/small.bin", content=b"before").status_code == 200
    # More than there is: refused before it is received.
    refused(http.put(f"{FILES}/disk/large.bin", content=b"x" * (SIZE + MIB)))
    # Nothing announced: refused when the room ends, with some left for the database.
    refused(http.put(f"{FILES}/disk/endless.bin", content=(b"x" * MIB for _ in range(2 * SIZE // MIB))))
    assert http.put(f"{FILES}/disk/small.bin", content=b"after").status_code == 200
    disk.fill()
    for name in ("small.bin", "new.bin"):
        refused(http.put(f"{FILES}/disk/{name}", content=b"x" * 10_000))
    refused(http.post("/api/2.0/mlflow-artifacts/mpu/create/disk", json={"path": "p.bin", "num_parts": 1}))
    assert http.get(f"{FILES}/disk/small.bin").content == b"after"
    assert [item["path"] for item in http.get(FILES, params={"path": "disk"}).json()["files"]] == ["small.bin"]
    assert [path for path in half.rglob("*") if path.is_file()] == []
    disk.free()
    assert http.put(f"{FILES}/disk/new.bin", content=b"x" * MIB).status_code == 200


def test_parts_that_do_not_fit_together_wait_for_room(disk: Disk, http: httpx.Client) -> None:
    base, size = "/api/2.0/mlflow-artifacts/mpu", 12 * MIB
    body: dict[str, Any] = {"path": "p.bin", "num_parts": 3}
    made = http.post(f"{base}/create/disk", json=body).json()
    parts = []
    for part in made["credentials"]:
        answer = httpx.put(part["url"], content=b"x" * size, timeout=60)
        assert answer.status_code == 200, answer.text
        parts.append({"part_number": part["part_number"], "etag": answer.headers["etag"]})
    body = {"path": "p.bin", "upload_id": made["upload_id"], "parts": parts}
    disk.fill()
    refused(http.post(f"{base}/complete/disk", json=body))
    assert http.get(f"{FILES}/disk/p.bin").status_code == 404
    disk.free()
    assert http.post(f"{base}/complete/disk", json=body).status_code == 200
    assert len(http.get(f"{FILES}/disk/p.bin").content) == 3 * size
    assert http.delete(f"{FILES}/disk/p.bin").status_code == 200


def test_a_server_killed_on_a_full_disk_comes_back_when_there_is_room(
    disk: Disk, live: Live, http: httpx.Client
) -> None:
    run_id = new_run(http)
    disk.fill()
    kept = log_until_refused(http, run_id)
    before = live.status
    os.kill(before["server"]["pid"], signal.SIGKILL)
    until(lambda: live.status["server"]["pid"] != before["server"]["pid"], "another server")
    disk.free()
    until(lambda: http.get("/health").status_code == 200, "the server's answer")
    after = live.status
    assert (after["supervisor"]["pid"], after["gateway"]["pid"]) == (
        before["supervisor"]["pid"],
        before["gateway"]["pid"],
    )
    assert history(http, run_id, "m3") == kept
    assert log(http, run_id, 20_000).status_code == 200


# Writes as much as there is room for, and goes on trying.
GREEDY = """
import time
print("begun", flush=True)
while True:
    try:
        with open("/volume/shared/fill", "ab", buffering=0) as file:
            while True:
                file.write(b"x" * (1 << 20))
    except OSError:
        time.sleep(0.01)
"""
MODEST = """
import os, time
print("begun", flush=True)
while not os.path.exists("/volume/shared/go"):
    time.sleep(0.05)
open("/volume/shared/own.txt", "w").write("mine")
"""


@pytest.mark.soak
@needs_sandboxes
def test_a_domain_that_fills_the_disk_is_ended_and_its_neighbour_and_the_database_go_on(
    disk: Disk, live: Live, http: httpx.Client
) -> None:
    live.start()  # it runs already: for the environment
    with live.operator() as api:
        user = str(api.get("session")["user"])
        api.post("domains", {"name": "other"})
        api.put("domains/demo/volume/quota", {"quota_mb": 20})

        def job(domain: str, script: str) -> str:
            return str(api.post(f"domains/{domain}/jobs", {"script_name": "job.py", "script": script})["id"])

        def of(domain: str, name: str) -> Any:
            return api.get(f"domains/{domain}/jobs/{name}")

        modest = job("other", MODEST)
        until(lambda: "begun" in api.get(f"domains/other/jobs/{modest}/log")["text"], "the neighbour's first line")
        greedy = job("demo", GREEDY)
        until(lambda: of("demo", greedy)["state"] == "Failed", "the end of the greedy job")
        until(lambda: f"demo.{user}" not in [box["id"] for box in live.status["sandboxes"]], "the end of its sandbox")
        # Everybody else goes on, on a disk that has only what was kept for the database.
        run_id = new_run(http)
        assert log(http, run_id, 1).status_code == 200 and history(http, run_id, "m5") == [1]
        (live.settings.paths.shared("other") / "go").touch()
        until(lambda: of("other", modest)["state"] == "Completed", "the neighbour's end")
        # The one that did it is told why nothing new begins, until it has tidied up.
        found = api.get("domains/demo/volume")
        assert found["over"] and "its quota is 20 MiB" in found["message"]
        with pytest.raises(StudioError, match="its quota is 20 MiB"):
            job("demo", MODEST)
        (live.settings.paths.shared("demo") / "fill").unlink()
        api.post("domains/demo/volume/measure")
        until(lambda: not api.get("domains/demo/volume")["over"], "the end of being over")
        kept = live.settings.paths.home / space.KEPT
        until(kept.exists, "the room that is kept for the database, again")
        again = until(lambda: _accepted(lambda: job("demo", "print('again')")), "a new job")
        until(lambda: of("demo", again)["state"] == "Completed", "its end")


def _accepted(ask: Callable[[], str]) -> str:
    with contextlib.suppress(StudioError):
        return ask()
    return ""
