"""A domain's settings in a running Studio: limits of what runs, network modes, removal."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from studio.client import Rest
from studio.errors import Conflict, Invalid, NotFound
from tests.e2e.killing import state
from tests.e2e.serving_models import COLUMNS, log_models
from tests.live import Live, running, until
from tests.marks import needs_sandboxes

pytestmark = needs_sandboxes
WAITING = "import time\nheld = b'1' * (300 << 20)\nprint('begun', flush=True)\nwhile True: time.sleep(0.1)\n"
# Says how each way to Studio ends, then logs with the ordinary client.
LOOK = """
import json, os, urllib.request
def tried(work):
    try:
        return str(work())
    except Exception as error:
        return type(error).__name__
api = os.environ.get("STUDIO_API", "")
header = {"authorization": "Bearer " + os.environ.get("STUDIO_TOKEN", "")}
def ask(path):
    return urllib.request.urlopen(urllib.request.Request(api + path, headers=header), timeout=20).status
seen = {
    "api": api, "token": bool(os.environ.get("STUDIO_TOKEN")), "file": open(os.environ["STUDIO_IN"] + "/token").read(),
    "socket": os.path.exists(os.environ["STUDIO_IN"] + "/api.sock"), "own": tried(lambda: ask("/api/v1/domains/demo")),
    "other": tried(lambda: ask("/api/v1/domains/other")), "users": tried(lambda: ask("/api/v1/users")),
}
import mlflow
try:
    with mlflow.start_run() as run:
        mlflow.log_metric("seen", 1.0)
    seen["metric"] = mlflow.get_run(run.info.run_id).data.metrics["seen"]
except mlflow.exceptions.MlflowException as error:
    seen["metric"] = str(error)
print("SEEN" + json.dumps(seen))
"""


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    with running(tmp_path_factory.mktemp("settings")) as started, started.operator() as api:
        api.post("domains", {"name": "other"})
        yield started


@pytest.fixture
def api(live: Live) -> Iterator[Rest]:
    with live.operator() as client:
        yield client


def job(api: Rest, script: str, domain: str = "demo") -> str:
    return str(api.post(f"domains/{domain}/jobs", {"script_name": "look.py", "script": script})["id"])


def log(api: Rest, name: str, domain: str = "demo") -> str:
    return str(api.get(f"domains/{domain}/jobs/{name}/log")["text"])


def box(live: Live, domain: str) -> Any:
    return next((found for found in state(live)["sandboxes"] if found["domain"] == domain), None)


def look(api: Rest) -> dict[str, Any]:
    """What a job saw that ran to its end."""
    name = job(api, LOOK)
    found = until(lambda: _ended(api, name), "the job's end", 90)
    assert found["state"] == "Completed", (found, log(api, name))
    seen: dict[str, Any] = json.loads(log(api, name).rpartition("SEEN")[2])
    return seen


def _ended(api: Rest, name: str) -> Any:
    found = api.get(f"domains/demo/jobs/{name}")
    return found if found["state"] in ("Completed", "Failed", "Stopped") else None


def restarted(live: Live, api: Rest, mode: str) -> None:
    """The network mode `mode` in a sandbox that was started anew for it."""
    before = box(live, "demo")["pid"]
    api.patch("domains/demo", {"network_mode": mode, "restart": True})
    until(lambda: (found := box(live, "demo")) and found["pid"] != before and found["network"] == mode, "the restart")


def test_limits_hold_at_once_where_that_ends_nothing(live: Live, api: Rest) -> None:
    if not state(live)["supervisor"]["limits"].startswith("cgroup"):
        pytest.skip("no cgroup that this user may write")
    waits = job(api, WAITING)
    until(lambda: "begun" in log(api, waits), "the job's beginning", 60)
    [found] = api.get("domains/demo/settings")["sandboxes"]
    assert found["held"]["memory_mb"] > 1000 and found["held"]["pids"] == 8192 and found["filtered"]
    answer = api.patch("domains/demo", {"memory_mb": 3000, "cpu": 1.5, "processes": 900})
    assert answer["limits"] == {"memory_mb": 3000, "cpu": 1.5, "pids": 900}
    [found] = answer["sandboxes"]
    assert (found["held"], found["at_next_start"]) == (answer["limits"], [])
    # 256 MiB would end what runs: it stays as it is, and the answer says when it holds.
    [found] = api.patch("domains/demo", {"memory_mb": 256, "cpu": None})["sandboxes"]
    assert found["held"] == {"memory_mb": 3000, "cpu": 0.0, "pids": 900}
    assert found["at_next_start"] == ["memory_mb"]
    [found] = api.patch("domains/demo", {"memory_mb": 0, "processes": None})["sandboxes"]
    assert found["held"] == {"memory_mb": 0, "cpu": 0.0, "pids": 8192}
    assert api.get(f"domains/demo/jobs/{waits}")["state"] == "Running"
    api.post(f"domains/demo/running/{waits}/stop")
    for wrong in ({"memory_mb": 1}, {"cpu": -1}, {"processes": 3}, {"idle_minutes": -1}, {"title": ""}):
        with pytest.raises(Invalid):
            api.patch("domains/demo", wrong)


@pytest.mark.soak
def test_code_reaches_studio_as_its_domains_network_mode_says(live: Live, api: Rest) -> None:
    if box(live, "demo") is None:
        job(api, "pass")
        until(lambda: (found := box(live, "demo")) and found["state"] == "Running", "a sandbox")
    [found] = api.patch("domains/demo", {"network_mode": "open"})["sandboxes"]
    assert (found["network"], found["at_next_start"]) == ("studio", ["network_mode"])
    restarted(live, api, "open")
    seen = look(api)
    # With the host's network the same token is shown at the gateway's port, and is worth no more there.
    assert seen["api"] == live.address and seen["token"] and seen["metric"] == 1.0
    assert (seen["own"], seen["other"], seen["users"]) == ("200", "HTTPError", "HTTPError")
    token = (live.settings.paths.box(box(live, "demo")["id"]) / "in" / "token").read_text()
    report = {item["name"]: item for item in api.get("domains/demo/isolation")["mechanisms"]}
    assert not report["network namespace"]["enforced"] and "loopback" in report["network namespace"]["detail"]
    restarted(live, api, "none")
    seen = look(api)
    assert (seen["api"], seen["token"], seen["file"], seen["socket"]) == ("", False, "", False)
    assert "The network mode of this domain is none" in seen["metric"], seen["metric"]
    # The token of a sandbox that has ended opens nothing.
    bearer = {"authorization": f"Bearer {token}"}
    assert httpx.get(f"{live.address}/api/v1/domains/demo", headers=bearer).status_code == 401
    api.patch("domains/demo", {"network_mode": "studio", "restart": True})


def test_a_domain_is_removed_whole_and_its_neighbour_stays(live: Live, api: Rest) -> None:
    api.post("domains", {"name": "gone", "title": "Gone"})
    job(api, WAITING, "gone")
    until(lambda: (found := box(live, "gone")) and found["state"] == "Running", "its sandbox", 60)
    user = api.get("session")["user"]
    key = live.key("gone", user)
    shared = live.settings.paths.shared("gone")
    (shared / "kept.txt").write_text("kept")
    pid = box(live, "gone")["pid"]
    for wrong in ("", "other"):
        with pytest.raises(Invalid):
            api.delete("domains/gone", confirm=wrong)
    kept = Path(live.json("domain", "delete", "gone", "--confirm", "gone")["kept"])
    assert (kept / "volume" / "shared" / "kept.txt").read_text() == "kept" and not shared.exists()
    assert not Path(f"/proc/{pid}").exists() and box(live, "gone") is None
    with pytest.raises(NotFound):
        api.get("domains/gone")
    bearer = {"authorization": f"Bearer {key}"}
    assert httpx.get(f"{live.address}/api/v1/domains/gone", headers=bearer).status_code == 401
    assert not list((live.settings.paths.sockets / "b").glob("gone.*"))
    # The name is free again, and nothing of the old one comes with it.
    api.post("domains", {"name": "gone"})
    assert list(live.settings.paths.shared("gone").iterdir()) == []
    assert api.get("domains/gone/jobs") == []
    assert api.get("domains/other")["name"] == "other"


@pytest.mark.soak
def test_a_domain_in_which_endpoints_serve_is_removed_only_by_force(live: Live, api: Rest) -> None:
    api.post("domains", {"name": "served"})
    key = live.key("served", api.get("session")["user"])
    log_models(live.address, key)
    api.post("domains/served/endpoints", {"name": "rain", "model": "models:/rain/1"})
    api.get("domains/served/endpoints/rain", wait="InService", timeout_s=60)
    bearer = {"authorization": f"Bearer {key}"}
    row = {"dataframe_split": {"columns": COLUMNS, "data": [[0.0, 12.8, 5.0, 4.7]]}}

    def predict() -> int:
        return httpx.post(f"{live.address}/endpoints/rain/invocations", json=row, headers=bearer).status_code

    assert predict() == 200
    with pytest.raises(Conflict, match="rain"):
        api.delete("domains/served", confirm="served")
    assert predict() == 200
    pids = [child["pid"] for child in box(live, "served")["children"]]
    kept = Path(api.delete("domains/served", confirm="served", force=True)["kept"])
    assert predict() == 401 and pids and not any(Path(f"/proc/{pid}").exists() for pid in pids)
    assert {"artifacts", "models", "volume"} <= {item.name for item in kept.iterdir()}
    # Nothing of it is left in the way of others: the loops go on.
    assert api.get("domains/demo/endpoints") == []
    log = (live.settings.paths.logs / "server.log").read_text()
    assert "Traceback" not in log.rpartition("served")[2], log[-2000:]
