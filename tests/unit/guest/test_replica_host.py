"""Batching and the replica process."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from studio.guest import frames
from studio.guest.serving.batching import Batcher, Call
from studio.guest.serving.forms import Mlflow
from studio.guest.serving.models import Model, load
from studio.guest.serving.native import NativeModel
from tests.e2e.gateways import Forker, alive, environment, until
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


@pytest.fixture(scope="module")
def model(folder: Path) -> Model:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return load(folder / "linear")


def body(*rows: list[Any]) -> bytes:
    return json.dumps({"dataframe_split": {"columns": COLUMNS, "data": list(rows)}}).encode()


async def answers(model: Model, *bodies: bytes, max_rows: int = 1024) -> list[tuple[int, Any]]:
    """What calls that arrive at once are answered, in the order in which the answers come."""
    got: list[tuple[int, Any]] = []

    def call(text: bytes) -> Call:
        return Call(
            text, Mlflow("application/json"), lambda status, answer, *_: got.append((status, json.loads(answer)))
        )

    loop = asyncio.get_running_loop()
    batcher = Batcher(model, loop, lambda: None, max_rows)
    for text in bodies:
        batcher.add(call(text))
    while len(batcher) or len(got) < len(bodies):  # noqa: ASYNC110 - turns of the loop, not time
        await asyncio.sleep(0)
    return got


async def test_what_arrives_together_is_predicted_together(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(model, NativeModel)
    sizes: list[int] = []
    predict = model.predict

    def counted(data: Any) -> Any:
        sizes.append(len(data))
        return predict(data)

    monkeypatch.setattr(model, "predict", counted)
    got = await answers(model, *(body([number, 0, 0]) for number in range(100)), max_rows=40)
    assert [round(answer["predictions"][0]) for _, answer in got] == [2 * number for number in range(100)]
    assert sizes == [40, 40, 20]


async def test_bad_row_fails_alone_and_in_its_turn(model: Model) -> None:
    got = await answers(
        model, body([1, 0, 0]), body([None, 0, 0]), body([2, 0, 0], [3, 0, 0]), b"{", body(["a", 0, 0]), body([4, 0, 0])
    )
    assert [status for status, _ in got] == [200, 400, 200, 400, 400, 200]
    assert "NaN" in got[1][1]["message"] and "column rain" in got[4][1]["message"]
    assert got[2][1]["predictions"] == pytest.approx([4, 6]) and got[5][1]["predictions"] == pytest.approx([8])


async def test_full_queue_answers_503(model: Model) -> None:
    got = await answers(model, *(body([1, 0, 0]) for _ in range(10_050)))
    assert sorted(status for status, _ in got) == [200] * 10_000 + [503] * 50


def connected(path: Path) -> socket.socket | None:
    """A connection, once somebody listens: the name is there a moment earlier."""
    found = socket.socket(socket.AF_UNIX)
    try:
        found.connect(str(path))
    except (FileNotFoundError, ConnectionRefusedError):
        found.close()
        return None
    return found


class Caller:
    """Speaks frames to a replica."""

    def __init__(self, path: Path) -> None:
        self.socket = until(lambda: connected(path), "the replica")
        self.socket.settimeout(20)
        self._decoder = frames.Decoder()
        self._ready: list[frames.Frame] = []

    def next(self) -> frames.Frame | None:
        while not self._ready:
            data = self.socket.recv(1 << 16)
            if not data:
                return None
            self._ready = self._decoder.feed(data)
        return self._ready.pop(0)


def test_replica_says_hello_answers_and_drains(folder: Path, forker: Forker, tmp_path: Path) -> None:
    path = forker.socket.parent / "a.sock"
    pid = forker.fork({"socket": str(path), "model_dir": str(folder / "linear"), "name": "a"})
    caller = Caller(path)
    hello = caller.next()
    assert hello is not None and hello.kind == frames.HELLO
    about = json.loads(hello.header)
    assert about["state"] == "Ready" and about["checked"] and about["name"] == "a" and about["pid"] == pid
    loaded = about["loaded"]
    assert (loaded["flavor"], loaded["fast_path"], loaded["rows_batched"]) == ("sklearn", "exact", True)
    assert loaded["load_ms"] > 0
    status = until(lambda: Path(f"{path}.json").exists() and json.loads(Path(f"{path}.json").read_text()), "its status")
    assert status["state"] == "Ready"
    sent = [frames.encode(frames.REQUEST, number, b"{}", body([number, 0, 0])) for number in range(1, 201)]
    caller.socket.sendall(b"".join(sent[:100]))
    os.kill(pid, signal.SIGTERM)
    caller.socket.sendall(b"".join(sent[100:]))
    got: dict[int, float] = {}
    drained = False
    while frame := caller.next():
        if frame.kind == frames.DRAIN:
            drained = True
        else:
            got[frame.id] = json.loads(frame.body)["predictions"][0]
    assert drained and len(got) == 200
    assert all(value == pytest.approx(2 * number) for number, value in got.items())
    until(lambda: not alive(pid), "the replica's end")
    assert not path.exists()
    caller.socket.close()


def test_cancelled_request_is_not_answered(folder: Path, forker: Forker) -> None:
    path = forker.socket.parent / "b.sock"
    forker.fork({"socket": str(path), "model_dir": str(folder / "linear"), "name": "b", "fast_path": False})
    caller = Caller(path)
    hello = caller.next()
    assert hello is not None and json.loads(hello.header)["loaded"]["fast_path"] == "off"
    first, second = (frames.encode(frames.REQUEST, number, b"{}", body([number, 0, 0])) for number in (1, 2))
    caller.socket.sendall(first + frames.encode(frames.CANCEL, 1) + second)
    frame = caller.next()
    assert frame is not None and frame.id == 2
    caller.socket.sendall(b"\x00\x00\x00\x01garbage that is no frame")
    assert caller.next() is None
    caller.socket.close()


def test_model_that_does_not_load_says_why_and_ends(tmp_path: Path) -> None:
    args = {"socket": str(tmp_path / "x.sock"), "model_dir": str(tmp_path), "name": "x"}
    program = "import sys, json; from studio.guest.replica import main; main(json.loads(sys.argv[1]))"
    ended = subprocess.run([sys.executable, "-c", program, json.dumps(args)], env=environment(), capture_output=True)
    assert ended.returncode == 1 and b"no file MLmodel" in ended.stderr
    status = json.loads((tmp_path / "x.sock.json").read_text())
    assert status["state"] == "Failed" and "MLmodel" in status["message"] and "log_model" in status["hint"]
    assert not (tmp_path / "x.sock").exists()
