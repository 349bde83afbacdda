"""The client of the supervisor's socket: JSON lines, many calls at once over one connection."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from studio import errors
from studio.runtime import sockets
from studio.runtime.specs import (
    ChildSpec,
    Event,
    ExitRecord,
    Hello,
    Limits,
    SandboxSpec,
    SandboxState,
    ServiceSpec,
    State,
    ToolState,
)

T = TypeVar("T")
LINE_LIMIT = 16 * 1024 * 1024
_ERRORS: dict[str, type[errors.StudioError]] = {
    kind.code: kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, errors.StudioError) and kind is not errors.StudioError
}
_AWAY = "The supervisor does not answer."
_START = "Is `studio up` running?"


def error_of(error: dict[str, Any]) -> errors.StudioError:
    """The error that crossed the wire, as the class it was raised with there."""
    code = str(error.get("code", ""))
    kind = _ERRORS.get(code, errors.StudioError)
    return kind(str(error.get("message", "")), str(error.get("hint", "")))


class Supervisor:
    """Calls the supervisor; connects at the first call and again when the connection was lost."""

    def __init__(self, path: Path, *, timeout_s: float = 60.0) -> None:
        self._path = path
        self._timeout = timeout_s
        self._writer: asyncio.StreamWriter | None = None
        self._reading: asyncio.Task[None] | None = None
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._last = 0
        self._connecting = asyncio.Lock()

    async def hello(self) -> Hello:
        """Who answers, and Studio's address."""
        return await self.call("hello", {}, Hello)

    async def state(self) -> State:
        """Everything that runs."""
        return await self.call("state", {}, State)

    async def sandbox_start(self, spec: SandboxSpec) -> SandboxState:
        """Starts it, or gives the one that runs; `Conflict` if that one has another spec (stop it first)."""
        return await self.call("sandbox.start", {"spec": spec}, SandboxState)

    async def sandbox_stop(self, sandbox: str) -> None:
        """Ends it and everything in it; nothing happens if it does not run."""
        await self.call("sandbox.stop", {"id": sandbox}, dict[str, Any])

    async def sandbox_limit(self, sandbox: str, limits: Limits) -> SandboxState:
        """Puts a running sandbox under other limits, as far as that ends nothing in it: `held` says what holds now."""
        return await self.call("sandbox.limit", {"sandbox": sandbox, "limits": limits}, SandboxState)

    async def service_start(self, sandbox: str, service: ServiceSpec) -> int:
        """Host pid of the service, started unless it runs already."""
        params = {"sandbox": sandbox, **msgspec.to_builtins(service)}
        return (await self.call("service.start", params, dict[str, int]))["pid"]

    async def service_stop(self, sandbox: str, name: str) -> None:
        """Ends a service for good; nothing happens if it does not run."""
        await self.call("service.stop", {"sandbox": sandbox, "name": name}, dict[str, Any])

    async def child_fork(self, sandbox: str, environment: str, spec: ChildSpec, limits: Limits | None = None) -> int:
        """Host pid of a new job, replica or kernel, under its limits and running; waits for the fork server."""
        params = {"sandbox": sandbox, "environment": environment, "spec": spec, "limits": limits}
        return (await self.call("child.fork", params, dict[str, int]))["pid"]

    async def child_stop(self, sandbox: str, name: str, grace_s: float = 10.0) -> None:
        """INT → TERM → KILL within `grace_s`; returns when it has ended."""
        params = {"sandbox": sandbox, "name": name, "grace_s": grace_s}
        await self.call("child.stop", params, dict[str, Any], grace_s + 30)

    async def exits(self, since: int = 0) -> list[ExitRecord]:
        """Exit records numbered above `since`; they survive a restart of the supervisor."""
        return await self.call("exits", {"since": since}, list[ExitRecord])

    async def tool_start(
        self, name: str, argv: list[str], *, env: dict[str, str] | None = None, cwd: str = "", log: str = ""
    ) -> int:
        """Starts a host program that runs once. `log`: a name or path below the home's logs (default `<name>.log`)."""
        params = {"name": name, "argv": argv, "env": env or {}, "cwd": cwd, "log": log}
        return (await self.call("tool.start", params, dict[str, int]))["pid"]

    async def tool_state(self, name: str) -> ToolState:
        """Whether it runs and with what code it ended."""
        return await self.call("tool.state", {"name": name}, ToolState)

    async def shutdown(self) -> None:
        """Ends everything, the supervisor included; returns when it has begun."""
        await self.call("shutdown", {}, dict[str, Any])

    async def subscribe(self) -> AsyncIterator[Event]:
        """Events from now on, over a connection of their own; ends with `Unavailable` when the supervisor goes."""
        reader, writer = await self._open()
        try:
            writer.write(b'{"id":1,"method":"subscribe","params":{}}\n')
            while line := await reader.readline():
                message = msgspec.json.decode(line)
                if "event" in message:
                    yield msgspec.convert(message["event"], Event)
                elif "error" in message:
                    raise error_of(message["error"])
        except (OSError, asyncio.IncompleteReadError) as error:
            raise errors.Unavailable(_AWAY, _START) from error
        finally:
            writer.close()
        raise errors.Unavailable(_AWAY, _START)

    async def call(self, method: str, params: dict[str, Any], kind: type[T], timeout_s: float | None = None) -> T:
        """One call; errors come back as the class that was raised there, `Unavailable` if nobody is there."""
        writer = await self._connect()
        self._last += 1
        number = self._last
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting[number] = future
        try:
            writer.write(msgspec.json.encode({"id": number, "method": method, "params": params}) + b"\n")
            result = await asyncio.wait_for(future, timeout_s or self._timeout)
        except TimeoutError:
            raise errors.Timeout(f"The supervisor did not finish {method} in time.", "Look into its log.") from None
        finally:
            self._waiting.pop(number, None)
        return msgspec.convert(result, kind)

    async def _open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        try:
            return await asyncio.open_unix_connection(sockets.check_path(self._path), limit=LINE_LIMIT)
        except OSError as error:
            raise errors.Unavailable(_AWAY, _START) from error

    async def _connect(self) -> asyncio.StreamWriter:
        async with self._connecting:
            if self._writer is None or self._writer.is_closing():
                reader, self._writer = await self._open()
                self._reading = asyncio.create_task(self._read(reader, self._writer))
            return self._writer

    async def _read(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := await reader.readline():
                message = msgspec.json.decode(line)
                future = self._waiting.get(message.get("id", 0))
                if future is None or future.done():
                    continue
                if "error" in message:
                    future.set_exception(error_of(message["error"]))
                else:
                    future.set_result(message.get("result"))
        except OSError:
            pass  # The same as an end: whoever waits is told below.
        finally:
            writer.close()
            for future in self._waiting.values():
                if not future.done():
                    future.set_exception(errors.Unavailable(_AWAY, _START))

    async def close(self) -> None:
        """Closes the connection."""
        if self._reading is not None:
            self._reading.cancel()
            with suppress(asyncio.CancelledError):
                await self._reading
        if self._writer is not None:
            self._writer.close()
            with suppress(OSError):
                await self._writer.wait_closed()


def call_once(path: Path, method: str, params: dict[str, Any] | None = None, *, timeout_s: float = 30.0) -> Any:
    """One call without an event loop, for the command line; the result as plain JSON types."""
    with sockets.connect(path, timeout_s=timeout_s) as client:
        client.sendall(msgspec.json.encode({"id": 1, "method": method, "params": params or {}}) + b"\n")
        data = bytearray()
        try:
            while not data.endswith(b"\n"):
                piece = client.recv(1 << 16)
                if not piece:
                    raise errors.Unavailable(_AWAY, _START)
                data += piece
        except OSError as error:
            raise errors.Unavailable(_AWAY, _START) from error
    message = msgspec.json.decode(bytes(data))
    if "error" in message:
        raise error_of(message["error"])
    return message.get("result")
