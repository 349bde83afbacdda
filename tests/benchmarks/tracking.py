"""Logging and searching beside a real `mlflow server` (SQLite, one worker): same bodies and keep-alive, interleaved.

`python -m tests.benchmarks.tracking [SECONDS]` measures the server alone, without the gateway before it.
"""

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

from tests.benchmarks import peers
from tests.benchmarks.report import Row, show
from tests.live import ROOT, Live, until

MLFLOW = ["mlflow==3.17.2", "uvloop", "httptools"]
API = "/api/2.0/mlflow/"
ROUNDS = 5
SECONDS = 1.0  # of each load in each round
RUNS = 1000  # searched; MLflow needs minutes to be given more
PEER = "mlflow server, SQLite, 1 worker"


@dataclass
class Target:
    """One server; `run` and `experiment` are of its own."""

    port: int
    token: str
    experiment: str = ""
    run: str = ""
    step: int = 0

    def http(self) -> httpx.Client:
        """For what is not measured."""
        headers = {"authorization": f"Bearer {self.token}"}
        return httpx.Client(base_url=f"http://127.0.0.1:{self.port}", headers=headers, timeout=120)

    def request(self, path: str, body: Any) -> bytes:
        """A whole request."""
        content = json.dumps(body).encode()
        head = f"POST {API}{path} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\nAuthorization: Bearer {self.token}\r\n"
        return f"{head}Content-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n".encode() + content

    def metric(self) -> bytes:
        """A new value."""
        self.step += 1
        body = {"run_id": self.run, "key": "loss", "value": 1 / self.step, "timestamp": self.step, "step": self.step}
        return self.request("runs/log-metric", body)

    def batch(self) -> bytes:
        """1000 new values of ten metrics."""
        self.step += 1000
        metrics = [
            {"key": f"m{n % 10}", "value": n / 7, "timestamp": self.step, "step": self.step + n} for n in range(1000)
        ]
        return self.request("runs/log-batch", {"run_id": self.run, "metrics": metrics})

    def create(self) -> bytes:
        """A new run."""
        return self.request("runs/create", {"experiment_id": self.experiment, "start_time": 1, "run_name": "r"})

    def search(self, **body: Any) -> bytes:
        """A search in the experiment that was filled."""
        return self.request("runs/search", {"experiment_ids": [self.experiment], "max_results": 100, **body})


async def _ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes) -> bytes:
    writer.write(request)
    head = await reader.readuntil(b"\r\n\r\n")
    if b" 200 " not in head.split(b"\r\n", 1)[0]:
        raise RuntimeError(head.decode() + (await reader.read(2000)).decode())
    lengths = [line[15:] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    return await reader.readexactly(int(lengths[0]))


async def _worker(target: Target, load: str, until_: float, times: list[float]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", target.port)
    while time.perf_counter() < until_:
        request = getattr(target, load)()
        started = time.perf_counter()
        await _ask(reader, writer, request)
        times.append(time.perf_counter() - started)
    writer.close()
    await writer.wait_closed()


async def _rate(target: Target, load: str, connections: int, seconds: float) -> tuple[float, float]:
    """(calls per second, 99th percentile in ms)."""
    times: list[float] = []
    started = time.perf_counter()
    await asyncio.gather(*(_worker(target, load, started + seconds, times) for _ in range(connections)))
    return len(times) / (time.perf_counter() - started), sorted(times)[int(len(times) * 0.99)] * 1000


async def _latency(target: Target, count: int, **search: Any) -> float:
    """Median ms of `count` searches."""
    reader, writer = await asyncio.open_connection("127.0.0.1", target.port, limit=1 << 26)
    times = []
    for _ in range(count):
        started = time.perf_counter()
        await _ask(reader, writer, target.search(**search))
        times.append((time.perf_counter() - started) * 1000)
    writer.close()
    await writer.wait_closed()
    return sorted(times)[len(times) // 2]


def fill(target: Target, runs: int) -> None:
    """An experiment with `runs` runs of ten params and ten metrics, and a run to log to."""
    with target.http() as http:
        body = {"name": f"bench {time.time_ns()}"}
        target.experiment = http.post(API + "experiments/create", json=body).json()["experiment_id"]
        for n in range(runs):
            made = http.post(API + "runs/create", json={"experiment_id": target.experiment, "start_time": n + 1})
            run_id = made.json()["run"]["info"]["run_id"]
            metrics = [{"key": f"m{k}", "value": (n * 7919 + k) % 1000, "timestamp": 1, "step": 1} for k in range(10)]
            params = [{"key": f"p{k}", "value": str((n + k) % 10)} for k in range(10)]
            batch = {"run_id": run_id, "metrics": metrics, "params": params}
            assert http.post(API + "runs/log-batch", json=batch).status_code == 200
        target.run = run_id


LOADS = {
    "log_metric": ("metric", 1.0, "1/s", {1: 10.0, 8: 30.0}),
    "log_batch(1000), metrics": ("batch", 1000.0, "1/s", {1: 15.0, 8: 25.0}),
    "create_run": ("create", 1.0, "1/s", {1: 10.0, 8: 30.0}),
}
SEARCHES: dict[str, dict[str, Any]] = {
    "newest 100": {},
    "100 by a metric": {"order_by": ["metrics.m3 DESC"]},
    "100 filtered, by a metric": {"filter": "metrics.m1 > 500 and params.p2 = '3'", "order_by": ["metrics.m3 ASC"]},
}


async def compare(ours: Target, theirs: Target, rounds: int, seconds: float) -> list[Row]:
    """All loads, Studio and MLflow in turns."""
    rows: list[Row] = []
    slowest: list[float] = []
    for name, search in SEARCHES.items():
        row = Row(f"search {RUNS} runs: {name}", "ms", [], [], PEER, target_ratio=30.0)
        for _ in range(rounds):
            row.studio.append(await _latency(ours, 10, **search))
            row.peer.append(await _latency(theirs, 3, **search))
        rows.append(row)
    for name, (load, factor, unit, targets) in LOADS.items():
        for connections, ratio in targets.items():
            label = f"{name}, {connections} connection{'s' * (connections > 1)}"
            row = Row(label, unit, [], [], PEER, higher_is_better=True, target_ratio=ratio)
            for _ in range(rounds):
                rate, worst = await _rate(ours, load, connections, seconds)
                row.studio.append(rate * factor)
                if (load, connections) == ("metric", 8):
                    slowest.append(worst)
                row.peer.append((await _rate(theirs, load, connections, seconds))[0] * factor)
            rows.append(row)
    print(f"log_metric, 8 connections, 99th percentile: {[round(value, 1) for value in slowest]} ms", file=sys.stderr)
    return rows


@contextlib.contextmanager
def mlflow_server(folder: Path) -> Iterator[Target]:
    """The peer, tuned as far as it can be."""
    bin_ = peers.virtualenv("mlflow", MLFLOW)
    port = peers.free_port()
    where = ["--backend-store-uri", f"sqlite:///{folder}/mlflow.db", "--artifacts-destination", str(folder / "files")]
    command = [str(bin_ / "mlflow"), "server", *where, "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    quiet = {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    options = ["--uvicorn-opts", "--loop uvloop --http httptools --log-level warning"]
    with peers.server([*command, *options], f"http://127.0.0.1:{port}/version", folder, quiet):
        yield Target(port, "none")


def measure(live: Live) -> list[Row]:
    """Through the gateway, as a client sees it."""
    with tempfile.TemporaryDirectory() as folder, mlflow_server(Path(folder)) as theirs:
        ours = Target(urlsplit(live.address).port or 80, live.key("demo", live.status["user"]))
        fill(ours, RUNS)
        fill(theirs, RUNS)
        return asyncio.run(compare(ours, theirs, ROUNDS, SECONDS))


@contextlib.contextmanager
def server_alone(home: Path) -> Iterator[Target]:
    """Studio's server with its authentication on a TCP port, without the gateway."""
    port = peers.free_port()
    command = [sys.executable, "-m", "tests.protocol.server", "--home", str(home), "--port", str(port)]
    process = subprocess.Popen(command, cwd=ROOT, env=os.environ)
    try:
        until((home / "tokens.json").exists, "the server", 60)
        until(lambda: _is_up(port), "the server", 60)
        yield Target(port, json.loads((home / "tokens.json").read_text())["ann"])
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)


def _is_up(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/health").status_code == 200
    except httpx.HTTPError:
        return False


def main(seconds: float) -> None:
    """The server alone, beside its peer."""
    with tempfile.TemporaryDirectory() as home, tempfile.TemporaryDirectory() as folder:
        with server_alone(Path(home)) as ours, mlflow_server(Path(folder)) as theirs:
            fill(ours, RUNS)
            fill(theirs, RUNS)
            show(asyncio.run(compare(ours, theirs, 3, seconds)))


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else SECONDS)
