"""Endpoints with everything real: supervisor, gateway, service sandbox, models logged by mlflow."""

import json
import os
import signal
import struct
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import httpx
import pytest

from studio.client import Rest
from studio.errors import AlreadyExists, Conflict, Invalid, NotFound
from tests.e2e.serving_calls import BODY, ROW, Load, deploy, predict, remove, replica, settled, split
from tests.e2e.serving_models import COLUMNS, log_models, log_scripts
from tests.live import ENVIRONMENTS, Live, running, until
from tests.protocol.exported import Exported


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    with running(tmp_path_factory.mktemp("serving") / "home") as started:
        started.token = started.key("demo", started.status["user"])  # type: ignore[attr-defined]
        log_models(started.address, started.token)  # type: ignore[attr-defined]
        yield started


@pytest.fixture(scope="module")
def http(live: Live) -> Iterator[httpx.Client]:
    headers = {"authorization": f"Bearer {live.token}"}  # type: ignore[attr-defined]
    with httpx.Client(base_url=live.address, headers=headers, timeout=60) as client:
        yield client


@pytest.fixture(scope="module")
def api(live: Live) -> Iterator[Rest]:
    with live.operator() as rest:
        yield rest


def test_deploy_predict_promote_undo_delete(live: Live, api: Rest, http: httpx.Client) -> None:
    begun = time.monotonic()
    shown = deploy(api, "rain")
    assert shown["state"] == "InService", shown
    first = predict(http, "rain")
    print(f"deploy call to first prediction: {time.monotonic() - begun:.3f} s")
    assert first.status_code == 200
    assert first.json()["predictions"][0] in (0, 1)
    assert [c["name"] for c in shown["signature"]["inputs"]] == COLUMNS
    assert http.post("/endpoints/rain/invocations", json=shown["example"]).status_code == 200
    assert any("answered the input example" in event["text"] for event in shown["events"])
    assert "/endpoints/rain/invocations" in shown["snippets"]["curl"]

    same = api.post("domains/demo/endpoints", {"name": "rain", "model": "models:/rain/1"})
    assert same["created_ms"] == shown["created_ms"]
    with pytest.raises(AlreadyExists, match="version 1"):
        api.post("domains/demo/endpoints", {"name": "rain", "model": "models:/rain/2"})
    with pytest.raises(Conflict):
        api.post("domains/demo/endpoints/rain/undo")

    with Load(live, "rain") as load:
        api.post("domains/demo/endpoints/rain/promote", {"version": 2})
        shown = api.get("domains/demo/endpoints/rain", wait="InService", timeout_s=60)
        assert (shown["version"], shown["previous_version"]) == (2, 1)
        until(lambda: len(api.get("domains/demo/endpoints/rain")["variants"]) == 1, "the old one's end")
        api.post("domains/demo/endpoints/rain/undo")
        shown = api.get("domains/demo/endpoints/rain", wait="InService", timeout_s=60)
        assert (shown["version"], shown["previous_version"]) == (1, 2)
        until(lambda: len(api.get("domains/demo/endpoints/rain")["variants"]) == 1, "the old one's end")
    assert load.failed == []
    tried = api.post("domains/demo/endpoints/rain/invoke", BODY)
    assert tried["answer"] == first.json()
    with pytest.raises(Invalid, match="wind"):
        api.post(
            "domains/demo/endpoints/rain/invoke", {"dataframe_split": {"columns": COLUMNS[:3], "data": [[0, 1, 2]]}}
        )

    pid = replica(api, "rain")["pid"]
    remove(api, "rain")
    assert predict(http, "rain").status_code == 404
    assert not Path(f"/proc/{pid}").exists()
    assert not (live.home / "capture" / "demo" / "rain").exists()
    until(lambda: not list((live.home / "models" / "demo").iterdir()), "removal of the models' files")


def test_every_wire_gives_the_same_answer_and_is_captured_as_rows(live: Live, api: Rest, http: httpx.Client) -> None:
    """MLflow's by bearer, `boto3` by the key's id and secret, the Open Inference Protocol in JSON and in binary."""
    deploy(api, "wires")
    key = live.json("key", "create", "--domain", "demo", "--user", live.status["user"])
    wanted = predict(http, "wires").json()["predictions"]
    runtime = boto3.client(
        "sagemaker-runtime",
        endpoint_url=live.address,
        region_name="us-east-1",
        aws_access_key_id=key["id"],
        aws_secret_access_key=key["secret"],
    )
    given = {"EndpointName": "wires", "ContentType": "application/json", "Body": json.dumps(BODY)}
    assert json.load(runtime.invoke_endpoint(**given)["Body"])["predictions"] == wanted
    runtime.close()
    tensor = {"name": "rows", "shape": [1, 4], "datatype": "FP64"}
    plain = json.dumps({"inputs": [tensor | {"data": ROW}]}).encode()
    head = json.dumps({"inputs": [tensor | {"parameters": {"binary_data_size": 32}}]}).encode()
    binary = {
        "content": head + struct.pack("<4d", *ROW[0]),
        "headers": {"inference-header-content-length": str(len(head))},
    }
    for sent in ({"content": plain}, binary):
        answer = http.post("/v2/models/wires/infer", **sent)  # type: ignore[arg-type]  # two shapes of keywords
        assert answer.json()["outputs"][0]["data"] == wanted, answer.text

    def captured() -> Any:
        rows = api.get("domains/demo/endpoints/wires/captures", limit=10)["rows"]
        return rows if len(rows) == 4 else None

    rows = until(captured, "four captured rows", 60)
    same = dict(zip(COLUMNS, ROW[0], strict=True))
    assert [row["inputs"] for row in rows] == [same] * 4 and [row["output"] for row in rows] == wanted * 4
    remove(api, "wires")


def test_replica_killed_is_back_within_a_second_or_so(api: Rest, http: httpx.Client) -> None:
    deploy(api, "killed")
    before = replica(api, "killed")
    os.kill(before["pid"], signal.SIGKILL)
    begun = time.monotonic()
    assert predict(http, "killed").status_code == 200  # held by the gateway meanwhile
    assert time.monotonic() - begun < 5
    now = until(lambda: replica(api, "killed"), "another replica")
    assert now["pid"] != before["pid"]
    shown = api.get("domains/demo/endpoints/killed", wait="InService")
    assert any("signal 9" in event["text"] or "killed" in event["text"].lower() for event in shown["events"])
    remove(api, "killed")


def test_broken_model_shows_its_traceback(api: Rest, http: httpx.Client) -> None:
    shown = deploy(api, "broken", "models:/rain/3")
    assert shown["state"] == "Failed"
    assert "the weights are corrupt" in shown["reason"]
    assert any("Traceback" in event["detail"] and "__setstate__" in event["detail"] for event in shown["events"])
    assert predict(http, "broken").status_code == 503
    api.post("domains/demo/endpoints/broken/promote", {"version": 1})
    assert api.get("domains/demo/endpoints/broken", wait="InService")["state"] == "InService"

    with_old = api.post("domains/demo/endpoints/broken/promote", {"version": 3})
    assert with_old["state"] == "Updating"
    shown = api.get("domains/demo/endpoints/broken", wait="InService")
    assert (shown["state"], shown["version"]) == ("InService", 1)
    assert "version 1 goes on serving" in shown["reason"]
    assert predict(http, "broken").status_code == 200
    remove(api, "broken")


def test_packed_script_is_served_and_says_what_its_environment_lacks(
    live: Live, api: Rest, http: httpx.Client, tmp_path: Path
) -> None:
    log_scripts(live.address, live.token, tmp_path)  # type: ignore[attr-defined]
    shown = deploy(api, "packed", "models:/packed/1")
    assert (shown["state"], shown["reason"]) == ("InService", "")
    url = "/endpoints/packed/invocations"
    assert http.post(url, json=[[1, 1, 1, 1], [0, 0, 0, 2]]).json() == [10.0, 8.0]
    lines = http.post(url, content="1,2,3,4\n", headers={"content-type": "text/csv", "accept": "text/csv"})
    assert (lines.text, lines.headers["content-type"]) == ("30.0\n", "text/csv")
    assert "inference.py failed in predict_fn" in http.post(url, json=[[1, 1]]).text
    for version, words in ((2, "lacks no-such-package"), (3, "'no_such_module'")):
        api.post("domains/demo/endpoints/packed/promote", {"version": version})
        shown = api.get("domains/demo/endpoints/packed", wait="InService", timeout_s=60)
        assert (shown["state"], shown["version"]) == ("InService", 1) and words in shown["reason"], shown["reason"]
    assert http.post(url, json=[[1, 1, 1, 1]]).json() == [10.0]
    remove(api, "packed")


def test_serverless_goes_to_zero_and_is_woken(live: Live, api: Rest, http: httpx.Client) -> None:
    deploy(api, "idle", mode="serverless", idle_s=1)

    def asleep() -> bool:
        shown = api.get("domains/demo/endpoints/idle")
        return bool(shown["state"] == "Idle" and shown["price_per_hour"] == 0)

    until(asleep, "sleep")
    begun = time.monotonic()
    assert predict(http, "idle").status_code == 200
    print(f"woken and answered: {time.monotonic() - begun:.3f} s")
    until(lambda: api.get("domains/demo/endpoints/idle")["state"] == "InService", "InService after waking")
    until(asleep, "sleep again")

    server = live.status["server"]["pid"]
    os.kill(server, signal.SIGSTOP)  # the control plane is away: the gateway wakes it by itself
    try:
        assert predict(http, "idle").status_code == 200
    finally:
        os.kill(server, signal.SIGCONT)
    until(lambda: api.get("domains/demo/endpoints/idle")["state"] == "InService", "the woken one is taken over")
    remove(api, "idle")


def test_stopped_costs_nothing_until_it_is_used(api: Rest, http: httpx.Client) -> None:
    deploy(api, "halted")
    api.post("domains/demo/stop-all")
    until(lambda: api.get("domains/demo/endpoints/halted")["state"] == "Idle", "stop")
    assert predict(http, "halted").status_code == 200
    until(lambda: api.get("domains/demo/endpoints/halted")["state"] == "InService", "InService after waking")
    remove(api, "halted")


def test_server_killed_changes_nothing_for_callers(live: Live, api: Rest, http: httpx.Client) -> None:
    deploy(api, "steady")
    before = replica(api, "steady")
    old = live.status["server"]["pid"]
    shown = "/api/v1/domains/demo/endpoints/steady"
    with Load(live, "steady") as load:
        os.kill(old, signal.SIGKILL)
        until(
            lambda: http.get(shown).status_code == 200 and live.status["server"]["pid"] != old, "the server's restart"
        )
        count = load.answered
        until(lambda: load.answered > count + 20, "more answers")
    assert load.failed == []
    found = http.get(shown).json()
    assert found["state"] == "InService"
    assert [r["pid"] for v in found["variants"] for r in v["replicas"]] == [before["pid"]]
    http.delete(shown)
    until(lambda: http.get(shown).status_code == 404, "the end of steady")


@pytest.mark.parametrize(
    ("body", "error", "names"),
    [
        ({"name": "Bad/Name", "model": "models:/rain/1"}, Invalid, "Bad/Name"),
        ({"name": "ok", "model": "models:/rain/99"}, NotFound, "99"),
        ({"name": "ok", "model": "models:/nobody@champion"}, NotFound, "nobody"),
        ({"name": "ok", "model": "models:/rain@nobody"}, Invalid, "nobody"),
        ({"name": "ok", "model": "s3://elsewhere"}, Invalid, "s3"),
        ({"name": "ok", "model": "models:/rain/1", "mode": "sometimes"}, Invalid, "mode"),
        ({"name": "ok", "model": "models:/rain/1", "environment": "torch"}, NotFound, "torch"),
        ({"name": "ok", "model": "models:/rain/1", "instance_type": "huge"}, NotFound, "huge"),
        ({"name": "ok", "model": "models:/rain/1", "idle_s": 0}, Invalid, "idle"),
    ],
)
def test_bad_requests_create_nothing(live: Live, body: Any, error: type[Exception], names: str) -> None:
    with live.operator() as api:
        before = [e["name"] for e in api.get("domains/demo/endpoints")]
        with pytest.raises(error, match=names):
            api.post("domains/demo/endpoints", body)
        assert [e["name"] for e in api.get("domains/demo/endpoints")] == before


def test_a_rule_holds_at_the_gateway_when_it_is_written_and_until_it_is_taken_out(
    live: Live, api: Rest, http: httpx.Client
) -> None:
    assert deploy(api, "ruled")["state"] == "InService"
    assert predict(http, "ruled").status_code == 200
    rule = {"effect": "deny", "who": ["role:admin"], "action": "serving.invoke", "resource": "endpoint/ruled"}
    made = api.post("domains/demo/policy/rules", rule | {"why": "closed for today"})
    refused = predict(http, "ruled")
    assert refused.status_code == 403
    assert made["id"] in refused.text and "closed for today" in refused.text
    user = live.status["user"]
    asked = {"user": user, "action": "serving.invoke", "resource": "endpoint/ruled"}
    assert api.get("domains/demo/policy/explain", **asked)["rule"] == made["id"]
    sought = {"action": "serving.invoke", "outcome": "denied", "resource": "endpoint/ruled"}
    until(lambda: api.get("domains/demo/audit", **sought)["rows"], "the gateway's refusal in the log")
    api.delete(f"domains/demo/policy/rules/{made['id']}")
    assert predict(http, "ruled").status_code == 200
    remove(api, "ruled")
    assert api.get("audit/verify")["broken"] is None


def test_variants_share_the_traffic_exactly_and_leave_unnoticed(live: Live, api: Rest, http: httpx.Client) -> None:
    path = "domains/demo/endpoints/shared"
    deploy(api, "shared")
    with Load(live, "shared") as load:
        api.post(f"{path}/variants", {"version": 2, "weight": 25})
        with pytest.raises(Invalid, match="weight"):
            api.put(f"{path}/weights", {"weights": {"v1": 0, "v2": 0}})
        until(lambda: api.get(path)["variants"][1]["state"] == "Serving", "the second variant")
        shown = api.put(f"{path}/weights", {"weights": {"v1": 75, "v2": 25}})
        assert [(v["name"], v["share"]) for v in shown["variants"]] == [("v1", 75.0), ("v2", 25.0)]
        with pytest.raises(Conflict, match="has a variant"):
            api.post(f"{path}/variants", {"version": 2, "weight": 1, "name": "v2"})
    until(lambda: split(http, "shared") == {"v1": 30, "v2": 10}, "three in four for v1")
    pinned = http.post("/endpoints/shared/invocations", json=BODY, headers={"X-Target-Variant": "v2"})
    assert pinned.headers["x-amzn-invoked-production-variant"] == "v2"
    with Load(live, "shared") as rest:
        api.delete(f"{path}/variants/v1")
        until(lambda: [v["name"] for v in api.get(path)["variants"]] == ["v2"], "the end of v1")
        with pytest.raises(Conflict, match="all of the traffic"):
            api.delete(f"{path}/variants/v2")
    assert split(http, "shared") == {"v2": 40}
    assert load.failed == rest.failed == []
    remove(api, "shared")


def test_a_canary_is_taken_back_by_hand_or_by_its_limit_and_steps_go_through(
    live: Live, api: Rest, http: httpx.Client
) -> None:
    path = "domains/demo/endpoints/shifted"
    deploy(api, "shifted")
    canary = {"kind": "canary", "percent": 25, "step_s": 3600}
    with Load(live, "shifted") as load:
        api.post(f"{path}/promote", {"version": 2, "strategy": canary})
        until(lambda: (api.get(path)["rollout"] or {}).get("share") == 25, "the canary")
        assert api.get(path)["state"] == "Updating"
        with pytest.raises(Conflict, match="being shifted"):
            api.put(f"{path}/weights", {"weights": {"v1": 1}})
        api.post(f"{path}/undo")
        taken = settled(api, "shifted", version=1, rollout=None)
        assert "taken back" in taken["reason"]
        # Every answer is slower than a microsecond: the first twenty take it back.
        api.post(f"{path}/promote", {"version": 2, "strategy": canary | {"percent": 50, "max_p99_ms": 0.001}})
        until(lambda: "limit is 0.001 ms" in api.get(path)["reason"], "the canary's end")
        settled(api, "shifted", version=1, rollout=None)
        api.post(f"{path}/promote", {"version": 2, "strategy": {"kind": "linear", "percent": 40, "step_s": 0.2}})
        done = settled(api, "shifted", version=2, rollout=None, previous_version=1)
        until(lambda: len(api.get(path)["variants"]) == 1, "the end of the old variant")
    told = [event["text"] for event in done["events"]]
    assert {"Version 2 has 40 % of the traffic.", "Version 2 has 80 % of the traffic."} <= set(told)
    assert load.failed == []
    assert split(http, "shifted") == {"v2": 40}
    remove(api, "shifted")


def test_replicas_follow_the_load_and_one_killed_is_not_noticed(live: Live, api: Rest, http: httpx.Client) -> None:
    path = "domains/demo/endpoints/busy"
    deploy(api, "busy", max_replicas=2)
    api.patch(path, {"target_load": 0.1})

    def ready() -> list[Any]:
        return [r for r in api.get(path)["variants"][0]["replicas"] if r["state"] == "Ready"]

    with Load(live, "busy") as load, Load(live, "busy") as more:
        until(lambda: len(ready()) == 2, "a second replica")
        victim = ready()[0]["pid"]
        os.kill(victim, signal.SIGKILL)
        until(lambda: len(ready()) == 2 and victim not in [r["pid"] for r in ready()], "two replicas again")
    assert load.failed + more.failed == []
    with pytest.raises(Invalid, match="replicas"):
        api.patch(f"{path}/variants/v1", {"min_replicas": 3, "max_replicas": 2})
    with pytest.raises(Invalid, match="origin"):
        api.patch(path, {"cors": ["*"]})
    assert api.get(path)["settings"]["target_load"] == 0.1
    remove(api, "busy")


def test_an_exported_endpoint_answers_without_studio(live: Live, api: Rest, http: httpx.Client, tmp_path: Path) -> None:
    """From its folder alone, by the Python of its environment, in which nothing of Studio is."""
    deploy(api, "taken")
    inside = predict(http, "taken").json()
    out = tmp_path / "out"
    files = live.json("endpoint", "export", "taken", "--to", "kserve", "-o", str(out))["files"]
    assert {"README.md", "v1/Dockerfile", "v1/inferenceservice.yaml", "v1/model/MLmodel"} <= set(files)
    lock = (out / "v1" / "requirements.txt").read_text()
    built = [place for place in (ENVIRONMENTS / "store").iterdir() if (place / "requirements.txt").is_file()]
    [place] = [place for place in built if (place / "requirements.txt").read_text() == lock]
    alone = Exported(out / "v1", python=str(place / "bin" / "python"))
    try:
        outside = httpx.post(f"{alone.url}/invocations", json=BODY, timeout=60)
        assert (outside.status_code, outside.json()) == (200, inside)
        tensor = {"inputs": [{"name": "rows", "shape": [1, 4], "datatype": "FP64", "data": ROW[0]}]}
        said = httpx.post(f"{alone.url}/v2/models/taken/infer", json=tensor, timeout=60).json()
        assert said["outputs"][0]["data"] == inside["predictions"]
    finally:
        assert alone.close() == 0, alone.said
    key = {"name": "narrow", "actions": ["serving.*"]}
    narrow = {"authorization": f"Bearer {api.post('domains/demo/keys', key)['token']}"}
    refused = httpx.get(
        f"{live.address}/api/v1/domains/demo/endpoints/taken/export?to=docker", headers=narrow, timeout=60
    )
    assert refused.status_code == 403 and "registry.read on model/rain" in refused.text
    remove(api, "taken")
