"""What a domain stores, on a running Studio: snapshots and restores by programs of their own, spaces in the lab,
backups of the whole home while it is written to, and a newer Studio over a home whose sandboxes live."""

import itertools
import json
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest
from alembic import command
from alembic.config import Config

from studio.client import Rest
from studio.runtime import process
from studio.runtime.supervising import call_once
from studio.store import migrate
from studio.store.engine import open_engine
from tests import leaks
from tests.e2e.killing import children, state
from tests.live import Live, running, until

API = "/api/2.0/mlflow"
EARLIER = "0007"  # the schema of a Studio before domains had volumes, policies and environments of their own
WAIT = """
import os, time
print("begun", flush=True)
while not os.path.exists("go"):
    time.sleep(0.05)
print("ended")
"""


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    with running(tmp_path_factory.mktemp("volumes") / "home") as started:
        yield started


@pytest.fixture
def api(live: Live) -> Iterator[Rest]:
    with live.operator() as client:
        yield client


@pytest.fixture
def http(live: Live) -> Iterator[httpx.Client]:
    """As a program with an access key."""
    with program(live) as client:
        yield client


def program(live: Live) -> httpx.Client:
    # Without the command, which takes longer than all that it is asked here.
    address = call_once(live.settings.paths.sockets / "supervisor.sock", "hello")["address"]
    with live.operator() as api:
        token = live.key("demo", api.get("session")["user"])
    return httpx.Client(base_url=address, headers={"authorization": f"Bearer {token}"}, timeout=60)


def when(api: Rest, path: str, identity: str, wanted: str) -> Any:
    """The snapshot or restore once it is `wanted`."""

    def look() -> Any:
        found = next(item for item in api.get(f"domains/demo/{path}") if item["id"] == identity)
        assert found["state"] != "Failed", found["error"]
        return found if found["state"] == wanted else None

    return until(look, f"{identity} {wanted}")


def test_a_snapshot_brings_the_shared_folder_back_and_keeps_what_was_there(live: Live, api: Rest) -> None:
    shared = live.settings.paths.shared("demo")
    (shared / "table.csv").write_text("first")
    made = live.json("snapshot", "create", "before the change")
    assert (made["state"], made["skipped"], made["changed"]) == ("Ready", 0, 0)
    (shared / "table.csv").write_text("second")
    (shared / "new.csv").write_text("second")
    done = live.json("snapshot", "restore", made["id"], "--in-place")
    assert (done["state"], done["in_place"]) == ("Done", True)
    assert (shared / "table.csv").read_text() == "first" and not (shared / "new.csv").exists()
    # The second state is in the snapshot that was made of it, and comes back as a folder.
    again = api.post(f"domains/demo/snapshots/{done['kept']}/restore", {"folder": "what was there"})
    when(api, "restores", again["id"], "Done")
    assert (shared / "what was there" / "new.csv").read_text() == "second"
    listed = {item["id"]: item["title"] for item in api.get("domains/demo/snapshots")}
    assert listed == {made["id"]: "before the change", done["kept"]: f"Before {made['id']}"}
    for snapshot in listed:
        api.delete(f"domains/demo/snapshots/{snapshot}")
    until(lambda: api.get("domains/demo/snapshots") == [], "their end")
    assert list((live.settings.paths.domain("demo") / "snapshots").iterdir()) == []


def measured(api: Rest) -> Any:
    api.post("domains/demo/volume/measure")
    return until(lambda: (found := api.get("domains/demo/volume"))["measured_ms"] and found, "the measurement")


def test_use_is_measured_and_a_quota_stops_uploads(live: Live, api: Rest, http: httpx.Client) -> None:
    big = live.settings.paths.shared("demo") / "big.bin"
    big.write_bytes(os.urandom(3 << 20))
    found = measured(api)
    assert found["shared_bytes"] >= 3 << 20 and found["used_bytes"] >= found["shared_bytes"]
    assert [home["user"] for home in found["homes"]] == [api.get("session")["user"]]
    put = "/api/2.0/mlflow-artifacts/artifacts/quota/x.txt"
    assert api.put("domains/demo/volume/quota", {"quota_mb": 1})["level"] == "measured"
    refused = until(lambda: (answer := http.put(put, content=b"x")).status_code == 507 and answer, "a refusal")
    assert "its quota is 1 MiB" in refused.json()["message"]
    assert api.get("domains/demo/volume")["over"]
    big.unlink()
    measured(api)
    until(lambda: http.put(put, content=b"x").status_code == 200, "the end of the refusals")
    api.put("domains/demo/volume/quota", {"quota_mb": 0})


@pytest.mark.soak
def test_a_space_opens_the_lab_in_its_folder(live: Live, api: Rest) -> None:
    made = live.json("space", "create", "weather", "--shared", "--title", "Weather")
    (live.settings.paths.shared("demo") / "spaces" / "weather" / "notes.md").write_text("# here")
    with closing(live.person()) as person:
        origin = live.in_lab(person)
        assert made["address"] == f"{origin}/lab/workspaces/{made['workspace']}/tree/shared/spaces/weather"
        page = person.visit(made["address"])
        assert page.status_code == 200
        config = json.loads(
            page.text.partition('id="jupyter-config-data" type="application/json">')[2].partition("<")[0]
        )
        assert (config["workspace"], config["treePath"]) == (made["workspace"], "shared/spaces/weather")
        inside = person.json("GET", f"{origin}/api/contents/shared/spaces/weather")
        assert [item["name"] for item in inside["content"]] == ["notes.md"]
    api.delete("domains/demo/spaces/weather")
    live.studio("space", "empty", "--yes")
    until(lambda: api.get("domains/demo/spaces", trash=True) == [], "the trash's end")
    trash = live.settings.paths.shared("demo") / ".studio" / "trash"
    until(lambda: list(trash.iterdir()) == [], "the files' end")


def new_run(http: httpx.Client) -> str:
    return str(http.post(f"{API}/runs/create", json={"experiment_id": "0"}).json()["run"]["info"]["run_id"])


def steps(http: httpx.Client, run_id: str) -> list[int]:
    params: dict[str, Any] = {"run_id": run_id, "metric_key": "m", "max_results": 25_000}
    found = http.get(f"{API}/metrics/get-history", params=params).json()
    return sorted(int(item.get("step", 0)) for item in found.get("metrics", []))


class Writer(threading.Thread):
    """Logs steps, and files of a run, until it is told to end."""

    def __init__(self, http: httpx.Client, run_id: str) -> None:
        super().__init__()
        self.metrics = self.files = 0
        self.ended = threading.Event()
        self._http, self._run_id = http, run_id

    def run(self) -> None:
        for step in itertools.count():
            if self.ended.is_set():
                return
            body = {"run_id": self._run_id, "key": "m", "value": step, "timestamp": 1, "step": step}
            assert self._http.post(f"{API}/runs/log-metric", json=body).status_code == 200
            self.metrics = step + 1
            if step % 10 == 0:
                path = f"/api/2.0/mlflow-artifacts/artifacts/0/{self._run_id}/artifacts/{step}.txt"
                assert self._http.put(path, content=str(step) * 1000).status_code == 200
                self.files = step // 10 + 1


def test_a_backup_made_while_clients_write_holds_all_that_was_acknowledged(live: Live, tmp_path: Path) -> None:
    with program(live) as http:
        run_id = new_run(http)
        writer = Writer(http, run_id)
        writer.start()
        try:
            until(lambda: writer.metrics > 50, "some metrics")
            metrics, files = writer.metrics, writer.files
            done = live.json("backup", str(tmp_path / "backup.tar"))
        finally:
            writer.ended.set()
            writer.join()
    assert done["database"] == "sqlite" and any("keys" in note for note in done["notes"])
    assert "tar" in done["path"] and Path(done["path"]).stat().st_mode & 0o777 == 0o600
    (live.settings.paths.shared("demo") / "after").touch()
    other = Live(tmp_path / "other")
    refused = live.studio("restore", str(tmp_path / "backup.tar"), "--force", check=False)
    assert refused.returncode == 1 and "studio down" in refused.stderr
    restored = other.json("restore", str(tmp_path / "backup.tar"))
    assert restored["home"] == str(tmp_path / "other")
    try:
        other.studio("up", "--detach", "--no-browser", "--port", "0")
        with program(other) as there:
            found = steps(there, run_id)
            assert found == list(range(len(found))) and len(found) >= metrics
            for number in range(files):
                path = f"/api/2.0/mlflow-artifacts/artifacts/0/{run_id}/artifacts/{number * 10}.txt"
                assert there.get(path).text == str(number * 10) * 1000
            assert there.post(f"{API}/runs/create", json={"experiment_id": "0"}).status_code == 200
        assert not (other.settings.paths.shared("demo") / "after").exists()
    finally:
        pids = leaks.table(other.settings)
        other.stop()
        leaks.check(other.settings, pids)


def kill_control(live: Live) -> dict[str, int]:
    """kill -9 of supervisor, server and gateway, as the end of an old Studio; what goes on, by name."""
    pids = leaks.table(live.settings)
    for name in ("supervisor", "server", "gateway"):
        found = process.handle(pids.pop(name))
        assert found is not None
        os.kill(found.pid, signal.SIGKILL)
        until(lambda found=found: not process.is_alive(found), f"the end of {name}")  # type: ignore[misc]
    return pids


def lower(live: Live) -> None:
    """The home as that older Studio had it."""
    config = Config()
    config.set_main_option("script_location", str(migrate.MIGRATIONS))
    engine = open_engine(live.settings.database)
    with engine.begin() as db:
        config.attributes["connection"] = db
        command.downgrade(config, EARLIER)
    engine.dispose()
    record = live.settings.paths.run / "supervisor.json"
    record.write_text(json.dumps({**json.loads(record.read_text()), "version": "0.0.1"}))


def test_a_newer_studio_over_an_older_home_adopts_its_sandboxes(live: Live, api: Rest) -> None:
    user = api.get("session")["user"]
    job = api.post("domains/demo/jobs", {"script_name": "wait.py", "script": WAIT})
    until(lambda: api.get(f"domains/demo/jobs/{job['id']}/log")["text"] == "begun\n", "its first line", 60)
    until(lambda: api.get(f"domains/demo/jobs/{job['id']}")["state"] == "Running", "Running")
    with program(live) as http:
        run_id = new_run(http)
        before = kill_control(live)
    lower(live)
    live.studio("up", "--detach", "--no-browser", "--port", "0")
    # The processes are the same ones: neither the sandbox nor what runs in it noticed.
    after = leaks.table(live.settings)
    kept = {name for name in before if name == f"demo.{user}" or name.endswith(job["id"])}
    assert {name: after.get(name) for name in kept} == {name: before[name] for name in kept}
    assert job["id"] in children(live)
    with live.operator() as fresh, program(live) as http:
        assert fresh.get(f"domains/demo/jobs/{job['id']}")["state"] == "Running"
        assert http.get(f"{API}/runs/get", params={"run_id": run_id}).status_code == 200
        assert fresh.get("domains/demo/volume")["quota_mb"] == 0
        (live.settings.paths.user("demo", user) / "go").touch()
        until(lambda: fresh.get(f"domains/demo/jobs/{job['id']}")["state"] == "Completed", "its end")
        assert fresh.get(f"domains/demo/jobs/{job['id']}/log")["text"] == "begun\nended\n"
    assert state(live)["server"]["restarts"] == 0
