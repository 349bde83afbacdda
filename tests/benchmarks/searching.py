"""Searching 20,000 runs beside a real `mlflow server`, 200,000 alone, and reading a long history; both databases are
filled with the same runs, and must give the same ones.

`python -m tests.benchmarks.searching` measures Studio's server alone, without the gateway before it.
"""

import base64
import json
import socket
import statistics
import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import Any

from studio.settings import Settings
from studio.store.engine import open_engine
from tests.benchmarks import mlflow_server, report
from tests.benchmarks.load import API, Target
from tests.benchmarks.report import Row, show
from tests.benchmarks.seeding import Shape, fill_mlflow, fill_studio
from tests.benchmarks.tracking import PEER, server_alone, studio
from tests.live import Live

FEW, MANY, POINTS = 20_000, 200_000, 100_000
PAGE = 100
ROUND = 10  # calls of Studio in a round, of which the median counts; MLflow gets one
FILTERED = "metrics.loss > 0.5 AND params.depth = '3'"  # 6 % of the runs
SEARCHES: dict[str, dict[str, Any]] = {
    "newest 100": {},
    "by a metric": {"order_by": ["metrics.auc DESC"]},
    "filter and order": {"filter": FILTERED, "order_by": ["metrics.auc ASC"]},
    "page 20": {"order_by": ["metrics.auc DESC"], "page": 20},
}
# Besides, of Studio alone: what is hard for one of the two ways that a search can take.
HARD: dict[str, dict[str, Any]] = {
    "hardly any run matches": {"filter": "params.l2 LIKE '0.0000%' AND metrics.loss > 0.97"},
    "1 % matches, by a metric": {"filter": "params.seed = '7'", "order_by": ["metrics.auc DESC"]},
    "nearly all match, by a metric": {"filter": "metrics.loss > 0.1", "order_by": ["metrics.auc DESC"]},
    "no run matches": {"filter": "params.seed = 'none'", "order_by": ["metrics.auc DESC"]},
}
FEW_MS, MANY_MS = 10.0, 25.0
RATIO, HISTORY_RATIO = 30.0, 10.0


class Client:
    """One connection that asks and waits; a new one for each round, since servers close what is idle."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self._buffer = bytearray(1 << 20)
        self.connect()

    def connect(self) -> None:
        """Begins with a new connection."""
        self.close()
        self._socket = socket.create_connection(("127.0.0.1", self.target.port), timeout=600)

    def close(self) -> None:
        """Ends the connection, if there is one."""
        if hasattr(self, "_socket"):
            self._socket.close()

    def ask(self, request: bytes) -> tuple[float, bytes]:
        """(ms until the last byte, body)."""
        started = time.perf_counter()
        self._socket.sendall(request)
        data = bytearray()
        size = -1
        while size < 0 or len(data) < size:
            count = self._socket.recv_into(self._buffer)
            if not count:
                raise RuntimeError(f"the server closed the connection after {bytes(data[:500])!r}")
            data += memoryview(self._buffer)[:count]
            if size < 0 and (end := data.find(b"\r\n\r\n")) >= 0:
                head = bytes(data[:end]).lower()
                size = end + 4 + int(head.partition(b"content-length:")[2].split(b"\r\n")[0])
        took = (time.perf_counter() - started) * 1000
        head, _, body = bytes(data).partition(b"\r\n\r\n")
        if b" 200 " not in head.split(b"\r\n")[0]:
            raise RuntimeError((head + body)[:2000].decode())
        return took, body

    def search(self, experiment: str, page: int = 1, **wanted: Any) -> bytes:
        """The request of a search; pages before the wanted one are turned where the server's tokens ask for it."""
        body = {"experiment_ids": [experiment], "max_results": PAGE, **wanted}
        if page > 1 and self.target.token == "none":  # MLflow's tokens are numbers of runs
            offset = json.dumps({"offset": (page - 1) * PAGE}).encode()
            body["page_token"] = base64.b64encode(offset).decode()
        elif page > 1:
            for _ in range(page - 1):
                _, answer = self.ask(self.target.request(f"{API}runs/search", json.dumps(body).encode()))
                body["page_token"] = json.loads(answer)["next_page_token"]
        return self.target.request(f"{API}runs/search", json.dumps(body).encode())

    def history(self, run_id: str) -> bytes:
        """The request of all values of a metric."""
        return self.target.request(f"{API}metrics/get-history?run_id={run_id}&metric_key=auc", b"", "GET")

    def median(self, request: bytes, count: int) -> float:
        """Of the ms of so many calls."""
        self.connect()
        return statistics.median(self.ask(request)[0] for _ in range(count))


def measure(live: Live) -> list[Row]:
    """Through the gateway."""
    with tempfile.TemporaryDirectory() as name, mlflow_server.server(folder := Path(name)) as (theirs, _):
        return compare(studio(live), live.settings.database, theirs, folder / "mlflow.db")


def compare(ours: Target, database: str, theirs: Target, their_file: Path) -> list[Row]:
    """Fills both, and asks them in turns."""
    rows = []
    engine = open_engine(database)
    few, long = Shape(FEW), Shape(1, metrics=1, points=POINTS)
    our_few, their_few = fill_studio(engine, "demo", "few", few), fill_mlflow(their_file, "few", few)
    our_long, _ = fill_studio(engine, "demo", "long", long), fill_mlflow(their_file, "long", long)
    our_many = fill_studio(engine, "demo", "many", Shape(MANY))
    engine.dispose()
    with closing(Client(ours)) as us, closing(Client(theirs)) as them:
        for name, wanted in SEARCHES.items():
            requests = us.search(our_few, **wanted), them.search(their_few, **wanted)
            _check(name, us.ask(requests[0])[1], them.ask(requests[1])[1])
            rows.append(_in_turns(f"search {FEW:,} runs: {name}", us, them, requests, RATIO, FEW_MS))
        us.connect()
        (run,) = _runs(us.ask(us.search(our_long))[1])
        requests = us.history(run), them.history(run)
        rows.append(_in_turns(f"history of {POINTS:,} values", us, them, requests, HISTORY_RATIO, None))
        for name, wanted in (SEARCHES | HARD).items():
            us.connect()
            request = us.search(our_many, **wanted)
            row = Row(f"search {MANY:,} runs: {name}", "ms", [], limit=MANY_MS)
            row.studio += [us.median(request, ROUND) for _ in range(report.ROUNDS)]
            rows.append(row)
    return rows


def _in_turns(
    name: str, us: Client, them: Client, requests: tuple[bytes, bytes], ratio: float, limit: float | None
) -> Row:
    row = Row(name, "ms", [], [], PEER, target_ratio=ratio, limit=limit)
    for _ in range(report.ROUNDS):
        row.studio.append(us.median(requests[0], ROUND))
        row.peer.append(them.median(requests[1], 1))
    return row


def _check(name: str, ours: bytes, theirs: bytes) -> None:
    """Figures of searches that find different runs would say nothing."""
    if _runs(ours) != _runs(theirs) or len(_runs(ours)) != PAGE:
        raise RuntimeError(f"{name}: Studio found {_runs(ours)[:3]} …, MLflow {_runs(theirs)[:3]} …")


def _runs(body: bytes) -> list[str]:
    return [run["info"]["run_id"] for run in json.loads(body).get("runs", ())]


def main() -> None:
    """The server alone, beside its peer."""
    with tempfile.TemporaryDirectory() as home, tempfile.TemporaryDirectory() as folder:
        with server_alone(Path(home)) as ours, mlflow_server.server(Path(folder)) as (theirs, _):
            show(compare(ours, Settings(home=Path(home)).database, theirs, Path(folder) / "mlflow.db"))


if __name__ == "__main__":
    main()
