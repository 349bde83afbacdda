"""The replica's door: frames on a unix socket, answered by the batcher; drained on request."""

import asyncio
import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

import msgspec

from studio.guest import frames
from studio.guest.serving.batching import Batcher, Call
from studio.guest.serving.forms import Form, Mlflow
from studio.guest.serving.models import Model
from studio.guest.serving.open_inference import About, OpenInference, describe

_GRACE_S = 20.0
_QUIET_S = 0.25


class _Header(msgspec.Struct):
    """`accept`: the types that the caller takes, "" for JSON; `form`: "" is MLflow's, "v2" the Open Inference Protocol;
    then `ask` may be "model": what it says of itself."""

    type: str = "application/json"
    accept: str = ""
    form: str = ""
    ask: str = ""
    model: str = ""
    version: str = ""
    json_bytes: int = -1


_header = msgspec.json.Decoder(_Header).decode


class Host:
    """Serves one model; `hello` is what every new connection is told first."""

    def __init__(self, model: Model, hello: dict[str, Any], loop: asyncio.AbstractEventLoop) -> None:
        self.hello = msgspec.json.encode(hello)
        self.batcher = Batcher(model, loop, self.flush)
        self._described = model.described
        self._flavor = model.flavor
        self.doors: set[Door] = set()
        self.draining = False
        self.last_frame = time.monotonic()
        self._drained = asyncio.Event()
        self._loop = loop
        self._server: asyncio.AbstractServer | None = None
        self._path: Path | None = None
        self._inode = 0

    async def serve(self, path: Path, ready: Callable[[], None]) -> None:
        """Answers on `path` until drained; `ready` is called once it can be connected to."""
        with suppress(FileNotFoundError):
            path.unlink()
        self._server = await self._loop.create_unix_server(lambda: Door(self), str(path), backlog=1024)
        self._path, self._inode = path, path.stat().st_ino
        path.chmod(0o600)
        for number in (signal.SIGTERM, signal.SIGINT):
            self._loop.add_signal_handler(number, self.drain)
        ready()
        await self._drained.wait()

    def describe(self, about: About) -> bytes:
        """The model's metadata in the Open Inference Protocol."""
        described = self._described
        platform = f"mlflow_{self._flavor}" if described.flavors else self._flavor
        return describe(about, platform, described.signature, described.outputs)

    def flush(self) -> None:
        """Writes the answers of a finished batch, one write per connection."""
        for door in self.doors:
            door.flush()

    def drain(self) -> None:
        """Takes no new connection, asks callers to send nothing new, ends when the last answer is out."""
        if self.draining:
            return
        self.draining = True
        if self._server is not None:
            self._server.close()
        if self._path is not None:
            with suppress(OSError):
                # A successor may have bound the same name already.
                if self._path.stat().st_ino == self._inode:
                    self._path.unlink()
        for door in self.doors:
            door.send(frames.encode(frames.DRAIN, 0))
        self.last_frame = time.monotonic()
        self._end_when_idle(self.last_frame + _GRACE_S)

    def _end_when_idle(self, latest: float) -> None:
        now = time.monotonic()
        quiet = not self.doors or now - self.last_frame > _QUIET_S
        if now > latest or (not len(self.batcher) and quiet):
            for door in list(self.doors):
                door.close()
            self._drained.set()
        else:
            self._loop.call_later(0.01, self._end_when_idle, latest)


class Door(asyncio.Protocol):
    """One connection of a caller."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._decoder = frames.Decoder()
        self._calls: dict[int, Call] = {}
        self._out: list[bytes] = []
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport = cast("asyncio.Transport", transport)
        self._host.doors.add(self)
        transport.write(frames.encode(frames.HELLO, 0, self._host.hello))

    def connection_lost(self, exc: Exception | None) -> None:
        self._host.doors.discard(self)
        for call in self._calls.values():
            call.cancelled = True
        self._calls.clear()
        self._transport = None

    def data_received(self, data: bytes) -> None:
        try:
            received = self._decoder.feed(data)
        except frames.FrameError:
            self.close()
            return
        self._host.last_frame = time.monotonic()
        for frame in received:
            if frame.kind == frames.REQUEST:
                self._request(frame)
            elif frame.kind == frames.CANCEL:
                if call := self._calls.pop(frame.id, None):
                    call.cancelled = True
            elif frame.kind == frames.PING:
                self.send(frames.encode(frames.PONG, frame.id, self._host.hello))
            elif frame.kind == frames.DRAIN:
                self._host.drain()

    def _request(self, frame: frames.Frame) -> None:
        try:
            header = _header(frame.header)
        except msgspec.DecodeError:
            header = _Header()

        def answer(status: int, body: bytes, rows: int, spent: int, about: dict[str, Any] | None) -> None:
            self._calls.pop(frame.id, None)
            if about is None:
                head = b'{"status":%d,"rows":%d,"us":%d}' % (status, rows, spent)
            else:
                head = msgspec.json.encode({"status": status, "rows": rows, "us": spent} | about)
            self._out.append(frames.encode(frames.ANSWER, frame.id, head, body))

        about = About(header.model, header.version, header.json_bytes)
        if header.ask:
            answer(200, self._host.describe(about), 0, 0, None)
        else:
            form: Form = OpenInference(about) if header.form == "v2" else Mlflow(header.type, header.accept)
            call = self._calls[frame.id] = Call(frame.body, form, answer)
            self._host.batcher.add(call)
        if self._out:
            self.flush()

    def send(self, data: bytes) -> None:
        """Writes `data` if the connection still lives."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)

    def flush(self) -> None:
        """Writes the answers that have gathered."""
        if self._out:
            self.send(b"".join(self._out))
            self._out.clear()

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()


def write_status(path: Path, status: dict[str, Any]) -> None:
    """Replaces the status file of a replica, atomically."""
    temporary = path.with_name(f"{path.name}.{os.getpid()}")
    temporary.write_bytes(msgspec.json.encode(status))
    temporary.replace(path)
