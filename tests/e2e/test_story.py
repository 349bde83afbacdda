"""The story as a stranger sees it: the command, plain HTTP and the `mlflow` client; nothing of Studio is imported."""

import contextlib
import json
import os
import shutil
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENTS = Path(os.environ.get("STUDIO_TEST_ENVIRONMENTS", ROOT / ".cache" / "environments"))
STUDIO = [str(Path(sys.executable).parent / "studio")]
IDS = (
    "up signin domain environment lab kernel isolation data train runs evaluate register deploy predict wake traffic "
    "drift_quiet drift alert rows job compare promote undo kill_server cost stop_all down"
).split()


def _environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("STUDIO_", "MLFLOW_"))}
    return kept | {"STUDIO_ENVIRONMENTS": str(ENVIRONMENTS)}


def _studio(home: Path, *words: str) -> Any:
    line = [*STUDIO, "--home", str(home), *words]
    done = subprocess.run(line, capture_output=True, text=True, env=_environment(), stdin=subprocess.DEVNULL)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout) if "--json" in words else done.stdout


def _demo(home: Path, *words: str, before: tuple[str, ...] = ()) -> tuple[int, dict[str, Any]]:
    line = [*before, *STUDIO, "demo", "--check", "--json", "--keep", str(home), *words]
    done = subprocess.run(line, capture_output=True, text=True, env=_environment(), stdin=subprocess.DEVNULL)
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


_LOOPBACK_ONLY = """
import socket, sys
listener = socket.create_server(("127.0.0.1", 0))
try:
    socket.create_connection(listener.getsockname(), 2).close()
except OSError:
    sys.exit(77)
routes = open("/proc/net/route").read().splitlines()[1:]
assert not routes, routes
"""


def _offline() -> tuple[str, ...]:
    """What runs a command in a network namespace with nothing but loopback; empty where that cannot be."""
    unshare = shutil.which("unshare")
    if unshare is None:
        return ()
    before = (unshare, "--net", "--map-root-user", "sh", "-c", 'ip link set lo up 2>/dev/null; exec "$@"', "sh")
    if os.getuid() == 0:
        before = (unshare, "--net", *before[3:])
    probe = subprocess.run([*before, sys.executable, "-c", _LOOPBACK_ONLY], capture_output=True, text=True)
    if probe.returncode == 77:
        return ()
    assert probe.returncode == 0, probe.stderr
    return before


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, dict[str, Any]]]:
    """The home and the report of one whole run, without a network where that can be; Studio is up again on that home
    for the tests that read it back."""
    home = tmp_path_factory.mktemp("story")
    # All that needs a network: from then on the story must not.
    subprocess.run([sys.executable, "-c", "import tests.sandboxes as s; s.environment()"], cwd=ROOT, check=True)
    code, report = _demo(home, before=_offline())
    failed = [step for step in report["steps"] if not step["ok"]]
    assert code == 0 and not failed, failed
    _studio(home, "up", "--detach", "--no-browser", "--port", "0")
    yield home, report
    _studio(home, "down")


@pytest.fixture(scope="module")
def evidence(told: tuple[Path, dict[str, Any]]) -> dict[str, Any]:
    """Step id → what it proved."""
    return {step["id"]: step["evidence"] for step in told[1]["steps"]}


@pytest.fixture(scope="module")
def key(told: tuple[Path, dict[str, Any]]) -> dict[str, Any]:
    """A key for programs, as `studio key create --json` prints it."""
    user = _studio(told[0], "user", "list", "--json")[0]["name"]
    made: dict[str, Any] = _studio(told[0], "key", "create", "--domain", "demo", "--user", user, "--json")
    return made


def _get(key: dict[str, Any], path: str) -> Any:
    address = key["env"]["MLFLOW_TRACKING_URI"]
    headers = {"authorization": f"Bearer {key['token']}"}
    with urllib.request.urlopen(urllib.request.Request(f"{address}/api/v1/{path}", headers=headers)) as answer:
        return json.load(answer)


def test_the_story_runs_in_a_network_namespace_without_a_route(told: tuple[Path, dict[str, Any]]) -> None:
    if not _offline():
        pytest.skip("no network namespace with loopback can be had here")
    assert told[1]["ok"]


def test_every_step_is_told_in_order(told: tuple[Path, dict[str, Any]]) -> None:
    assert [step["id"] for step in told[1]["steps"]] == IDS
    assert all(step["ok"] and step["evidence"] for step in told[1]["steps"])


def test_the_mlflow_client_finds_what_was_trained(
    evidence: dict[str, Any], key: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in key["env"].items():
        monkeypatch.setenv(name, value)
    from mlflow import MlflowClient

    client = MlflowClient(key["env"]["MLFLOW_TRACKING_URI"], key["env"]["MLFLOW_TRACKING_URI"])
    for run_id, name in evidence["train"]["runs"].items():
        assert client.get_run(run_id).info.run_name == name
    best = evidence["runs"]["best"]
    (curve, points), *_ = evidence["runs"]["curve"].items()
    assert len(client.get_metric_history(best, curve)) == points
    model = evidence["register"]
    assert client.get_model_version(model["model"], model["version"]).run_id == model["source_run"]
    assert len(client.search_model_versions(f"name='{model['model']}'")) == len(evidence["compare"]["auc_by_version"])


def test_the_evidence_of_the_watching_is_there(evidence: dict[str, Any], key: dict[str, Any]) -> None:
    alert = _get(key, f"domains/demo/alerts/{evidence['alert']['alert']}")
    assert evidence["drift"]["planted"] in alert["columns"]
    rows = _get(key, f"domains/demo/alerts/{alert['id']}/rows?limit=10000")
    # The step compared them with what was sent. The load of later steps may have made a window of its own since, to
    # which the alert leads then.
    assert len(rows["row_ids"]) == len(set(rows["row_ids"])) == alert["check"]["rows"] >= 200
    assert evidence["rows"]["rows"] >= 200 and len(set(evidence["rows"]["row_ids"])) == 5
    job = _get(key, f"domains/demo/jobs/{evidence['job']['job']}")
    assert job["state"] == "Completed" and job["run_ids"] == evidence["job"]["runs"]
    dataset = _get(key, f"domains/demo/datasets/{evidence['data']['dataset']}")
    assert dataset["hash"] == evidence["data"]["hash"]
    assert _get(key, "domains/demo/cost")["month"] >= evidence["cost"]["today"] > 0


def test_a_wrong_key_reads_nothing(key: dict[str, Any]) -> None:
    with pytest.raises(urllib.error.HTTPError, match="401") as refused:
        _get(key | {"token": key["token"] + "x"}, "domains/demo/jobs")
    refused.value.close()


@pytest.mark.soak
def test_without_the_shift_the_story_fails_at_the_drift(tmp_path: Path) -> None:
    code, report = _demo(tmp_path / "home", "--omit", "shift")
    assert code == 1
    assert report["steps"][-1]["id"] == "drift" and not report["steps"][-1]["ok"]
    assert "shift" in report["steps"][-1]["evidence"]["error"]


@pytest.mark.soak
def test_with_its_replicas_killed_for_good_the_story_fails(tmp_path: Path) -> None:
    home, ended = tmp_path / "home", threading.Event()

    def kill() -> None:
        # The command takes a second or more, and a replica could answer meanwhile: what it says is who makes replicas.
        makers: set[int] = set()
        asking: subprocess.Popen[str] | None = None
        while not ended.wait(0.05):
            asking = asking or subprocess.Popen(
                [*STUDIO, "--home", str(home), "status", "--json"],
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
                env=_environment(),
            )
            if asking.poll() is not None:
                text, _ = asking.communicate()
                boxes = json.loads(text)["sandboxes"] if asking.returncode == 0 else []
                served = [box for box in boxes if box["id"].endswith(".service")]
                makers |= {item["pid"] for box in served for item in box["services"] if item["name"][:5] == "fork-"}
                asking = None
            for pid in makers:
                with contextlib.suppress(psutil.Error):
                    for child in psutil.Process(pid).children():
                        child.kill()
        if asking is not None:
            asking.communicate()

    killer = threading.Thread(target=kill)
    killer.start()
    begun = time.monotonic()
    try:
        code, report = _demo(home)
    finally:
        ended.set()
        killer.join()
    assert code == 1, report["steps"][-1]
    assert report["steps"][-1]["id"] in IDS[IDS.index("deploy") :], report["steps"][-1]
    assert time.monotonic() - begun < 300
