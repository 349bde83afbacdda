"""Connections to what is behind the gateway (server, labs): unix sockets, kept alive and used again."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol, TypeVar, cast

import httptools

from studio.errors import StudioError, Unavailable
from studio.runtime.sockets import connect_beneath

# Below uvicorn's keep-alive of 5 s, so that we, not the server, end an idle connection.
_IDLE_S = 4.0
_MAX_IDLE = 64
_RETRY_S = 0.02
P = TypeVar("P", bound=asyncio.BaseProtocol)


class User(Protocol):
    """Who uses a connection for one exchange."""

    def on_headers(self, status: int, headers: list[tuple[bytes, bytes]]) -> None: ...
    def on_body(self, chunk: bytes) -> None: ...
    def on_read(self) -> None: ...
    def on_end(self, reusable: bool) -> None: ...
    def on_lost(self, error: str) -> None: ...
    def on_full(self) -> None: ...
    def on_drained(self) -> None: ...


class Connection(asyncio.Protocol):
    """One connection; parses responses and hands them to its user."""

    def __init__(self, pool: "Pool", name: str) -> None:
        self.pool = pool
        self.name = name
        self.user: User | None = None
        self.idle_since = 0.0
        self.transport: asyncio.Transport | None = None
        self._parser: httptools.HttpResponseParser | None = None
        self._headers: list[tuple[bytes, bytes]] = []
        self._in_head = True

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport = cast("asyncio.Transport", transport)

    def use(self, user: User) -> None:
        """Begins an exchange."""
        self.user = user
        self._parser = httptools.HttpResponseParser(self)

    def write(self, data: bytes) -> None:
        if self.transport is not None and not self.transport.is_closing():
            self.transport.write(data)

    def data_received(self, data: bytes) -> None:
        if self._parser is None or self.user is None:
            self.close()
            return
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            self._fail(f"it sent something that is not HTTP ({error})")
            return
        if self.user is not None:
            self.user.on_read()

    def connection_lost(self, exc: Exception | None) -> None:
        self.transport = None
        self.pool.forget(self)
        self._fail("the connection ended")

    def _fail(self, why: str) -> None:
        user, self.user = self.user, None
        self.close()
        if user is not None:
            user.on_lost(why)

    def pause_writing(self) -> None:
        if self.user is not None:
            self.user.on_full()

    def resume_writing(self) -> None:
        if self.user is not None:
            self.user.on_drained()

    # httptools' callbacks
    def on_message_begin(self) -> None:
        self._headers = []
        self._in_head = True

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._in_head:  # trailers are dropped
            self._headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        self._in_head = False
        assert self._parser is not None
        status = self._parser.get_status_code()
        if self.user is not None and status >= 200:
            self.user.on_headers(status, self._headers)

    def on_body(self, chunk: bytes) -> None:
        if self.user is not None:
            self.user.on_body(chunk)

    def on_message_complete(self) -> None:
        if self.user is not None and self._parser is not None and self._parser.get_status_code() >= 200:
            self.finish(self._parser.should_keep_alive())

    def finish(self, reusable: bool) -> None:
        """Ends the exchange; the connection goes back to the pool or is closed."""
        user, self.user = self.user, None
        self._parser = None
        if user is not None:
            user.on_end(reusable)

    def release(self) -> None:
        """Back to the pool, for the next exchange."""
        self.user = None
        self._parser = None
        self.pool.keep(self)

    def close(self) -> None:
        if self.transport is not None:
            self.transport.abort()


class Pool:
    """Idle connections by socket name below the sockets' folder."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._idle: dict[str, list[Connection]] = {}

    def take(self, name: str) -> Connection | None:
        """An idle connection to `name`, the one used last."""
        idle = self._idle.get(name)
        while idle:
            connection = idle.pop()
            if connection.transport is not None and not connection.transport.is_closing():
                return connection
        return None

    def keep(self, connection: Connection) -> None:
        """Takes a connection back."""
        idle = self._idle.setdefault(connection.name, [])
        if len(idle) >= _MAX_IDLE or connection.transport is None:
            connection.close()
            return
        connection.idle_since = time.monotonic()
        connection.transport.resume_reading()
        idle.append(connection)

    def forget(self, connection: Connection) -> None:
        """Drops a connection that ended."""
        idle = self._idle.get(connection.name)
        if idle and connection in idle:
            idle.remove(connection)

    def sweep(self) -> None:
        """Closes what was idle too long; called every second."""
        now = time.monotonic()
        for name, idle in list(self._idle.items()):
            for connection in [one for one in idle if now - one.idle_since > _IDLE_S]:
                idle.remove(connection)
                connection.close()
            if not idle:
                del self._idle[name]

    async def connect(self, name: str, hold_s: float, wanted: Callable[[], bool]) -> Connection:
        """A new connection, tried again for `hold_s` seconds while `wanted()`; `Unavailable` if nobody listens."""
        return await dial(self.root, name, lambda: Connection(self, name), hold_s, wanted)


async def dial(root: Path, name: str, factory: Callable[[], P], hold_s: float, wanted: Callable[[], bool]) -> P:
    """Connects to the unix socket `name` below `root`, again and again for `hold_s` seconds while `wanted()`."""
    loop = asyncio.get_running_loop()
    until = loop.time() + hold_s
    while True:
        try:
            # Not blocking: a full backlog is refused at once, and tried again below.
            sock = connect_beneath(root, name, timeout_s=0.0)
            _, protocol = await loop.create_unix_connection(factory, sock=sock)
            return protocol
        except (StudioError, OSError) as error:
            if loop.time() >= until or not wanted():
                raise Unavailable(str(error), "Try again in some seconds.") from error
            await asyncio.sleep(_RETRY_S)
