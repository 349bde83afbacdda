"""What isolation costs and what forking gives, each beside the same without it in the same run: the start of a sandbox,
a domain's first page, a kernel, a replica, and the memory of all that."""

import asyncio
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import psutil
from playwright.sync_api import Page

from studio.cli.demo.kernel import Kernel
from studio.cli.demo.visitor import Visitor
from studio.runtime import guests, sandbox
from studio.runtime.specs import ChildSpec, Isolation
from studio.serving import replica_socket
from tests import sandboxes
from tests.benchmarks import memory, notebooks, peers, report, serving
from tests.benchmarks.report import Row
from tests.e2e import served_models
from tests.e2e.killing import children
from tests.live import Live, running, until
from tests.ui.browser import chromium, window
from tests.ui.walk import Walk

LAB = ["jupyterlab==4.6.6", "jupyter-server==2.21.1", "ipykernel==7.4.0", "pandas>=3", "scikit-learn>=1.9"]
MINUTE = 60_000
USE = "import pandas, sklearn.ensemble, sklearn.linear_model, sklearn.pipeline"


def measure(live: Live) -> list[Row]:
    """Each row says its limit or the ratio that is asked."""
    return [
        *_memory(),
        *asyncio.run(_sandboxes()),
        _first_page(live),
        *_kernels(live),
    ]


async def _sandboxes() -> list[Row]:
    """A sandbox's start above that of the same process without one, and a replica in a warm one; milliseconds."""
    isolated: list[float] = []
    plain: list[float] = []
    with tempfile.TemporaryDirectory(prefix="studio-bench-") as home:
        async with sandboxes.connected(Path(home) / "home") as running:
            for number in range(2 * report.ROUNDS):
                isolated.append(await _start(running, f"d{number}", "bubblewrap"))
                plain.append(await _start(running, f"p{number}", "none"))
            replicas = await _replicas(running)
    extra = [statistics.median(isolated) - statistics.median(plain)]
    return [
        Row("sandbox: its start", "ms", isolated, plain, "no sandbox", target_ratio=0),
        Row("sandbox: its start, above no sandbox", "ms", extra, limit=60),
        Row("replica: forked → answering, warm sandbox", "ms", replicas, limit=50),
    ]


async def _start(running: sandboxes.Running, domain: str, isolation: Isolation) -> float:
    # Without a network there is no forwarder on either side: the same processes.
    spec = sandbox.build_spec(running.paths, domain, "ann", isolation=isolation, network="none")
    begun = time.perf_counter()
    await running.client.sandbox_start(spec)
    took = (time.perf_counter() - begun) * 1000
    await running.client.sandbox_stop(spec.id)
    return took


async def _replicas(running: sandboxes.Running) -> list[float]:
    box = await running.box("models", "service", preload=(*guests.PRELOAD, *guests.THEN))
    served_models.make(box.layout.host_models / "made")
    found = []
    for number in range(2 * report.ROUNDS + 1):
        name = f"r/bench-{number}.sock"
        out = box.layout.inside_out
        args = {"socket": f"{out}/{name}", "model_dir": box.layout.inside(box.layout.host_models / "made" / "linear")}
        begun = time.perf_counter()
        pid = await running.client.child_fork(box.id, "sklearn", ChildSpec(f"bench-{number}", "replica", args=args))
        while not await replica_socket.is_ready(box.layout.host_out, name, pid):  # noqa: ASYNC110 - to be measured
            await asyncio.sleep(0.001)
        found.append((time.perf_counter() - begun) * 1000)
        await running.client.child_stop(box.id, f"bench-{number}", 1.0)
    return found[1:]  # the first one waited for the fork server


def _first_page(live: Live) -> Row:
    """From nothing to JupyterLab's page in Chromium: a domain that nobody has open, beside JupyterLab's own start."""
    ours: list[float] = []
    theirs: list[float] = []
    binary = peers.virtualenv("jupyterlab", LAB)
    with chromium() as browser, live.operator() as api:
        with window(browser) as page:
            Walk(page, live).sign_in()
            for number in range(report.ROUNDS):
                name = f"bench-{number}"
                api.post("domains", {"name": name})
                begun = time.perf_counter()
                page.goto(f"{live.address}/open?domain={name}")
                _ready(page)
                ours.append((time.perf_counter() - begun) * 1000)
                theirs.append(_plain_page(page, binary))
                api.delete(f"domains/{name}/lab")
    return Row("domain: opened → first page", "ms", ours, theirs, "jupyter lab", target_ratio=1 / 1.3)


def _plain_page(page: Page, binary: Path) -> float:
    port = peers.free_port()
    command = [str(binary / "python"), "-m", "jupyterlab", f"--port={port}", "--no-browser", "--allow-root"]
    command += ["--IdentityProvider.token=", "--ServerApp.port_retries=0"]
    begun = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        with peers.server(command, f"http://127.0.0.1:{port}/api", Path(folder)):
            page.goto(f"http://127.0.0.1:{port}/lab")
            _ready(page)
            return (time.perf_counter() - begun) * 1000


def _ready(page: Page) -> None:
    page.wait_for_selector("#jp-main-dock-panel", timeout=MINUTE)
    page.wait_for_selector("#jupyterlab-splash", state="detached", timeout=MINUTE)


def _kernels(live: Live) -> list[Row]:
    """First reply and libraries usable, from the POST; and what an idle one keeps for itself."""
    with closing(live.person()) as visitor, _stock() as (stock, stock_origin):
        origin = live.in_lab(visitor)
        notebooks.new_kernel(visitor, origin, "sklearn", USE)  # the fork server is there from here on
        first: tuple[list[float], list[float]] = ([], [])
        usable: tuple[list[float], list[float]] = ([], [])
        sides = ((visitor, origin, "sklearn"), (stock, stock_origin, "python3"))
        for _ in range(report.ROUNDS):
            for side, (who, where, name) in enumerate(sides):
                first[side].append(notebooks.new_kernel(who, where, name, "1"))
                usable[side].append(notebooks.new_kernel(who, where, name, USE))
        own = [_private(*side, live) for side in sides]
    return [
        Row("kernel: POST → first reply", "ms", *first, "jupyter server", target_ratio=0, limit=200),
        Row("kernel: POST → pandas, scikit-learn usable", "ms", *usable, "jupyter server", target_ratio=0, limit=250),
        Row("kernel: private memory, idle with both", "MB", [own[0]], [own[1]], "jupyter server", limit=60),
    ]


@contextmanager
def _stock() -> Iterator[tuple[Visitor, str]]:
    binary, port = peers.virtualenv("jupyterlab", LAB), peers.free_port()
    command = [str(binary / "python"), "-m", "jupyter_server", f"--port={port}", "--no-browser", "--allow-root"]
    command += ["--IdentityProvider.token=", "--ServerApp.disable_check_xsrf=True", "--ServerApp.port_retries=0"]
    origin = f"http://127.0.0.1:{port}"
    with tempfile.TemporaryDirectory() as folder, peers.server(command, f"{origin}/api", Path(folder)):
        with closing(Visitor(origin)) as visitor:
            yield visitor, origin


def _private(visitor: Visitor, origin: str, name: str, live: Live) -> float:
    """MB that only this kernel uses."""
    kernel = Kernel.start(visitor, origin, name, "bench-memory.ipynb")
    try:
        kernel.run(USE)
        inside = int(kernel.value("__import__('os').getpid()"))
        forked = [child["pid"] for found, child in children(live).items() if kernel.id in found]
        return private(forked[0] if forked else inside)
    finally:
        kernel.disconnect()
        visitor.json("DELETE", f"{origin}/api/kernels/{kernel.id}")


def private(pid: int) -> float:
    """MB of the pages that no other process maps (Linux)."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("Private_")) / 1024


def _memory() -> list[Row]:
    """All of a Studio with nothing open, and with `demo` open and one endpoint; proportional set sizes."""
    with tempfile.TemporaryDirectory(prefix="studio-bench-") as home, running(Path(home) / "home") as live:
        empty = _tree(live)
        with closing(live.person()) as visitor:
            visitor.request("GET", f"{live.in_lab(visitor)}/lab")
            serving.register(live.address, live.key("demo", live.status["user"]))
            with live.operator() as api:
                api.post("domains/demo/endpoints", {"name": "one", "model": "models:/bench/1", "mode": "always"})
                api.get("domains/demo/endpoints/one", wait="InService", timeout_s=60)
            full = _tree(live)
    return [
        Row("memory: no domain open", "MB", [empty], limit=200),
        Row("memory: demo open, one endpoint", "MB", [full], limit=600),
    ]


def _tree(live: Live) -> float:
    """MB of the supervisor and everything below it, sandboxes included."""
    until(lambda: live.status["server"]["state"] == "Running", "the server")
    status = live.status
    pids = {int(status[name]["pid"]) for name in ("supervisor", "gateway", "server")}
    pids |= {child.pid for pid in list(pids) for child in psutil.Process(pid).children(recursive=True)}
    for box in status["sandboxes"]:
        pids |= {int(box["pid"]), *(child.pid for child in psutil.Process(int(box["pid"])).children(recursive=True))}
    found = 0.0
    for pid in pids:
        with suppress(OSError):  # one of Studio's own jobs, which come and go
            found += memory.pss(pid)
    return found
