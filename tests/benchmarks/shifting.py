"""Endpoints that change, fail and sleep under load: what callers see of it."""

import asyncio
import contextlib
import os
import signal
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from studio.client import Rest
from tests import leaks
from tests.benchmarks import inference, report, wrk
from tests.benchmarks.isolation import private
from tests.benchmarks.report import Row
from tests.live import Live, until

DOMAIN = "demo"
CALLERS = 50
REQUESTS = 100_000


def measure(live: Live) -> list[Row]:
    """Rows of errors under changes, of waking, of what an idle replica costs."""
    if not wrk.is_there():
        print("wrk is not on this machine (Debian: apt install wrk): changes under load are not measured")
        return []
    with tempfile.TemporaryDirectory(prefix="studio-bench-models-") as name, live.operator() as api:
        token, _ = inference.make_models(live, Path(name))
        rows = _changes(live, api, token)
        rows += _killed(live, api, token)
        return rows + _asleep(live, api, token)


def _deploy(api: Rest, name: str, **more: Any) -> None:
    api.post(f"domains/{DOMAIN}/endpoints", {"name": name, "model": "models:/lr/1", **more})
    api.get(f"domains/{DOMAIN}/endpoints/{name}", wait="InService", timeout_s=60)


def _shown(api: Rest, name: str) -> Any:
    return api.get(f"domains/{DOMAIN}/endpoints/{name}")


@contextlib.contextmanager
def _load(live: Live, name: str, token: str, seconds: float) -> Iterator[Callable[[], wrk.Measured]]:
    """wrk with 64 connections for so long; the block's value waits for its end."""
    url = f"{live.address}/endpoints/{name}/invocations"
    headers = {"content-type": "application/json", "authorization": f"Bearer {token}"}
    bodies = [wrk.rows_as("inputs", [row]) for row in inference.rows()]
    found: list[wrk.Measured] = []
    thread = threading.Thread(target=lambda: found.append(wrk.run(url, bodies, headers, 64, seconds)))
    thread.start()

    def end() -> wrk.Measured:
        thread.join()
        return found[0]

    yield end
    thread.join()


def _changes(live: Live, api: Rest, token: str) -> list[Row]:
    """Weights, a canary, a drain, until 100,000 requests have been answered; and how exactly 90 to 10 was held."""
    path = f"domains/{DOMAIN}/endpoints/shift"
    _deploy(api, "shift")
    sent = errors = 0
    off: list[float] = []
    while sent < REQUESTS:
        with _load(live, "shift", token, 6) as end:
            api.post(f"{path}/variants", {"version": 1, "weight": 0, "name": "second"})
            until(lambda: _shown(api, "shift")["variants"][-1]["state"] == "Serving", "the second variant")
            api.put(f"{path}/weights", {"weights": {"v1": 90, "second": 10}})
            off.append(abs(_share(api, "second", 1.5) - 10))
            api.delete(f"{path}/variants/second")
            until(lambda: len(_shown(api, "shift")["variants"]) == 1, "the end of the second variant")
            measured = end()
        sent, errors = sent + measured.requests, errors + measured.errors
    api.delete(path)
    return [
        Row(f"errors of {sent} while weights change and replicas drain", "", [float(errors)], limit=0),
        Row("90 to 10 under load: off by", "%", off, limit=0.5),
    ]


def _share(api: Rest, variant: str, seconds: float) -> float:
    """Per cent of the answers that came from `variant`, counted by the gateway over so long."""

    def counts() -> dict[str, int]:
        return {v["name"]: v["requests"] for v in _shown(api, "shift")["variants"]}

    until(lambda: counts()[variant] > 0, "answers of the second variant")
    before = counts()
    time.sleep(seconds)
    after = counts()
    gone = {name: after[name] - before[name] for name in after}
    return 100 * gone[variant] / max(1, sum(gone.values()))


def _killed(live: Live, api: Rest, token: str) -> list[Row]:
    """A replica of two, then the server, ended by signal 9 under load."""
    _deploy(api, "killed", min_replicas=2, max_replicas=2)
    until(lambda: len(_pids(api, "killed")) == 2, "two replicas")
    with _load(live, "killed", token, 6) as end:
        os.kill(_pids(api, "killed")[0], signal.SIGKILL)
        replica = end()
    with _load(live, "killed", token, 6) as end:
        before = end()
    pid = live.status["server"]["pid"]  # asked before the load: the command's own start is a second of a core
    with _load(live, "killed", token, 6) as end:
        os.kill(pid, signal.SIGKILL)
        server = end()
    until(lambda: live.status["server"]["state"] == "Running", "the server's restart")
    until(lambda: _answers(api), "the server's answer")
    api.delete(f"domains/{DOMAIN}/endpoints/killed")
    return [
        Row(f"errors of {replica.requests}, one replica of two killed", "", [float(replica.errors)], limit=0),
        Row(f"errors of {server.requests}, server killed", "", [float(server.errors)], limit=0),
        Row(
            "p99 with the server killed, beside before",
            "ms",
            [server.p99],
            [before.p99],
            "before",
            target_ratio=1 / 1.2,
        ),
    ]


def _answers(api: Rest) -> bool:
    try:
        return bool(api.get(f"domains/{DOMAIN}/endpoints/killed"))
    except Exception:
        return False


def _pids(api: Rest, name: str) -> list[int]:
    return [r["pid"] for v in _shown(api, name)["variants"] for r in v["replicas"] if r["state"] == "Ready"]


def _asleep(live: Live, api: Rest, token: str) -> list[Row]:
    """50 callers at once at zero replicas, with a warm fork server and with none; an idle replica's own memory."""
    path = f"domains/{DOMAIN}/endpoints/asleep"
    _deploy(api, "asleep", mode="serverless", idle_s=1)
    own = [private(_pids(api, "asleep")[0])]
    waits: list[float] = []
    cold: list[float] = []
    errors = 0
    for waited in [waits, cold] * report.ROUNDS:
        until(lambda: _pids(api, "asleep"), "its replica")
        until(lambda: not _pids(api, "asleep") and _shown(api, "asleep")["state"] == "Idle", "asleep at zero")
        if waited is cold:
            os.kill(leaks.table(live.settings)[f"{DOMAIN}.service/fork-sklearn"], signal.SIGKILL)
        times, failed = asyncio.run(_together(live, token))
        waited.append(statistics.median(times))
        errors += failed
    api.delete(path)
    return [
        Row(f"wake from zero, warm, {CALLERS} callers: p50", "ms", waits, limit=50),
        Row("the same where the fork server must start first", "ms", cold, limit=2000),
        Row(f"errors of {CALLERS * report.ROUNDS * 2} who woke it", "", [float(errors)], limit=0),
        Row("idle replica: private memory", "MB", own, limit=30),
    ]


async def _together(live: Live, token: str) -> tuple[list[float], int]:
    """(milliseconds of each caller, how many failed). Bytes on connections that are there already: an HTTP client's own
    time for so many at once would be longer than the waking."""
    body = wrk.rows_as("inputs", [inference.rows()[0]])
    host = live.address.partition("://")[2]
    head = f"POST /endpoints/asleep/invocations HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n"
    request = f"{head}Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
    name, _, port = host.partition(":")
    open_ones = [await asyncio.open_connection(name, int(port)) for _ in range(CALLERS)]

    async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> tuple[float, bool]:
        begun = time.perf_counter()
        writer.write(request)
        answer = await reader.readuntil(b"\r\n\r\n")
        spent = (time.perf_counter() - begun) * 1000
        writer.close()
        return spent, answer.startswith(b"HTTP/1.1 200 ")

    found = await asyncio.gather(*(one(*pair) for pair in open_ones))
    return [ms for ms, _ in found], sum(not good for _, good in found)
