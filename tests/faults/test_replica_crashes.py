"""Replicas that die: back-off with a cap, state and reason visible, neighbours untouched, delete in the middle."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from studio.client import Rest
from tests.e2e.serving_models import COLUMNS, log_models
from tests.live import Live, running, until

NAMES = {"deadly": 5, "mute": 4, "calm": 1}


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    with running(tmp_path_factory.mktemp("crashes") / "home") as started:
        log_models(started.address, token := started.key("demo", started.status["user"]))
        started.token = token  # type: ignore[attr-defined]
        yield started


@pytest.fixture
def api(live: Live) -> Iterator[Rest]:
    with live.operator() as rest:
        yield rest


def post(live: Live, name: str, wind: float) -> httpx.Response:
    headers = {"authorization": f"Bearer {live.token}"}  # type: ignore[attr-defined]
    body = {"dataframe_split": {"columns": COLUMNS, "data": [[0.0, 12.8, 5.0, wind]]}}
    return httpx.post(f"{live.address}/endpoints/{name}/invocations", json=body, headers=headers, timeout=60)


def shown(api: Rest, name: str) -> Any:
    return api.get(f"domains/demo/endpoints/{name}")


def deploy(api: Rest, name: str) -> Any:
    api.post("domains/demo/endpoints", {"name": name, "model": f"models:/rain/{NAMES[name]}"})
    return api.get(f"domains/demo/endpoints/{name}", wait="InService", timeout_s=60)


def test_crashing_input_hurts_one_endpoint_and_only_for_a_moment(live: Live, api: Rest) -> None:
    assert deploy(api, "deadly")["state"] == "InService"
    assert deploy(api, "calm")["state"] == "InService"
    before = shown(api, "calm")["variants"][0]["replicas"]
    refused = post(live, "deadly", 2000.0)  # tried once more on another replica, which ends too
    assert refused.status_code == 503, refused.text
    until(lambda: post(live, "deadly", 4.7).status_code == 200, "answers again")
    assert any("A replica ended" in event["text"] for event in shown(api, "deadly")["events"])
    assert shown(api, "calm")["variants"][0]["replicas"] == before
    assert post(live, "calm", 4.7).status_code == 200


def test_process_that_never_gets_ready_is_given_up_with_its_reason(api: Rest) -> None:
    found = deploy(api, "mute")
    assert found["state"] == "Failed"
    assert found["reason"].startswith("Gave up after 3 starts")
    assert "7" in found["reason"]
    assert found["variants"][0]["replicas"] == []


def test_delete_in_the_middle_of_starting_leaves_nothing(live: Live, api: Rest) -> None:
    api.delete("domains/demo/endpoints/mute")
    until(lambda: "mute" not in [e["name"] for e in api.get("domains/demo/endpoints")], "the end of mute")
    api.post("domains/demo/endpoints", {"name": "mute", "model": "models:/rain/4"})
    api.delete("domains/demo/endpoints/mute")
    until(lambda: "mute" not in [e["name"] for e in api.get("domains/demo/endpoints")], "the end of mute")
    for name in ("deadly", "calm"):
        api.delete(f"domains/demo/endpoints/{name}")
    until(lambda: api.get("domains/demo/endpoints") == [], "the end of all")

    def left() -> list[str]:
        boxes = [box for box in live.status["sandboxes"] if box["id"] == "demo.service"]
        return [child["name"] for box in boxes for child in box.get("children", []) if child["kind"] == "replica"]

    until(lambda: left() == [], "the end of the processes")
