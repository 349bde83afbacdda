"""Logging beside a real `mlflow server`: same bodies, same load generator, keep-alive, in turns; Studio with real keys.

`python -m tests.benchmarks.tracking` measures Studio's server alone, without the gateway before it.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
from sqlalchemy import text

from studio.store.engine import open_engine
from tests.benchmarks import load, mlflow_server, peers, report
from tests.benchmarks.load import API, Target
from tests.benchmarks.report import Row, show
from tests.live import ROOT, Live, until
from tests.postgres import cluster

PEER = "mlflow server"
# What is sent, how much one call counts, in which unit, how many calls a second are made ready, the ratio that is
# asked by the number of connections.
LOADS = {
    "log_metric": (Target.metrics, 1, "1/s", 12_000, {1: 10.0, 8: 30.0}),
    "log_batch(1000), metrics": (Target.batches, 1000, "1/s", 600, {1: 15.0, 8: 25.0}),
    "create_run": (Target.creations, 1, "1/s", 12_000, {1: 10.0, 8: 30.0}),
}
P99_MS = 10.0  # of log_metric at 8 connections
ON_POSTGRESQL = 5.0
SQLITE = {"journal_mode": "PRAGMA journal_mode", "synchronous (2: FULL)": "PRAGMA synchronous"}
POSTGRESQL = {name: f"SHOW {name}" for name in ("fsync", "synchronous_commit", "full_page_writes")}
# The official client, one call after the other; calls a second.
CLIENT = """
import json, time
from mlflow import MlflowClient
from mlflow.entities import Metric
client = MlflowClient()
experiment = client.create_experiment(f"client {time.time_ns()}")
run = client.create_run(experiment).info.run_id
def rate(call, count):
    call(0)
    started = time.perf_counter()
    for n in range(1, count + 1):
        call(n)
    return count / (time.perf_counter() - started)
batch = lambda n: client.log_batch(run, [Metric(f"m{k % 10}", k / 7, 1, n * 1000 + k) for k in range(1000)])
print(json.dumps({
    "log_metric": rate(lambda n: client.log_metric(run, "loss", 1 / (n + 1), step=n), 200),
    "log_batch(1000), metrics": 1000 * rate(batch, 20),
    "create_run": rate(lambda n: client.create_run(experiment), 50),
}))
"""


def measure(live: Live) -> list[Row]:
    """Through the gateway, as a client sees it, both on SQLite."""
    with tempfile.TemporaryDirectory() as name, mlflow_server.server(folder := Path(name)) as (theirs, _):
        ours = studio(live)
        print(f"Studio: {settings(live.settings.database, SQLITE)}", file=sys.stderr)
        print(f"MLflow: {mlflow_server.settings(mlflow_server.sqlite(folder), folder, SQLITE)}", file=sys.stderr)
        return [*compare(ours, theirs), *with_client(ours, theirs)]


def measure_postgresql(_live: Live) -> list[Row]:
    """The same, both on one PostgreSQL that keeps what it acknowledges."""
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        postgres = stack.enter_context(cluster(durable=True))
        for_us, for_them = postgres.url("studio"), postgres.url("mlflow")
        theirs, _ = stack.enter_context(mlflow_server.server(folder, for_them))
        live = Live(folder / "home", STUDIO_DATABASE_URL=for_us)
        stack.callback(live.stop)
        live.start()
        print(f"Studio: {settings(for_us, POSTGRESQL)}", file=sys.stderr)
        print(f"MLflow: {mlflow_server.settings(for_them, folder, POSTGRESQL)}", file=sys.stderr)
        rows = compare(studio(live), theirs)
    for row in rows:
        row.name, row.target_ratio, row.limit = f"PostgreSQL: {row.name}", min(row.target_ratio, ON_POSTGRESQL), None
    return rows


def studio(live: Live) -> Target:
    """The product at its gateway."""
    return Target(urlsplit(live.address).port or 80, live.key("demo", live.status["user"]))


def settings(database: str, questions: dict[str, str]) -> dict[str, str]:
    """What a connection of Studio's store answers."""
    engine = open_engine(database)
    with engine.connect() as db:
        found = {name: db.execute(text(how)).scalar_one() for name, how in questions.items()}
    engine.dispose()
    return found


def prepare(target: Target) -> None:
    """An experiment and a run to log to."""
    with target.http() as http:
        made = http.post(f"{API}experiments/create", json={"name": f"bench {time.time_ns()}"}).raise_for_status()
        target.experiment = made.json()["experiment_id"]
        run = http.post(f"{API}runs/create", json={"experiment_id": target.experiment}).raise_for_status()
        target.run = run.json()["run"]["info"]["run_id"]


def compare(ours: Target, theirs: Target) -> list[Row]:
    """All loads, Studio and MLflow in turns."""
    rows: list[Row] = []
    prepare(ours)
    prepare(theirs)
    for name, (requests, counts, unit, a_second, targets) in LOADS.items():
        for connections, ratio in targets.items():
            label = f"{name}, {connections} connection{'s' * (connections > 1)}"
            rate = Row(label, unit, [], [], PEER, higher_is_better=True, target_ratio=ratio)
            limit = P99_MS if (name, connections) == ("log_metric", 8) else None
            slowest = Row(f"{label}: 99th percentile", "ms", [], [], PEER, target_ratio=0.0, limit=limit)
            for _ in range(report.ROUNDS):
                for target, rates, times in ((ours, rate.studio, slowest.studio), (theirs, rate.peer, slowest.peer)):
                    made = requests(target, int(a_second * report.SECONDS))
                    found = load.run(target.port, made, connections, report.SECONDS)
                    rates.append(found.rate * counts)
                    times.append(found.p99)
            rows += [rate, slowest]
    return rows


def with_client(ours: Target, theirs: Target) -> list[Row]:
    """Once with the official client, whose own time is most of it."""
    found = mlflow_server.client(ours, CLIENT), mlflow_server.client(theirs, CLIENT)
    return [
        Row(f"mlflow's client: {name}", "1/s", [rate], [found[1][name]], PEER, higher_is_better=True, target_ratio=0.0)
        for name, rate in found[0].items()
    ]


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


def main() -> None:
    """The server alone, beside its peer."""
    with tempfile.TemporaryDirectory() as home, tempfile.TemporaryDirectory() as folder:
        with server_alone(Path(home)) as ours, mlflow_server.server(Path(folder)) as (theirs, _):
            show(compare(ours, theirs))


if __name__ == "__main__":
    main()
