"""Several variants of an endpoint behind one gateway: shares, shadows, waking, figures; real replicas of scripts."""

import asyncio
import itertools
import json
import os
import signal
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from studio.guest import frames
from tests.e2e.gateways import Forker, Gateway, scripted, until


@pytest.fixture(scope="module")
def forker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forker]:
    one = Forker(tmp_path_factory.mktemp("forker"), libraries=False)
    yield one
    one.close()


@pytest.fixture
def gateway(tmp_path: Path, forker: Forker) -> Iterator[Gateway]:
    one = Gateway(tmp_path, forker)
    one.start()
    one.member()
    yield one
    one.close()


@pytest.fixture
def models(tmp_path: Path) -> dict[str, Path]:
    return {name: scripted(tmp_path / "models", name, factor) for name, factor in (("a", 1), ("b", 10), ("c", 100))}


def figures(gateway: Gateway, variant: str = "") -> Any:
    found = gateway.ask({"op": "stats"})["stats"]["demo/rain"]
    return found["variants"][variant] if variant else found


def linked(gateway: Gateway, count: int) -> None:
    until(lambda: sum(link["ready"] for link in figures(gateway)["replicas"]) == count, f"{count} links")


def wake(gateway: Gateway, forker: Forker, models: dict[str, Path], *names: str) -> list[dict[str, Any]]:
    """How the gateway may fork a replica of each variant."""
    place = gateway.replica_socket("x").parents[1] / "fork-test.sock"
    os.link(forker.socket, place)
    found = []
    for name in names:
        args = {"socket": str(gateway.replica_socket(name)), "model_dir": str(models[name]), "name": name}
        fork = {"op": "fork", "name": name, "kind": "replica", "args": args}
        found.append({"variant": name, "socket": str(place), "requests": [fork]})
    return found


async def ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, gateway: Gateway, **data: Any) -> Any:
    """(status, answer) of one prediction on a kept connection."""
    body = json.dumps(data)
    head = f"POST /endpoints/rain/invocations HTTP/1.1\r\nHost: {gateway.host}\r\nContent-Length: {len(body)}\r\n"
    writer.write(f"{head}Authorization: Bearer {gateway.token}\r\n\r\n{body}".encode())
    answer = (await reader.readuntil(b"\r\n\r\n")).decode()
    size = next(int(line[16:]) for line in answer.split("\r\n") if line.startswith("content-length: "))
    return int(answer.split()[1]), json.loads(await reader.readexactly(size))


async def load(
    gateway: Gateway, callers: int, each: int = 0, ended: asyncio.Event | None = None, **data: Any
) -> Counter[Any]:
    """Who answered how often, of `each` questions a caller or until `ended`; each answer is compared with its own."""
    factors = {"a": 1, "b": 10, "c": 100}
    seen: Counter[Any] = Counter()

    async def one(caller: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
        for number in range(each) if ended is None else itertools.count():
            if ended is not None and ended.is_set():
                break
            x = caller + number * callers
            status, answer = await ask(reader, writer, gateway, x=x, **data)
            assert status == 200, answer
            assert answer["x"] == x * factors[answer["by"]]
            seen[answer["by"]] += 1
        writer.close()
        await writer.wait_closed()

    await asyncio.gather(*(one(caller) for caller in range(callers)))
    return seen


def captured(spool: Path) -> list[tuple[dict[str, Any], Any, Any]]:
    """(header, request, answer) of every record."""
    found = []
    for path in sorted(spool.glob("*.frames")) if spool.exists() else ():
        for frame in frames.Decoder().feed(path.read_bytes()):
            header = json.loads(frame.header)
            split = header["request_bytes"]
            found.append((header, json.loads(frame.body[:split]), json.loads(frame.body[split:] or b"null")))
    return found


async def test_shadow_gets_its_share_of_copies_and_answers_nobody(gateway: Gateway, models: dict[str, Path]) -> None:
    spool = gateway.home / "capture" / "demo" / "rain" / "spool"
    both = [("a", 1.0, [gateway.replica(models["a"], "a")]), ("b", 30.0, [gateway.replica(models["b"], "b")])]
    gateway.endpoint("rain", both, shadows=("b",), capture={"spool": str(spool), "percent": 50})
    linked(gateway, 2)
    assert await load(gateway, 4, 50) == {"a": 200}
    until(lambda: figures(gateway, "b")["requests"] == 60, "every copy's end")
    found = figures(gateway)
    assert (found["requests"], found["errors"], found["captured"], found["unsampled"]) == (200, 0, 140, 100)
    assert found["variants"]["b"]["dropped"] == 0 and found["variants"]["b"]["inflight"] == 0
    records = until(lambda: len(captured(spool)) == 140 and captured(spool), "the records")
    asked = {header["id"]: request for header, request, _ in records if header["variant"] == "a"}
    copies = [record for record in records if record[0]["variant"] == "b"]
    assert len(asked) == 100 and len(copies) == 40
    assert {header["id"] for header, _, _ in copies} <= asked.keys()
    for header, request, answer in copies:
        # The same request under the same id, and what the shadow made of it.
        assert asked[header["id"]] == request and answer == {"x": request["x"] * 10, "by": "b"}
    text = gateway.request("GET", "/metrics", key=True)[2]
    assert b'studio_variant_requests_total{endpoint="rain",variant="b"} 60' in text
    assert b'studio_capture_unsampled_total{endpoint="rain"} 100' in text


async def test_slow_shadow_delays_nobody_and_its_copies_are_dropped(
    gateway: Gateway, models: dict[str, Path], tmp_path: Path
) -> None:
    """The shadow hangs at its first copy, until all callers have their answers."""
    gate = tmp_path / "gate"
    both = [("a", 1.0, [gateway.replica(models["a"], "a")]), ("b", 100.0, [gateway.replica(models["b"], "b")])]
    gateway.endpoint("rain", both, timeout_s=600)
    linked(gateway, 2)
    pin = {"X-Amzn-SageMaker-Target-Variant": "b"}
    held = asyncio.create_task(
        asyncio.to_thread(gateway.predict, "rain", json.dumps({"x": 1, "until": str(gate)}), **pin)
    )
    await asyncio.to_thread(until, lambda: figures(gateway, "b")["inflight"] == 1, "b is busy")
    gateway.endpoint("rain", both, shadows=("b",), timeout_s=600)
    assert await load(gateway, 8, 50) == {"a": 400}
    found = figures(gateway, "b")
    assert found["dropped"] == 400 - 256 and found["inflight"] + found["waiting"] == 256
    gate.touch()
    assert (await held)[0] == 200
    until(lambda: figures(gateway, "b")["requests"] == 256, "the end of what was copied")
    assert figures(gateway, "b")["errors"] == 0


async def test_shadow_that_dies_fails_nobody(gateway: Gateway, models: dict[str, Path]) -> None:
    both = [("a", 1.0, [gateway.replica(models["a"], "a")]), ("b", 100.0, [gateway.replica(models["b"], "b")])]
    gateway.endpoint("rain", both, shadows=("b",))
    linked(gateway, 2)
    assert await load(gateway, 4, 5, die="b") == {"a": 20}
    until(lambda: figures(gateway, "b")["inflight"] == 0, "the end of every copy")
    found = figures(gateway)
    assert (found["requests"], found["errors"]) == (20, 0)
    # The first one died of it; what came while there was none is not kept for a successor.
    shadow = found["variants"]["b"]
    assert shadow["errors"] == shadow["requests"] > 0 and shadow["requests"] + shadow["dropped"] == 20
    gateway.endpoint("rain", both[:1])
    assert await load(gateway, 4, 5) == {"a": 20} and list(figures(gateway)["variants"]) == ["a"]


def test_nobody_can_ask_for_a_shadow(gateway: Gateway, models: dict[str, Path]) -> None:
    gateway.endpoint("rain", [("v1", 1.0, [gateway.replica(models["a"], "a")]), ("v2", 100.0, [])], shadows=("v2",))
    for pinned in ("v2", "v3", "%76"):
        status, _, answer = gateway.predict("rain", '{"x": 1}', **{"X-Amzn-SageMaker-Target-Variant": pinned})
        assert status == 404 and answer["error_code"] == "RESOURCE_DOES_NOT_EXIST" and "v1" in answer["message"]
    status, _, raw = gateway.request("POST", "/v2/models/rain/versions/2/infer", '{"inputs": []}', key=True)
    assert status == 404 and list(json.loads(raw)) == ["error"]
    asked = gateway.ask({"op": "invoke", "domain": "demo", "endpoint": "rain", "variant": "v2", "body": "{}"})
    assert asked["invoke"]["status"] == 404


async def test_variants_at_zero_are_woken_by_their_own_callers(
    gateway: Gateway, models: dict[str, Path], forker: Forker
) -> None:
    rows: Any = [(name, weight, [gateway.replica_socket(name)]) for name, weight in (("a", 1.0), ("b", 0.0))]
    gateway.endpoint("rain", rows, mode="serverless", wake=wake(gateway, forker, models, "a", "b"))
    before = len(forker.forks())
    assert await load(gateway, 10, 3) == {"a": 30}
    assert len(forker.forks()) == before + 1 and figures(gateway, "b")["requests"] == 0
    pin = {"X-Amzn-SageMaker-Target-Variant": "b"}
    status, _, answer = await asyncio.to_thread(gateway.predict, "rain", '{"x": 2}', **pin)
    assert (status, answer) == (200, {"x": 20, "by": "b"}) and len(forker.forks()) == before + 2


async def test_the_split_holds_when_all_variants_begin_at_zero(
    gateway: Gateway, models: dict[str, Path], forker: Forker
) -> None:
    """Who is to go to one that sleeps waits for it: else it would never get its share. A shadow is woken too."""
    weights = (("a", 80.0), ("b", 20.0), ("c", 10.0))
    rows: Any = [(name, weight, [gateway.replica_socket(name)]) for name, weight in weights]
    wakes = wake(gateway, forker, models, "a", "b", "c")
    gateway.endpoint("rain", rows, shadows=("c",), mode="serverless", wake=wakes)
    before = len(forker.forks())
    assert await load(gateway, 50, 2) == {"a": 80, "b": 20}
    until(lambda: figures(gateway, "c")["requests"] == 10, "the copies")
    assert len(forker.forks()) == before + 3


async def test_variant_that_cannot_be_woken_leaves_its_callers_to_another(
    gateway: Gateway, models: dict[str, Path], forker: Forker
) -> None:
    rows: Any = [("a", 1.0, [gateway.replica(models["a"], "a")]), ("b", 1.0, [gateway.replica_socket("b")])]
    [broken] = wake(gateway, forker, models, "b")
    gateway.endpoint("rain", rows, wake=[broken | {"socket": str(gateway.sockets / "b" / "none.sock")}])
    linked(gateway, 1)
    assert await load(gateway, 4, 5) == {"a": 20}


async def test_weights_and_variants_change_under_load_without_an_error(
    gateway: Gateway, models: dict[str, Path]
) -> None:
    places = {name: [gateway.replica(models[name], name)] for name in "abc"}

    def route(**weights: float) -> None:
        gateway.endpoint("rain", [(name, weight, places[name]) for name, weight in weights.items()])

    ended = asyncio.Event()
    route(a=100)
    running = asyncio.create_task(load(gateway, 16, ended=ended))
    for weights in ({"a": 90, "b": 10}, {"a": 0.5, "b": 0.5}, {"b": 60, "c": 40}, {"a": 0, "c": 7}):
        await asyncio.to_thread(route, **weights)
        before = await asyncio.to_thread(figures, gateway)
        for name in [name for name, weight in weights.items() if weight]:
            enough = before["variants"][name]["requests"] + 20
            await asyncio.to_thread(
                until, lambda of=name, least=enough: figures(gateway, of)["requests"] >= least, f"more of {name}"
            )
    ended.set()
    seen = await running
    assert set(seen) == {"a", "b", "c"}
    # One without weight answers only who asks for it.
    assert await load(gateway, 2, 10) == {"c": 20}
    pin = {"X-Amzn-SageMaker-Target-Variant": "a"}
    assert (await asyncio.to_thread(gateway.predict, "rain", '{"x": 2}', **pin))[2] == {"x": 2, "by": "a"}


async def test_hanging_variant_holds_up_no_other(gateway: Gateway, models: dict[str, Path], tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    both = [("a", 1.0, [gateway.replica(models["a"], "a")]), ("b", 0.0, [gateway.replica(models["b"], "b")])]
    gateway.endpoint("rain", both, timeout_s=600)
    pin = {"X-Amzn-SageMaker-Target-Variant": "b"}
    held = json.dumps({"x": 1, "until": str(gate)})
    hanging = [asyncio.create_task(asyncio.to_thread(gateway.predict, "rain", held, **pin)) for _ in range(4)]
    await asyncio.to_thread(until, lambda: figures(gateway, "b")["inflight"] == 4, "four that hang")
    assert await load(gateway, 4, 50) == {"a": 200}
    assert figures(gateway, "b")["inflight"] == 4
    # The average over two seconds comes to what there is.
    await asyncio.to_thread(until, lambda: figures(gateway, "b")["load"] == 4.0, "the load")
    gate.touch()
    assert [(await one)[0] for one in hanging] == [200] * 4


@pytest.mark.soak
async def test_sixteen_thousand_rows_at_once_are_not_mixed_up(gateway: Gateway, models: dict[str, Path]) -> None:
    """Two variants, a shadow, and a replica that is killed in the middle: every answer is to its own question."""
    paths = {name: gateway.replica(models[model], name) for name, model in (("a", "a"), ("a2", "a"), ("b", "b"))}
    gateway.replica(models["c"], "c")
    rows = [("a", 75.0, [paths["a"], paths["a2"]]), ("b", 25.0, [paths["b"]])]
    gateway.endpoint("rain", [*rows, ("c", 20.0, [gateway.replica_socket("c")])], shadows=("c",))
    linked(gateway, 4)
    running = asyncio.create_task(load(gateway, 64, 250))
    await asyncio.to_thread(until, lambda: figures(gateway)["requests"] > 4000, "a part of it")
    os.kill(gateway.pids["a2"], signal.SIGKILL)
    seen = await running
    assert seen.total() == 16_000 and abs(seen["b"] - 4000) <= 64
    assert figures(gateway)["errors"] == 0
