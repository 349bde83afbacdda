"""Memory of the idle processes: proportional set size, which counts a shared page once over all who share it."""

import sys
import tempfile
from pathlib import Path

import psutil

from tests.benchmarks import mlflow_server
from tests.benchmarks.report import Row
from tests.live import Live

SERVER_MB = 150.0


def measure(live: Live) -> list[Row]:
    """Rows for the server and for all that belongs to the tracker; each process of Studio is named on stderr."""
    status = live.status
    named = {name: int(status[name]["pid"]) for name in ("supervisor", "gateway", "server")}
    sizes = {name: pss(pid) for name, pid in named.items()}
    for child in psutil.Process(named["supervisor"]).children(recursive=True):
        if child.pid not in named.values():
            print(f"{pss(child.pid):>8.1f} MB  {' '.join(child.cmdline())[:120]}", file=sys.stderr)
    for name, size in sizes.items():
        print(f"{size:>8.1f} MB  {name}", file=sys.stderr)
    with tempfile.TemporaryDirectory() as folder, mlflow_server.server(Path(folder)) as (target, pid):
        with target.http() as http:
            http.post("/api/2.0/mlflow/experiments/search", json={"max_results": 1}).raise_for_status()
        theirs = [pss(pid), *(pss(child.pid) for child in psutil.Process(pid).children(recursive=True))]
    return [
        Row("memory of the server, idle", "MB", [sizes["server"]], [max(theirs)], "mlflow's worker", limit=SERVER_MB),
        Row("memory of supervisor, gateway and server", "MB", [sum(sizes.values())], [sum(theirs)], "mlflow server"),
    ]


def pss(pid: int) -> float:
    """MB of one process (Linux)."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024
