"""A load generator that costs little: requests are bytes made beforehand, and a client is one protocol object.

It shares the machine with what it measures, so its own time (about 30 µs a call) is part of every figure of both sides.
"""

import asyncio
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, cast

import httpx
import uvloop

API = "/api/2.0/mlflow/"


@dataclass
class Target:
    """One server of MLflow's wire; `run` and `experiment` are of its own. A value is logged once only: `step` grows."""

    port: int
    token: str
    experiment: str = ""
    run: str = ""
    step: int = 0

    def http(self) -> httpx.Client:
        """For what is not measured."""
        headers = {"authorization": f"Bearer {self.token}"}
        return httpx.Client(base_url=f"http://127.0.0.1:{self.port}", headers=headers, timeout=120)

    def request(self, path: str, content: bytes, method: str = "POST") -> bytes:
        """A whole request, as an HTTP client writes it."""
        head = (
            f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\nUser-Agent: mlflow-python-client/3.17.2\r\n"
            "Accept-Encoding: gzip, deflate\r\nAccept: */*\r\nConnection: keep-alive\r\n"
            f"Authorization: Bearer {self.token}\r\nContent-Type: application/json\r\n"
        )
        return f"{head}Content-Length: {len(content)}\r\n\r\n".encode() + content

    def metrics(self, count: int) -> list[bytes]:
        """`log-metric`: a new value each."""
        made = []
        for _ in range(count):
            self.step += 1
            body = b'{"run_id": "%b", "key": "loss", "value": %.6f, "timestamp": %d, "step": %d}'
            made.append(self.request(f"{API}runs/log-metric", body % (self.run.encode(), 1 / self.step, 1, self.step)))
        return made

    def batches(self, count: int) -> list[bytes]:
        """`log-batch`: 1000 new values of ten metrics each."""
        made = []
        for _ in range(count):
            self.step += 1000
            metrics = [
                {"key": f"m{n % 10}", "value": n / 7, "timestamp": self.step, "step": self.step + n}
                for n in range(1000)
            ]
            body = json.dumps({"run_id": self.run, "metrics": metrics}).encode()
            made.append(self.request(f"{API}runs/log-batch", body))
        return made

    def creations(self, count: int) -> list[bytes]:
        """`create`: a new run each."""
        body = json.dumps({"experiment_id": self.experiment, "start_time": 1, "run_name": "r"}).encode()
        return [self.request(f"{API}runs/create", body)] * count


@dataclass(frozen=True, slots=True)
class Measured:
    """`rate` in calls a second, `p99` in ms."""

    rate: float
    p99: float


def run(port: int, requests: list[bytes], connections: int, seconds: float) -> Measured:
    """Sends `requests` over `connections` kept-alive ones, one at a time on each, until all or the time have gone."""
    return uvloop.run(_run(port, requests, connections, seconds))


async def _run(port: int, requests: list[bytes], connections: int, seconds: float) -> Measured:
    loop = asyncio.get_running_loop()
    waiting = iter(requests)
    times: list[float] = []
    started = time.perf_counter()
    until = started + seconds
    ends = [loop.create_future() for _ in range(connections)]
    for end in ends:
        await loop.create_connection(_factory(waiting, until, times, end), "127.0.0.1", port)
    await asyncio.gather(*ends)
    return Measured(len(times) / (time.perf_counter() - started), sorted(times)[int(len(times) * 0.99)] * 1000)


def _factory(
    waiting: Iterator[bytes], until: float, times: list[float], end: "asyncio.Future[None]"
) -> Callable[[], asyncio.Protocol]:
    return lambda: _Client(waiting, until, times, end)


class _Client(asyncio.Protocol):
    """Sends the next request when the last one was answered with 200."""

    def __init__(self, waiting: Iterator[bytes], until: float, times: list[float], end: "asyncio.Future[None]") -> None:
        self._waiting = waiting
        self._until = until
        self._times = times
        self._end = end
        self._read = b""
        self._sent = 0.0

    def connection_made(self, transport: Any) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._next()

    def _next(self) -> None:
        request = next(self._waiting, None)
        self._sent = time.perf_counter()
        if request is None or self._sent > self._until:
            self._end.set_result(None)
            self._transport.close()
        else:
            self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._read = data = self._read + data if self._read else data
        head = data.find(b"\r\n\r\n")
        if head < 0:
            return
        if data[9:12] != b"200":
            self._fail(RuntimeError(data[:2000].decode("latin-1")))
            return
        lower = data[:head].lower()
        at = lower.index(b"content-length:") + 15
        if len(data) >= head + 4 + int(lower[at:].split(b"\r", 1)[0]):
            self._times.append(time.perf_counter() - self._sent)
            self._read = b""
            self._next()

    def connection_lost(self, exc: Exception | None) -> None:
        self._fail(exc or RuntimeError("the server closed the connection"))

    def _fail(self, error: Exception) -> None:
        if not self._end.done():
            self._end.set_exception(error)
            self._transport.abort()
