"""A cell's round trip and a new kernel, beside a stock Jupyter server on the same machine."""

import statistics
import tempfile
import time
from pathlib import Path

from studio.cli.demo.kernel import Kernel
from studio.cli.demo.visitor import Visitor
from tests.benchmarks import peers
from tests.benchmarks.report import Row
from tests.live import Live

ROUNDS = 5
CELLS = 40
STOCK = ["jupyter-server==2.21.1", "ipykernel==7.4.0", "pandas>=3", "scikit-learn>=1.9"]
USE = "import pandas, sklearn.ensemble, sklearn.linear_model, sklearn.pipeline"


def measure(live: Live) -> list[Row]:
    """Rows `cell round trip` and `kernel with pandas and scikit-learn usable`, in milliseconds."""
    visitor = live.person()
    origin = live.in_lab(visitor)
    visitor.request("GET", f"{origin}/lab")
    binary = peers.virtualenv("jupyter", STOCK)
    port = peers.free_port()
    command = [str(binary / "python"), "-m", "jupyter_server", f"--port={port}", "--no-browser", "--allow-root"]
    command += ["--IdentityProvider.token=", "--ServerApp.disable_check_xsrf=True", "--ServerApp.port_retries=0"]
    with tempfile.TemporaryDirectory() as folder, peers.server(command, f"http://127.0.0.1:{port}/api", Path(folder)):
        stock, stock_origin = Visitor(f"http://127.0.0.1:{port}"), f"http://127.0.0.1:{port}"
        ours, theirs = [], []
        for _ in range(ROUNDS):
            ours.append(new_kernel(visitor, origin, "sklearn", USE))
            theirs.append(new_kernel(stock, stock_origin, "python3", USE))
        cells = _cells(visitor, origin, "sklearn"), _cells(stock, stock_origin, "python3")
        rounds: tuple[list[float], list[float]] = [], []
        for _ in range(ROUNDS):
            for side in (0, 1):
                rounds[side].append(_round_trip(cells[side]))
        for kernel, who, where in zip(cells, (visitor, stock), (origin, stock_origin), strict=True):
            _end(who, where, kernel)
    return [
        Row("cell round trip, warm `1+1`", "ms", rounds[0], rounds[1], "jupyter server", target_ratio=3.0),
        Row("kernel: POST → pandas, scikit-learn usable", "ms", ours, theirs, "jupyter server", target_ratio=4.0),
    ]


def new_kernel(visitor: Visitor, origin: str, name: str, code: str) -> float:
    """Milliseconds from asking for a kernel to the answer of its first cell."""
    begun = time.perf_counter()
    kernel = Kernel.start(visitor, origin, name, f"bench-{begun}.ipynb")
    kernel.run(code)
    took = (time.perf_counter() - begun) * 1000
    _end(visitor, origin, kernel)
    return took


def _cells(visitor: Visitor, origin: str, name: str) -> Kernel:
    kernel = Kernel.start(visitor, origin, name, "bench-cells.ipynb")
    for _ in range(5):
        kernel.run("1+1")
    return kernel


def _round_trip(kernel: Kernel) -> float:
    taken = []
    for _ in range(CELLS):
        begun = time.perf_counter()
        kernel.run("1+1")
        taken.append((time.perf_counter() - begun) * 1000)
    return statistics.median(taken)


def _end(visitor: Visitor, origin: str, kernel: Kernel) -> None:
    kernel.disconnect()
    visitor.json("DELETE", f"{origin}/api/kernels/{kernel.id}")
