"""Predictions that are made later and batch jobs, with everything real: no answer lost, doubled or seen half."""

import http.server
import json
import os
import signal
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import httpx
import pytest

from studio.client import Rest
from studio.webhooks.events import signature
from tests.e2e.killing import children, kill_server, state
from tests.e2e.serving_models import COLUMNS, log_models
from tests.live import Live, running, until

ROW = [[0.0, 12.8, 5.0, 4.7]]
BODY = {"dataframe_split": {"columns": COLUMNS, "data": ROW}}
ENDS = ("Done", "Failed", "Expired")


class Receiver(http.server.ThreadingHTTPServer):
    """Takes notices; the first try is answered with 503."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Notice)
        self.taken: list[tuple[dict[str, str], bytes]] = []
        self.refuse = 1


class Notice(http.server.BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.taken.append((dict(self.headers), body))
        self.server.refuse -= 1
        self.send_response(503 if self.server.refuse >= 0 else 200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Quiet."""


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    with Receiver() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory, receiver: Receiver) -> Iterator[Live]:
    allowed = f"127.0.0.1:{receiver.server_address[1]}"
    with running(tmp_path_factory.mktemp("later") / "home", STUDIO_WEBHOOK_HOSTS=allowed) as started:
        started.token = started.key("demo", started.status["user"])  # type: ignore[attr-defined]
        log_models(started.address, started.token, 1)  # type: ignore[attr-defined]
        yield started


@pytest.fixture(scope="module")
def http_(live: Live) -> Iterator[httpx.Client]:
    headers = {"authorization": f"Bearer {live.token}"}  # type: ignore[attr-defined]
    with httpx.Client(base_url=live.address, headers=headers, timeout=60) as client:
        yield client


@pytest.fixture(scope="module")
def api(live: Live) -> Iterator[Rest]:
    with live.operator() as rest:
        yield rest


@pytest.fixture(scope="module")
def rain(api: Rest) -> str:
    """A serverless endpoint that soon sleeps."""
    wanted = {"name": "rain", "model": "models:/rain/1", "mode": "serverless", "idle_s": 1}
    api.post("domains/demo/endpoints", wanted)
    api.get("domains/demo/endpoints/rain", wait="InService", timeout_s=60)
    return "rain"


def ended(api: Rest, name: str, id: str) -> Any:
    """The invocation when it has ended."""

    def look() -> Any:
        found = api.get(f"domains/demo/endpoints/{name}/async-invocations/{id}", wait_s=5)
        return found if found["state"] in ENDS else None

    return until(look, f"the end of {id}")


def replicas(live: Live) -> dict[str, int]:
    return {name: child["pid"] for name, child in children(live).items() if child["kind"] == "replica"}


def test_it_wakes_an_endpoint_and_answers_what_a_call_answers(
    live: Live, api: Rest, http_: httpx.Client, rain: str, receiver: Receiver
) -> None:
    until(lambda: not replicas(live), "its sleep")
    port = receiver.server_address[1]
    headers = {"studio-notify-url": f"http://127.0.0.1:{port}/told", "studio-notify-secret": "a shared secret"}
    made = http_.post(f"/endpoints/{rain}/async-invocations", json=BODY, headers=headers)
    assert made.status_code == 202, made.text
    found = ended(api, rain, made.json()["id"])
    assert (found["state"], found["attempts"], found["variant"]) == ("Done", 1, "v1"), found
    now = http_.post(f"/endpoints/{rain}/invocations", json=BODY)
    result = http_.get(found["result"])
    assert (result.content, result.headers["content-type"]) == (now.content, "application/json")
    assert http_.get(found["result"], headers={"range": "bytes=1-4"}).content == now.content[1:5]
    # Told in the end, although the first try was refused; signed with the asker's secret.
    until(lambda: len(receiver.taken) >= 2, "the notice")
    sent, text = receiver.taken[-1]
    at = int(sent["X-MLflow-Timestamp"])
    assert sent["X-MLflow-Signature"] == signature("a shared secret", found["id"], at, text.decode())
    told = json.loads(text)
    assert (told["entity"], told["action"], told["data"]["state"]) == ("async_invocation", "done", "Done")
    assert told["data"]["result"] == live.address + found["result"]
    # Asked again, as a server would that was killed: the same is said, and nothing is predicted twice.
    before = requests(live)
    (folder,) = (live.home / "invocations" / "demo").glob(f"*/{found['id']}")
    again = gateway(live, {"op": "invoke-filed", "folder": str(folder.relative_to(live.home / "invocations"))} | NAMES)
    assert (again["status"], again["size"], requests(live)) == (200, len(now.content), before)


NAMES = {"domain": "demo", "endpoint": "rain"}


def gateway(live: Live, question: dict[str, Any]) -> Any:
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(30)
        client.connect(str(live.settings.paths.sockets / "gateway.sock"))
        client.sendall(json.dumps(question).encode() + b"\n")
        answer = json.loads(client.makefile("rb").readline())
    return answer.get("filed") or answer.get("stats")


def requests(live: Live, name: str = "rain") -> int:
    return int(gateway(live, {"op": "stats"})[f"demo/{name}"]["requests"])


def test_boto3_names_a_file_of_the_volume(live: Live, api: Rest, http_: httpx.Client, rain: str) -> None:
    shared = live.settings.paths.shared("demo")
    (shared / "rows.csv").write_text(",".join(COLUMNS) + "\n" + ",".join(map(str, ROW[0])) + "\n")
    key = live.token.removeprefix("studio_")  # type: ignore[attr-defined]
    client = boto3.client(
        "sagemaker-runtime",
        endpoint_url=live.address,
        region_name="eu-central-1",
        aws_access_key_id=key.partition("_")[0],
        aws_secret_access_key=key.partition("_")[2],
    )
    made = client.invoke_endpoint_async(
        EndpointName=rain, InputLocation="shared/rows.csv", ContentType="text/csv", InferenceId="mine-1"
    )
    assert made["InferenceId"] == "mine-1"
    id = made["OutputLocation"].split("/")[-2]
    assert ended(api, rain, id)["state"] == "Done"
    now = http_.post(f"/endpoints/{rain}/invocations", json=BODY)
    assert http_.get(made["OutputLocation"]).json() == now.json()
    with pytest.raises(client.exceptions.ClientError) as refused:
        client.invoke_endpoint_async(EndpointName=rain, InputLocation="s3://bucket/rows.csv")
    assert refused.value.response["Error"]["Code"] == "ValidationError"
    assert "shared/rows.json" in refused.value.response["Error"]["Message"]
    with pytest.raises(client.exceptions.ClientError):
        client.invoke_endpoint_async(EndpointName="nothing", InputLocation="shared/rows.csv")
    client.close()


def test_what_is_wrong_with_the_rows_is_said_and_not_tried_again(api: Rest, http_: httpx.Client, rain: str) -> None:
    bad = {"dataframe_records": [{"wind": 1.0}]}
    made = http_.post(f"/api/v1/domains/demo/endpoints/{rain}/async-invocations", json=bad).json()
    found = ended(api, rain, made["id"])
    assert (found["state"], found["attempts"]) == ("Failed", 1)
    assert "temp_max" in found["reason"]
    assert http_.get(found["result"]).status_code == 409


@pytest.mark.soak
def test_the_command_has_a_file_predicted(live: Live, http_: httpx.Client, rain: str, tmp_path: Path) -> None:
    body, answer = tmp_path / "rows.json", tmp_path / "answer.json"
    body.write_text(json.dumps(BODY))
    live.studio("async", "invoke", rain, str(body), "-o", str(answer))
    assert json.loads(answer.read_text()) == http_.post(f"/endpoints/{rain}/invocations", json=BODY).json()
    assert [item.name for item in tmp_path.iterdir() if item.name.startswith(".")] == []
    newest = live.json("async", "list", rain)[0]
    assert (newest["state"], newest["answer_size"]) == ("Done", answer.stat().st_size)
    live.studio("async", "delete", rain, newest["id"])
    assert newest["id"] not in [item["id"] for item in live.json("async", "list", rain)]


def test_a_killed_server_loses_nothing_and_has_nothing_predicted_twice(
    live: Live, api: Rest, http_: httpx.Client, rain: str
) -> None:
    others, rain = set(replicas(live)), "steady"
    api.post("domains/demo/endpoints", {"name": rain, "model": "models:/rain/1"})
    assert api.get(f"domains/demo/endpoints/{rain}", wait="InService", timeout_s=60)["state"] == "InService"
    assert http_.post(f"/endpoints/{rain}/invocations", json=BODY).status_code == 200
    before = requests(live, rain)
    pids = [pid for name, pid in replicas(live).items() if name not in others]
    assert len(pids) == 1
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        made = [http_.post(f"/endpoints/{rain}/async-invocations", json=BODY).json()["id"] for _ in range(4)]
        path = f"domains/demo/endpoints/{rain}/async-invocations"
        until(lambda: any(item["state"] == "Running" for item in api.get(path)), "the first question")
        kill_server(live)
        with live.operator() as again:
            states = [item["state"] for item in again.get(path) if item["id"] in made]
        assert sorted(states) == ["Queued", "Queued", "Running", "Running"]
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)
    with live.operator() as again:
        found = [ended(again, rain, id) for id in made]
    assert [(item["state"], item["attempts"]) for item in found] == [("Done", 1)] * 4
    assert requests(live, rain) == before + 4
    for item in found:
        assert len(http_.get(item["result"]).json()["predictions"]) == 1
    # With the endpoint goes what it was asked and what it answered.
    assert len(list((live.home / "invocations" / "demo").glob("*/async-*"))) >= 4
    with live.operator() as again:
        again.delete(f"domains/demo/endpoints/{rain}")
        until(lambda: rain not in [item["name"] for item in again.get("domains/demo/endpoints")], "its end")
    assert http_.get(found[0]["result"]).status_code == 404


def table(live: Live, name: str, rows: int) -> tuple[Path, list[list[float]]]:
    """The file shared/<name> with distinct rows, a column that is not the model's first."""
    values = [[number / 7 % 30, number % 40 - 5.0, number % 30 - 10.0, number % 9 + 0.5] for number in range(rows)]
    path = live.settings.paths.shared("demo") / name
    lines = [",".join(["day", *COLUMNS]), *(f"{n},{','.join(map(str, row))}" for n, row in enumerate(values))]
    path.write_text("\n".join(lines) + "\n")
    return path, values


def test_batch_gives_each_row_what_the_endpoint_gives_it(live: Live, http_: httpx.Client, rain: str) -> None:
    path, values = table(live, "days.csv", 300)
    words = ("batch", "models:/rain/1", str(path), "-o", "shared/scored.csv", "--chunk-rows", "70")
    job = live.json(*words)
    assert (job["state"], job["kind"], job["params"]["version"]) == ("Completed", "batch", "1"), job
    lines = (path.parent / "scored.csv").read_text().splitlines()
    assert lines[0] == ",".join(["day", *COLUMNS, "prediction"])
    asked = {"dataframe_split": {"columns": COLUMNS, "data": values}}
    expected = http_.post(f"/endpoints/{rain}/invocations", json=asked).json()["predictions"]
    assert [int(line.split(",")[0]) for line in lines[1:]] == list(range(300))
    assert [float(line.split(",")[-1]) for line in lines[1:]] == expected
    assert len(set(expected)) > 1


@pytest.mark.soak
def test_batch_makes_and_reads_versions_of_data_sets(live: Live, api: Rest) -> None:
    path, _ = table(live, "known.csv", 30)
    live.studio("batch", "models:/rain/1", "shared/known.csv", "-o", "shared/scored.csv", "--dataset", "scored")
    found = api.get("domains/demo/datasets/scored")
    assert (found["rows"], found["path"]) == (30, "shared/scored.csv")
    # By its data set: the version is pinned by its hash, and another content is not scored as if it were it.
    path.with_name("scored.csv").write_text("else")
    named = f"scored@{found['hash'][:12]}"
    again = api.post("domains/demo/batch", {"model": "models:/rain/1", "input": named, "output": "shared/other.csv"})
    text = "".join(api.follow(f"domains/demo/jobs/{again['id']}/log"))
    assert "has changed since" in text
    assert not (path.parent / "other.csv").exists()


@pytest.mark.soak
def test_batch_killed_in_the_middle_shows_nothing_and_is_done_again(live: Live, api: Rest) -> None:
    path, _ = table(live, "many.csv", 20_000)
    body = {"model": "models:/rain/1", "input": "shared/many.csv", "output": "shared/many-scored.jsonl"}
    job = api.post("domains/demo/batch", body | {"chunk_rows": 1})

    def half() -> bool:
        return any(item.stat().st_size for item in path.parent.glob(".many-scored.jsonl.*.part"))

    until(half, "the first rows")
    os.kill(children(live)[job["id"]]["pid"], signal.SIGKILL)
    ends = ("Completed", "Failed", "Stopped")
    until(lambda: api.get(f"domains/demo/jobs/{job['id']}", wait_s=5)["state"] in ends, "its end")
    assert api.get(f"domains/demo/jobs/{job['id']}")["state"] == "Failed"
    assert not (path.parent / "many-scored.jsonl").exists()
    live.json("batch", "models:/rain/1", "shared/many.csv", "-o", "shared/many-scored.jsonl")
    days = [json.loads(line)["day"] for line in (path.parent / "many-scored.jsonl").read_text().splitlines()]
    assert days == list(range(20_000))
    assert not list(path.parent.glob(".many-scored*"))
    # Nor does the copy of the model stay that the killed one had.
    assert not list(live.settings.paths.user("demo", job["owner"]).glob(".studio/jobs/*/model*"))


@pytest.mark.soak
def test_what_ends_its_replica_is_given_up_and_the_next_one_is_answered(
    live: Live, api: Rest, http_: httpx.Client
) -> None:
    log_models(live.address, live.token)  # type: ignore[attr-defined]
    api.post("domains/demo/endpoints", {"name": "fragile", "model": "models:/rain/6"})
    api.get("domains/demo/endpoints/fragile", wait="InService", timeout_s=60)
    path = "/endpoints/fragile/async-invocations"
    deadly = {"dataframe_split": {"columns": COLUMNS, "data": [[0.0, 1.0, 1.0, 2000.0]]}}
    made = [http_.post(path, json=one).json()["id"] for one in (deadly, BODY)]
    first = ended(api, "fragile", made[0])
    assert (first["state"], first["attempts"]) == ("Failed", 3) and "3 times" in first["reason"]

    assert ended(api, "fragile", made[1])["state"] == "Done"


SCRIPT = """
from studio.guest import sdk

rows = [{"precipitation": 0.0, "temp_max": 12.8, "temp_min": 5.0, "wind": 4.7}] * 3
print("later", len(sdk.invoke_async("rain", rows).predictions()))
print("batch", sdk.batch("models:/rain/1", "shared/few.csv", wait=True).state)
print("lines", len(open("/volume/shared/few-predictions.csv").readlines()))
"""


@pytest.mark.soak
def test_the_line_of_code_does_the_same(live: Live, rain: str, tmp_path: Path) -> None:
    table(live, "few.csv", 5)
    script = tmp_path / "lines.py"
    script.write_text(SCRIPT)
    text = live.studio("run", str(script)).stderr
    assert "later 3" in text and "batch Completed" in text and "lines 6" in text


@pytest.mark.soak
def test_a_killed_gateway_loses_nothing(live: Live, api: Rest, http_: httpx.Client) -> None:
    api.post("domains/demo/endpoints", {"name": "firm", "model": "models:/rain/1"})
    api.get("domains/demo/endpoints/firm", wait="InService", timeout_s=60)
    others = {"rain", "fragile"}
    pids = [pid for name, pid in replicas(live).items() if name.split(".")[0] not in others]
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        made = http_.post("/endpoints/firm/async-invocations", json=BODY).json()["id"]
        path = f"domains/demo/endpoints/firm/async-invocations/{made}"
        until(lambda: api.get(path)["state"] == "Running", "the question")
        os.kill(state(live)["gateway"]["pid"], signal.SIGKILL)
        until(lambda: api.get(path)["attempts"] > 1 or api.get(path)["state"] == "Queued", "the loss")
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)
    found = ended(api, "firm", made)
    assert (found["state"], found["attempts"] > 1) == ("Done", True), found


@pytest.mark.soak
def test_a_try_has_a_time_of_its_own_and_the_next_one_passes(live: Live, api: Rest, http_: httpx.Client) -> None:
    api.post("domains/demo/endpoints", {"name": "slow", "model": "models:/rain/1"})
    api.get("domains/demo/endpoints/slow", wait="InService", timeout_s=60)
    pids = list(replicas(live).values())
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        timed = {"x-amzn-sagemaker-invocationtimeoutseconds": "1"}
        made = http_.post("/endpoints/slow/async-invocations", json=BODY, headers=timed).json()["id"]
        path = f"domains/demo/endpoints/slow/async-invocations/{made}"
        until(lambda: "no answer within 1 s" in api.get(path)["reason"], "the end of its time")
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)
    found = ended(api, "slow", made)
    assert (found["state"], found["attempts"] > 1) == ("Done", True), found


@pytest.mark.soak
def test_a_large_body_goes_through_files(live: Live, api: Rest, http_: httpx.Client, tmp_path: Path) -> None:
    """80 MiB: more than a line of the control socket holds, and more than the endpoint takes at once."""
    wanted = {"name": "large", "model": "models:/rain/1"}
    api.post("domains/demo/endpoints", wanted)
    api.get("domains/demo/endpoints/large", wait="InService", timeout_s=60)
    line = ",".join(map(str, ROW[0])) + "\n"
    rows = (80 << 20) // len(line)
    path = tmp_path / "rows.csv"
    with path.open("w") as file:
        file.write(",".join(COLUMNS) + "\n")
        file.writelines(line for _ in range(rows))
    answer = tmp_path / "answer.json"
    live.studio("async", "invoke", "large", str(path), "-o", str(answer))
    assert len(json.loads(answer.read_text())["predictions"]) == rows
