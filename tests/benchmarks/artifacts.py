"""A large artifact up and down through the tracking server, beside a real `mlflow server`."""

import http.client
import os
import tempfile
import time
from pathlib import Path

from tests.benchmarks import mlflow_server, report
from tests.benchmarks.load import Target
from tests.benchmarks.report import Row
from tests.benchmarks.tracking import PEER, prepare, studio
from tests.live import Live

SIZE = 100 * 1024 * 1024
PIECE = 1 << 20


def measure(live: Live) -> list[Row]:
    """Rows up and down, in seconds. Studio's upload is on disk when it is acknowledged, MLflow's need not be."""
    up = Row("100 MB artifact up", "s", [], [], PEER)
    down = Row("100 MB artifact down", "s", [], [], PEER)
    with tempfile.TemporaryDirectory() as name, mlflow_server.server(folder := Path(name)) as (theirs, _):
        ours = studio(live)
        file = folder / "large"
        file.write_bytes(os.urandom(PIECE) * (SIZE // PIECE))
        for target in (ours, theirs):
            prepare(target)
        for _ in range(report.ROUNDS):
            for target, sent, got in ((ours, up.studio, down.studio), (theirs, up.peer, down.peer)):
                sent.append(_up(target, file))
                got.append(_down(target))
    return [up, down]


def _open(target: Target) -> tuple[http.client.HTTPConnection, str, dict[str, str]]:
    path = f"/api/2.0/mlflow-artifacts/artifacts/{target.experiment}/{target.run}/artifacts/large"
    connection = http.client.HTTPConnection("127.0.0.1", target.port, timeout=120, blocksize=PIECE)
    return connection, path, {"Authorization": f"Bearer {target.token}"}


def _up(target: Target, file: Path) -> float:
    connection, path, headers = _open(target)
    with file.open("rb") as body:
        started = time.perf_counter()
        connection.request("PUT", path, body, {**headers, "Content-Length": str(SIZE)})
        answer = connection.getresponse()
        answer.read()
    took = time.perf_counter() - started
    connection.close()
    assert answer.status == 200, answer.status
    return took


def _down(target: Target) -> float:
    connection, path, headers = _open(target)
    piece = memoryview(bytearray(PIECE))
    started = time.perf_counter()
    connection.request("GET", path, headers=headers)
    answer = connection.getresponse()
    size = 0
    while got := answer.readinto(piece):
        size += got
    took = time.perf_counter() - started
    connection.close()
    assert (answer.status, size) == (200, SIZE)
    return took
