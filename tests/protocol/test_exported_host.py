"""An exported endpoint as a process: it starts from its folder alone, answers, counts, and ends as containers end."""

import concurrent.futures
import json
import os
import pickle
import signal
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from tests.e2e.served_models import make_by_hand
from tests.live import until
from tests.protocol.exported import START_S, Exported, export_model


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return export_model(make_by_hand(tmp_path / "model"), "rain", tmp_path)


@pytest.fixture
def host(folder: Path) -> Iterator[Exported]:
    one = Exported(folder, "--workers", "2", "--linger", "0.1")
    yield one
    one.close()


def rows(*values: float) -> dict[str, object]:
    return {"dataframe_split": {"columns": ["a", "b"], "data": [[value, 0.0] for value in values]}}


def workers(host: Exported) -> list[int]:
    """The pids of both; they are there before it answers."""
    return [child.pid for child in psutil.Process(host.process.pid).children()]


def test_two_workers_answer_count_together_and_drain(host: Exported) -> None:
    """Callers that keep asking through the end get an answer to all that was taken on, each its own."""
    ended = threading.Event()
    wrong: list[str] = []

    def ask(caller: int) -> int:
        """Asks until the host is gone; how often it was answered."""
        count = 0
        with httpx.Client(base_url=host.url, timeout=60) as client:
            while True:
                value = caller + count / 1000
                try:
                    answer = client.post("/invocations", json=rows(value))
                except httpx.TransportError as error:
                    if not ended.is_set():
                        wrong.append(repr(error))
                    return count
                if answer.status_code != 200 or abs(answer.json()["predictions"][0] - 2 * value) > 1e-9:
                    wrong.append(answer.text)
                count += 1

    def counted() -> float:
        lines = host.get("/metrics")[1].splitlines()
        return sum(float(line.split()[1]) for line in lines if line.startswith("studio_endpoint_requests_total"))

    assert host.get("/v2/health/ready") == (200, '{"ready":true}')
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        asking = [pool.submit(ask, caller) for caller in range(4)]
        until(lambda: counted() > 80, "the callers' requests")
        both = workers(host)
        ended.set()
        assert host.close() == 0, host.said
        assert sum(one.result() for one in asking) >= 80
    assert wrong == [] and len(both) == 2
    until(lambda: not any(psutil.pid_exists(pid) for pid in both), "the workers' end")


@pytest.mark.soak
def test_the_end_of_one_worker_is_the_end_of_all(host: Exported) -> None:
    """So that whoever keeps the container starts it anew, and nobody is half there."""
    assert host.url
    first, second = workers(host)
    os.kill(first, signal.SIGKILL)
    assert host.ended() == 1
    until(lambda: not psutil.pid_exists(second), "the other worker's end")


def test_a_model_that_cannot_be_used_is_said_with_its_cause(folder: Path) -> None:
    (folder / "model" / "model.pkl").write_bytes(b"cnothing_like_it\nmodel\n.")
    broken = Exported(folder)
    assert broken.ended() == 1
    assert "ModuleNotFoundError" in broken.said and "lacks the package that provides 'nothing_like_it'" in broken.said


class Slow:
    """A model whose loading takes ten minutes."""

    def __reduce__(self) -> tuple[object, ...]:
        return exec, ("import os, time\nos.write(1, b'loading')\ntime.sleep(600)",)


def test_it_ends_while_it_loads(folder: Path) -> None:
    """As the first process of a container, which is sent no signal that it does not handle."""
    (folder / "model" / "model.pkl").write_bytes(pickle.dumps(Slow()))
    loading = Exported(folder)
    until(lambda: "loading" in loading.said, "the loading", START_S)
    assert loading.close() == 0


def test_a_port_in_use_and_words_it_does_not_know(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        for options, said in (
            (("--port", port), "Choose another --port"),
            (("--name", "a/b"), "'a/b' is no name"),
            (("--workers", "0"), "--workers is 1 to 256"),
        ):
            refused = Exported(folder, *options)
            assert refused.ended() != 0 and said in refused.said


def test_the_folder_is_all_of_studio_that_it_has(folder: Path) -> None:
    """Without one of its own files it does not find that of this installation."""
    (folder / "studio" / "guest" / "serving" / "tensors.py").unlink()
    alone = Exported(folder)
    assert alone.ended() == 1
    assert "No module named 'studio.guest.serving.tensors'" in alone.said or "cannot import name" in alone.said


def test_sagemakers_ping_and_mlflows_words(folder: Path) -> None:
    one = Exported(folder)
    try:
        assert one.get("/ping")[0] == 200
        answer = httpx.post(f"{one.url}/endpoints/rain/invocations", json=rows(1.5), timeout=60)
        assert answer.json()["predictions"] == pytest.approx([3.0])
        wanted = {"accept": "text/csv", "content-type": "text/csv"}
        lines = httpx.post(f"{one.url}/invocations", content="a,b\n1,0\n2,0\n", headers=wanted, timeout=60)
        assert lines.headers["content-type"].startswith("text/csv")
        assert [float(line) for line in lines.text.split()] == pytest.approx([2.0, 4.0])
        wrong = httpx.post(
            f"{one.url}/invocations", json={"dataframe_split": {"columns": ["a"], "data": [[1]]}}, timeout=60
        )
        assert wrong.status_code == 400 and set(wrong.json()) == {"error_code", "message"} and "'b'" in wrong.text
        assert json.loads(one.get("/v2/models/rain/versions/1/ready")[1]) == {"name": "rain", "ready": True}
    finally:
        assert one.close() == 0
