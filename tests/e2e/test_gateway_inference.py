"""Predictions through the gateway by real replicas of models that mlflow logged."""

import asyncio
import http.client
import json
import os
import random
import signal
import socket
import struct
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from studio.guest import frames
from tests.e2e.gateways import Forker, Gateway, alive, until
from tests.e2e.served_models import make

COLUMNS = ["rain", "wind", "temp max"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="module")
def forker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forker]:
    one = Forker(tmp_path_factory.mktemp("forker"))
    yield one
    one.close()


@pytest.fixture
def gateway(tmp_path: Path, forker: Forker) -> Iterator[Gateway]:
    one = Gateway(tmp_path, forker)
    one.start()
    one.member()
    yield one
    one.close()


def body(*rows: list[float]) -> str:
    return json.dumps({"dataframe_split": {"columns": COLUMNS, "data": [list(row) for row in rows]}})


def truth(row: list[float]) -> float:
    return row[0] * 2 + row[1] * 3 + row[2] * 5


def some_row(generator: random.Random) -> list[float]:
    return [round(generator.uniform(-100, 100), 3) for _ in COLUMNS]


async def post(
    gateway: Gateway, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, name: str, text: str
) -> Any:
    """(status, variant, predictions) of one request on a kept connection."""
    head = (
        f"POST /endpoints/{name}/invocations HTTP/1.1\r\nHost: {gateway.host}\r\n"
        f"Authorization: Bearer {gateway.token}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(text)}\r\n\r\n"
    )
    writer.write(head.encode() + text.encode())
    answer = (await reader.readuntil(b"\r\n\r\n")).decode()
    headers = dict(line.split(": ", 1) for line in answer.split("\r\n")[1:] if ": " in line)
    content = json.loads(await reader.readexactly(int(headers["content-length"])))
    return int(answer.split()[1]), headers.get("x-amzn-invoked-production-variant"), content


async def clients(gateway: Gateway, name: str, count: int, each: int, check: bool = True) -> Counter[Any]:
    """`count` callers with `each` requests of distinct rows; every answer is compared with its own row."""
    seen: Counter[Any] = Counter()

    async def one(seed: int) -> None:
        generator = random.Random(seed)
        reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
        for _ in range(each):
            rows = [some_row(generator) for _ in range(generator.choice((1, 1, 1, 3)))]
            status, variant, content = await post(gateway, reader, writer, name, body(*rows))
            seen[status, variant] += 1
            if check and status == 200:
                sign = -1 if variant == "v2" else 1
                assert content["predictions"] == pytest.approx([sign * truth(row) for row in rows], abs=1e-6)
        writer.close()
        await writer.wait_closed()

    await asyncio.gather(*(one(number) for number in range(count)))
    return seen


def test_prediction_says_variant_and_inference_id(gateway: Gateway, folder: Path) -> None:
    gateway.endpoint("rain", [("v1", 100, [gateway.replica(folder / "linear", "a")])])
    status, headers, content = gateway.predict("rain", body([1, 2, 3]))
    assert status == 200 and content["predictions"] == pytest.approx([23])
    assert headers["x-amzn-invoked-production-variant"] == "v1" and headers["x-studio-inference-id"]
    extra = json.dumps({"dataframe_records": [{"rain": 1, "wind": 2, "temp max": 3, "fog": 4}]})
    assert gateway.predict("rain", extra)[1]["x-studio-ignored-columns"] == "fog"
    status, _, content = gateway.predict("rain", json.dumps({"dataframe_records": [{"rain": 1}]}))
    assert status == 400 and content["error_code"] == "INVALID_PARAMETER_VALUE" and "'wind'" in content["message"]
    assert gateway.predict("rain", "{")[0] == 400
    csv = gateway.request(
        "POST", "/endpoints/rain/invocations", "rain,wind,temp max\n1,2,3\n", key=True, Content_Type="text/csv"
    )
    assert json.loads(csv[2])["predictions"] == pytest.approx([23])
    place = "/endpoints/rain/invocations"
    status, headers, table = gateway.request("POST", place, body([1, 2, 3]), key=True, Accept="text/csv")
    assert (status, headers["content-type"], headers["x-content-type-options"]) == (200, "text/csv", "nosniff")
    assert float(table.split()[-1]) == pytest.approx(23)
    status, _, said = gateway.request("POST", place, body([1, 2, 3]), key=True, Accept="image/png")
    assert status == 406 and "image/png" in json.loads(said)["message"]


def test_control_socket_predicts_and_reports(gateway: Gateway, folder: Path) -> None:
    gateway.endpoint("rain", [("v1", 100, [gateway.replica(folder / "linear", "a")])])
    answer = gateway.ask({"op": "invoke", "domain": "demo", "endpoint": "rain", "body": body([1, 2, 3])})["invoke"]
    assert answer["status"] == 200 and json.loads(answer["body"])["predictions"] == pytest.approx([23])
    assert answer["variant"] == "v1" and answer["latency_ms"] > 0
    stats = gateway.ask({"op": "stats"})["stats"]["demo/rain"]
    assert stats["requests"] == 1 and stats["errors"] == 0 and stats["p50_ms"] > 0 and stats["inflight"] == 0
    missing = gateway.ask({"op": "invoke", "domain": "demo", "endpoint": "none", "body": ""})["invoke"]
    assert missing["status"] == 404


async def test_answers_are_never_mixed_and_the_split_is_exact(gateway: Gateway, folder: Path) -> None:
    a, b = gateway.replica(folder / "linear", "a"), gateway.replica(folder / "negated", "b")
    gateway.endpoint("rain", [("v1", 90, [a]), ("v2", 10, [b])])
    await ready(gateway, "rain", 2)
    seen = await clients(gateway, "rain", 20, 100)
    assert seen == {(200, "v1"): 1800, (200, "v2"): 200}


async def answered(gateway: Gateway, count: int) -> None:
    def enough() -> bool:
        return bool(gateway.ask({"op": "stats"})["stats"]["demo/rain"]["requests"] >= count)

    await asyncio.to_thread(until, enough, f"{count} answers")


async def ready(gateway: Gateway, name: str, count: int) -> None:
    def links() -> bool:
        found = gateway.ask({"op": "stats"})["stats"][f"demo/{name}"]["replicas"]
        return sum(link["ready"] for link in found) == count

    await asyncio.to_thread(until, links, f"{count} links")


def test_request_can_be_pinned_to_a_variant(gateway: Gateway, folder: Path) -> None:
    path = gateway.replica(folder / "linear", "a")
    gateway.endpoint("rain", [("v1", 100, [path]), ("v9", 0, [])])
    headers = {"X-Amzn-SageMaker-Target-Variant": "v1"}
    status, _, _ = gateway.request("POST", "/endpoints/rain/invocations", body([1, 2, 3]), key=True, **headers)
    assert status == 200
    headers = {"X-Amzn-SageMaker-Target-Variant": "v7"}
    assert gateway.request("POST", "/endpoints/rain/invocations", body([1, 2, 3]), key=True, **headers)[0] == 404


async def test_killed_replica_costs_no_request_where_there_are_two(gateway: Gateway, folder: Path) -> None:
    paths = [gateway.replica(folder / "linear", name) for name in "ab"]
    gateway.endpoint("rain", [("v1", 100, paths)])
    await ready(gateway, "rain", 2)
    running = asyncio.create_task(clients(gateway, "rain", 16, 150))
    await answered(gateway, 500)
    os.kill(gateway.pids["a"], signal.SIGKILL)
    assert await running == {(200, "v1"): 2400}


def sleeping(gateway: Gateway, folder: Path, forker: Forker, mode: str = "serverless") -> None:
    """The endpoint `rain` without a replica, which the gateway may fork."""
    path = gateway.replica_socket("a")
    args = {"socket": str(path), "model_dir": str(folder / "linear"), "name": "a"}
    # The fork server's socket must lie in the sandbox's folder, as the real one does.
    place = path.parents[1] / "fork-test.sock"
    os.link(forker.socket, place)
    fork = {"op": "fork", "name": "a", "kind": "replica", "args": args}
    wake = [{"variant": "v1", "socket": str(place), "requests": [fork]}]
    gateway.endpoint("rain", [("v1", 100, [path])], mode=mode, wake=wake)


async def test_only_replica_is_waited_for_when_it_comes_back(gateway: Gateway, folder: Path, forker: Forker) -> None:
    sleeping(gateway, folder, forker, mode="always")
    assert await clients(gateway, "rain", 2, 2) == {(200, "v1"): 4}
    pid = forker.forks()[-1]
    running = asyncio.create_task(clients(gateway, "rain", 8, 60))
    await answered(gateway, 50)
    os.kill(pid, 9)
    assert await running == {(200, "v1"): 480}


async def test_fifty_callers_at_zero_wake_it_once(gateway: Gateway, folder: Path, forker: Forker) -> None:
    sleeping(gateway, folder, forker)
    before = len(forker.forks())
    begun = time.monotonic()
    seen = await clients(gateway, "rain", 50, 1)
    spent = time.monotonic() - begun
    assert seen == {(200, "v1"): 50}
    assert len(forker.forks()) == before + 1
    print(f"50 callers at zero: {spent * 1000:.0f} ms")
    assert spent < 5
    woke = gateway.ask({"op": "stats"})["stats"]["demo/rain"]["woke"]
    assert woke["variant"] == "v1" and not woke["cold"] and 0 < woke["ms"] < 5000


async def test_a_caller_waits_for_the_fork_server_too(gateway: Gateway, folder: Path, forker: Forker) -> None:
    """It is started when there is none, by others; that it took that is said of the wake."""
    sleeping(gateway, folder, forker)
    place = gateway.replica_socket("a").parents[1] / "fork-test.sock"
    place.unlink()
    calling = asyncio.create_task(clients(gateway, "rain", 3, 1))
    waits = lambda: gateway.ask({"op": "stats"})["stats"]["demo/rain"]["waiting"] == 3  # noqa: E731
    await asyncio.to_thread(until, waits, "three who wait")
    os.link(forker.socket, place)
    assert await calling == {(200, "v1"): 3}
    assert gateway.ask({"op": "stats"})["stats"]["demo/rain"]["woke"]["cold"]


def test_endpoint_at_zero_that_cannot_be_woken_answers_503(tmp_path: Path) -> None:
    gateway = Gateway(tmp_path)
    gateway.options = {"hold_s": 0.5}
    gateway.start()
    gateway.member()
    path = gateway.replica_socket("a")
    place = gateway.sockets / "b" / "demo.service" / "out" / "fork-none.sock"
    wake = [{"variant": "v1", "socket": str(place), "requests": []}]
    gateway.endpoint("rain", [("v1", 100, [path])], mode="serverless", wake=wake)
    status, headers, content = gateway.predict("rain", body([1, 2, 3]))
    assert status == 503 and headers["retry-after"] == "1" and content["error_code"] == "TEMPORARILY_UNAVAILABLE"
    gateway.close()


def test_hanging_replica_gives_504_and_is_taken_out(gateway: Gateway, folder: Path) -> None:
    path = gateway.replica(folder / "linear", "a")
    gateway.endpoint("rain", [("v1", 100, [path])])
    assert gateway.predict("rain", body([1, 2, 3]))[0] == 200
    os.kill(gateway.pids["a"], signal.SIGSTOP)
    gateway.endpoint("rain", [("v1", 100, [path])], timeout_s=0.5)
    status, _, content = gateway.predict("rain", body([1, 2, 3]))
    assert status == 504 and "0.5 s" in content["message"]
    assert gateway.ask({"op": "stats"})["stats"]["demo/rain"]["replicas"][0]["hung"]
    os.kill(gateway.pids["a"], signal.SIGCONT)
    gateway.endpoint("rain", [("v1", 100, [path])])
    until(lambda: gateway.predict("rain", body([1, 2, 3]))[0] == 200, "the replica is used again")


async def test_drained_replica_loses_no_request(gateway: Gateway, folder: Path) -> None:
    paths = [gateway.replica(folder / "linear", name) for name in "ab"]
    gateway.endpoint("rain", [("v1", 100, paths)])
    await ready(gateway, "rain", 2)
    running = asyncio.create_task(clients(gateway, "rain", 16, 100))
    await answered(gateway, 300)
    os.kill(gateway.pids["a"], signal.SIGTERM)
    assert await running == {(200, "v1"): 1600}
    until(lambda: not alive(gateway.pids["a"]), "the drained replica has ended")
    assert not paths[0].exists()


async def test_promotion_under_load_loses_no_request(gateway: Gateway, folder: Path) -> None:
    a, b = gateway.replica(folder / "linear", "a"), gateway.replica(folder / "negated", "b")
    gateway.endpoint("rain", [("v1", 100, [a])])
    running = asyncio.create_task(clients(gateway, "rain", 16, 100))
    await answered(gateway, 300)
    gateway.endpoint("rain", [("v2", 100, [b])])
    seen = await running
    assert {status for status, _ in seen} == {200} and seen[200, "v2"] > 0 and seen.total() == 1600


def test_gateway_killed_and_alone_goes_on(gateway: Gateway, folder: Path) -> None:
    gateway.endpoint("rain", [("v1", 100, [gateway.replica(folder / "linear", "a")])])
    assert gateway.predict("rain", body([1, 2, 3]))[0] == 200
    gateway.stop(kill=True)
    table = gateway.home / "run" / "gateway.table"
    assert table.stat().st_mode & 0o777 == 0o600 and b"keys/" not in table.read_bytes()
    gateway.start()
    assert gateway.predict("rain", body([1, 2, 3]))[0] == 200
    assert gateway.ask({"op": "hello"})["hello"]["seq"] == gateway.seq


def test_deltas_apply_in_order_and_a_gap_is_refused(gateway: Gateway, folder: Path) -> None:
    entry = {"variants": [], "mode": "always"}
    seq = gateway.seq
    assert gateway.ask({"seq": seq + 1, "set": {"endpoints/demo/x": entry}}) == {"ack": seq + 1}
    assert gateway.ask({"seq": seq + 3, "set": {"endpoints/demo/y": entry}})["nack"] == seq + 3
    assert gateway.ask({"seq": seq + 2, "set": {"keys/key-test": None}}) == {"ack": seq + 2}
    assert gateway.request("GET", "/metrics", key=True)[0] == 401
    gateway.stop(kill=True)
    gateway.start()
    assert gateway.request("GET", "/metrics", key=True)[0] == 401


def test_requests_and_answers_are_captured(gateway: Gateway, folder: Path) -> None:
    spool = gateway.home / "capture" / "demo" / "rain" / "spool"
    gateway.endpoint("rain", [("v1", 100, [gateway.replica(folder / "linear", "a")])], capture={"spool": str(spool)})
    sent = {gateway.predict("rain", body([number, 0, 0]))[1]["x-studio-inference-id"]: number for number in range(20)}
    gateway.predict("rain", "{")

    def records() -> list[tuple[dict[str, Any], bytes, bytes]]:
        found = []
        for path in sorted(spool.glob("*.frames")) if spool.exists() else ():
            for frame in frames.Decoder().feed(path.read_bytes()):
                header = json.loads(frame.header)
                split = header["request_bytes"]
                found.append((header, frame.body[:split], frame.body[split:]))
        return found

    found = until(lambda: len(records()) == 21 and records(), "21 captured records")
    good = [record for record in found if record[0]["status"] == 200]
    assert {header["id"]: json.loads(request)["dataframe_split"]["data"][0][0] for header, request, _ in good} == sent
    assert all(json.loads(answer)["predictions"] for _, _, answer in good)
    assert {header["version"] for header, _, _ in good} == {"1"} and all(
        header["latency_us"] > 0 for header, _, _ in good
    )
    assert not list(spool.glob("*.open"))
    assert gateway.ask({"op": "stats"})["stats"]["demo/rain"]["captured"] == 21


def test_capture_follows_no_link_out_of_the_spool(gateway: Gateway, folder: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    base = gateway.home / "capture" / "demo"
    base.mkdir(parents=True)
    (base / "rain").symlink_to(outside)
    spool = base / "rain" / "spool"
    gateway.endpoint("rain", [("v1", 100, [gateway.replica(folder / "linear", "a")])], capture={"spool": str(spool)})
    assert gateway.predict("rain", body([1, 2, 3]))[0] == 200
    until(lambda: "capture of" in gateway.log.read_text(), "the refusal in the log")
    assert not list(outside.iterdir())


def test_caller_that_goes_away_is_forgotten(gateway: Gateway, folder: Path) -> None:
    gateway.endpoint("rain", [("v1", 100, [gateway.replica_socket("none")])])
    connection = http.client.HTTPConnection("127.0.0.1", gateway.port)
    connection.request(
        "POST", "/endpoints/rain/invocations", body([1, 2, 3]), {"Authorization": f"Bearer {gateway.token}"}
    )
    until(lambda: gateway.ask({"op": "stats"})["stats"]["demo/rain"]["inflight"] == 1, "the request")
    # A reset, as of a killed program; a mere end of sending may come from one that still waits for the answer.
    connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()
    until(lambda: gateway.ask({"op": "stats"})["stats"]["demo/rain"]["inflight"] == 0, "it is forgotten", 3)


def test_body_over_the_limit_is_refused_at_once(gateway: Gateway) -> None:
    gateway.endpoint("rain", [("v1", 100, [])], max_body=1000)
    head = f"POST /endpoints/rain/invocations HTTP/1.1\r\nHost: {gateway.host}\r\n"
    head += f"Authorization: Bearer {gateway.token}\r\n"
    answer = gateway.raw(f"{head}Content-Length: 100000000000\r\n\r\n".encode())
    assert answer.startswith(b"HTTP/1.1 413")
    chunk = b"400\r\n" + b"x" * 1024 + b"\r\n"
    assert gateway.raw(f"{head}Transfer-Encoding: chunked\r\n\r\n".encode() + chunk * 3).startswith(b"HTTP/1.1 413")


def test_metrics_show_the_endpoints_of_the_key(gateway: Gateway, folder: Path) -> None:
    gateway.endpoint("rain", [("v1", 100, [gateway.replica(folder / "linear", "a")])])
    gateway.set({"endpoints/other/secret": {"variants": [], "mode": "always"}})
    gateway.predict("rain", body([1, 2, 3]))
    status, _, text = gateway.request("GET", "/metrics", key=True)
    assert status == 200
    assert b'studio_endpoint_requests_total{endpoint="rain",status="200"} 1' in text and b"secret" not in text
