"""Models that flood their output, eat memory or fork without end, in real sandboxes: it is theirs to bear."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from studio.client import Rest
from tests.e2e.gateways import environment, scripted
from tests.live import Live, running, until

pytestmark = pytest.mark.soak

# A folder as SageMaker's, registered as a version by an ordinary client.
_REGISTER = """
import sys, mlflow
mlflow.set_experiment("scripts")
client = mlflow.MlflowClient()
client.create_registered_model("scripted")
for folder in sys.argv[1:]:
    with mlflow.start_run() as run:
        mlflow.log_artifacts(folder, "model")
    client.create_model_version("scripted", f"runs:/{run.info.run_id}/model", run.info.run_id)
"""


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    folder = tmp_path_factory.mktemp("scripts")
    with running(tmp_path_factory.mktemp("misbehaves") / "home") as started:
        token = started.key("demo", started.status["user"])
        given = {"MLFLOW_TRACKING_URI": started.address, "MLFLOW_TRACKING_TOKEN": token}
        quiet = {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true"}
        folders = [str(scripted(folder, name)) for name in ("wild", "calm")]
        command = [sys.executable, "-W", "ignore", "-c", _REGISTER, *folders]
        done = subprocess.run(command, env=environment() | given | quiet, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stdout + done.stderr
        started.token = token  # type: ignore[attr-defined]
        yield started


@pytest.fixture(scope="module")
def api(live: Live) -> Iterator[Rest]:
    with live.operator() as rest:
        for version, name in enumerate(("wild", "calm"), 1):
            rest.post("domains/demo/endpoints", {"name": name, "model": f"models:/scripted/{version}"})
            found = rest.get(f"domains/demo/endpoints/{name}", wait="InService", timeout_s=60)
            assert found["state"] == "InService", found
        yield rest


def post(live: Live, name: str, **data: Any) -> httpx.Response:
    headers = {"authorization": f"Bearer {live.token}"}  # type: ignore[attr-defined]
    return httpx.post(
        f"{live.address}/endpoints/{name}/invocations", json={"x": 1} | data, headers=headers, timeout=120
    )


def replicas(api: Rest, name: str) -> list[Any]:
    return [r for v in api.get(f"domains/demo/endpoints/{name}")["variants"] for r in v["replicas"]]


def neighbour_is_untouched(live: Live, api: Rest, before: list[Any]) -> None:
    assert post(live, "calm").json() == {"x": 1, "by": "calm"}
    assert [r["id"] for r in replicas(api, "calm")] == [r["id"] for r in before]
    until(lambda: post(live, "wild").status_code == 200, "the model answers again", 120)


def test_a_models_code_reaches_nothing_of_studio(live: Live, api: Rest) -> None:
    """Attack 50: whatever a pickle or a script does when it is loaded, it does where this looks around."""
    home = live.home
    found = [str(path) for path in home.rglob("*") if path.is_socket() or path.is_file()]
    private = [path for path in found if "/models/" not in path and "/envs/" not in path]
    assert [path for path in private if path.endswith("gateway-secret")]
    sockets = [str(path) for path in live.settings.paths.sockets.rglob("*.sock")]
    assert [path for path in sockets if path.endswith("gateway.sock")]
    seen = post(live, "wild", look=[*private, *sockets, str(home), str(Path.home() / ".bashrc")]).json()
    assert seen["seen"] == [] and not [name for name in seen["knows"] if "SECRET" in name], seen


def test_output_without_end_is_kept_to_a_size(live: Live, api: Rest) -> None:
    before = replicas(api, "calm")
    for _ in range(10):
        assert post(live, "wild", print=2_000_000).json() == {"x": 1, "by": "wild"}
    neighbour_is_untouched(live, api, before)
    said = api.get("domains/demo/endpoints/wild/log")["replicas"]
    assert "printed printed" in said[-1]["text"] and len(said[-1]["text"]) < 1 << 20
    kept = sum(path.stat().st_size for path in Path(live.settings.paths.logs).rglob("*") if path.is_file())
    assert kept < 64 << 20


def test_memory_without_end_ends_the_replica_that_took_it(live: Live, api: Rest) -> None:
    before = replicas(api, "calm")
    refused = post(live, "wild", eat=256 << 30)
    assert refused.status_code in (400, 500, 503), refused.text
    neighbour_is_untouched(live, api, before)
    taken = post(live, "wild", eat=6 << 30)
    assert taken.status_code in (400, 500, 503), taken.text
    neighbour_is_untouched(live, api, before)


def test_forks_without_end_are_refused_and_leave_nothing(live: Live, api: Rest) -> None:
    before = replicas(api, "calm")
    refused = post(live, "wild", fork=2000)
    assert refused.status_code in (400, 500, 503), refused.text
    assert post(live, "calm").json() == {"x": 1, "by": "calm"}
    assert [r["id"] for r in replicas(api, "calm")] == [r["id"] for r in before]
    api.delete("domains/demo/endpoints/wild")
    until(lambda: "wild" not in [e["name"] for e in api.get("domains/demo/endpoints")], "the end of wild", 120)
    api.post("domains/demo/endpoints", {"name": "wild", "model": "models:/scripted/1"})
    assert api.get("domains/demo/endpoints/wild", wait="InService", timeout_s=60)["state"] == "InService"
    neighbour_is_untouched(live, api, before)
