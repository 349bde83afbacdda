"""The server's sockets. Which door a request came through is known from the socket it was accepted on."""

import asyncio
import logging
import os
import socket
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from studio import signing
from studio.runtime import sockets
from studio.runtime.sandbox import Layout
from studio.settings import Paths

# The gateway keeps its connections for long; a server that closed them first would break a call now and then.
KEEP_ALIVE_S = 600
DRAIN_S = 3.0
MOST_HELD = 64 * 1024  # bytes of an answer that wait for the end of the loop's turn
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Door:
    """`kind`: gateway, operator or sandbox. `digest`: of the token that a sandbox must show."""

    kind: str
    sandbox: str = ""
    digest: str = ""


class _Together:
    """A transport that writes at the end of an answer, else of the loop's turn: uvicorn writes head and body apart,
    which costs a system call on both sides, and the gateway a second look."""

    __slots__ = ("_held", "_loop", "_out", "_transport")

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._loop = asyncio.get_running_loop()
        self._out: list[bytes] = []
        self._held = 0

    def write(self, data: bytes) -> None:
        if not self._out:
            self._loop.call_soon(self.flush)
        self._out.append(data)
        self._held += len(data)
        if self._held > MOST_HELD:
            self.flush()

    def flush(self) -> None:
        if self._out:
            out, self._out, self._held = self._out, [], 0
            self._transport.write(b"".join(out))

    def close(self) -> None:
        self.flush()
        self._transport.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


class _Protocol(HttpToolsProtocol):
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self._together = _Together(transport)
        super().connection_made(cast("asyncio.Transport", self._together))

    def on_response_complete(self) -> None:
        self._together.flush()
        super().on_response_complete()


class _OwnerOnly(_Protocol):
    """Serves only processes of this installation's own account (or root), whatever the socket's mode says."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        connected = cast("socket.socket", transport.get_extra_info("socket"))
        if sockets.peer(connected)[1] not in (os.geteuid(), 0):
            transport.abort()
            return
        super().connection_made(transport)


@dataclass(slots=True)
class _Open:
    door: Door
    server: asyncio.Server
    state: ServerState


class Listeners:
    """All doors of one server process; the loops' `Doors`."""

    def __init__(self, paths: Paths, app: Any) -> None:
        self._paths = paths
        self._app = app
        self._open: dict[str, _Open] = {}

    async def open_own(self) -> None:
        """The gateway's and the operator's door."""
        await self._listen("gateway", Door("gateway"), self._paths.sockets / "server.sock")
        await self._listen("operator", Door("operator"), self._paths.sockets / "operator.sock", _OwnerOnly)

    async def open(self, sandbox: str, token: str) -> None:
        """The door of one sandbox, in the folder that it sees read-only."""
        if self.is_open(sandbox, token):
            return
        await self.close(sandbox)
        await self._listen(sandbox, Door("sandbox", sandbox, signing.digest(token)), self._path(sandbox))

    async def close(self, sandbox: str) -> None:
        """Ends the door of one sandbox and what came through it; what an earlier server left of it goes too."""
        found = self._open.pop(sandbox, None)
        if found is not None:
            await _shut([found])
        self._path(sandbox).unlink(missing_ok=True)

    def _path(self, sandbox: str) -> Path:
        domain, _, owner = sandbox.partition(".")
        return Layout(self._paths, domain, owner, "bubblewrap").host_in / "api.sock"

    def is_open(self, sandbox: str, token: str) -> bool:
        """Whether the sandbox's door is there and takes `token`."""
        found = self._open.get(sandbox)
        if found is None or not signing.equal(found.door.digest, signing.digest(token)):
            return False
        # The folder may have been made anew since: then nobody could find the socket any more.
        return self._path(sandbox).is_socket()

    async def close_all(self) -> None:
        """No new connections; what is being answered gets some seconds to finish."""
        found = list(self._open.values())
        self._open.clear()
        await _shut(found)

    async def _listen(self, key: str, door: Door, path: Any, protocol: type[HttpToolsProtocol] = _Protocol) -> None:
        config = uvicorn.Config(
            entrance(self._app, door),
            interface="asgi3",
            http=protocol,
            ws="websockets-sansio",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            date_header=False,
            proxy_headers=False,
            timeout_keep_alive=KEEP_ALIVE_S,
            ws_max_size=1 << 20,
        )
        config.load()
        state = ServerState()
        make: Callable[[], asyncio.Protocol] = lambda: protocol(config, state, {})  # noqa: E731
        server = await asyncio.get_running_loop().create_unix_server(make, sock=sockets.listen(path, backlog=1024))
        self._open[key] = _Open(door, server, state)


def entrance(app: Any, door: Door) -> Any:
    """The app as seen through `door`."""

    async def enter(scope: Any, receive: Any, send: Any) -> None:
        scope["studio.door"] = door
        await app(scope, receive, send)

    return enter


async def _shut(opened: Iterable[_Open]) -> None:
    opened = list(opened)
    for item in opened:
        item.server.close()
        for connection in list(item.state.connections):
            connection.shutdown()
    if answering := {task for item in opened for task in item.state.tasks}:
        await asyncio.wait(answering, timeout=DRAIN_S)
    for item in opened:
        for task in list(item.state.tasks):
            task.cancel()
        for connection in list(item.state.connections):
            with suppress(AttributeError):
                connection.transport.close()
