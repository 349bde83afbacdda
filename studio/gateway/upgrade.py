"""Websockets: after the handshake that the gateway has checked, bytes are spliced both ways."""

import asyncio
from collections.abc import Callable
from typing import cast

from studio.errors import StudioError, Unavailable
from studio.gateway import headers as passing
from studio.gateway import messages
from studio.gateway.exchange import Exchange
from studio.gateway.upstream import Pool, dial

_MAX_HEAD = 64 * 1024
# Frame "close", code 1008 (policy violation), unmasked as from a server (RFC 6455, 5.5.1 and 7.4.1).
_CLOSE_REVOKED = b"\x88\x02\x03\xf0"


class Splice(asyncio.Protocol):
    """Both the handler of the handshake, the upstream's protocol, and what takes the client's connection over."""

    def __init__(self, exchange: Exchange, pool: Pool, socket: str, head: bytes, hold_s: float, from_lab: bool) -> None:
        self._exchange = exchange
        self._client = exchange.client
        self._pool = pool
        self._socket = socket
        self._head = head
        self._hold_s = hold_s
        self._from_lab = from_lab
        self._upstream: asyncio.Transport | None = None
        self._answer = b""
        self._early = b""
        self._open = False
        self._done = False
        self._task: asyncio.Task[None] | None = None
        self.finished: Callable[[], None] = lambda: None

    def start(self) -> None:
        """Connects; the client's answer is the upstream's."""
        self._task = asyncio.get_running_loop().create_task(self._connect())

    async def _connect(self) -> None:
        try:
            await dial(self._pool.root, self._socket, lambda: self, self._hold_s, lambda: not self._done)
        except StudioError as error:
            self._refuse(error)

    def revoke(self) -> None:
        """Ends the websocket because the right to it has ended."""
        if self._open:
            self._client.write(_CLOSE_REVOKED)
        self._end()

    # the upstream's side
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._upstream = transport = cast("asyncio.Transport", transport)
        if self._done:
            transport.abort()
            return
        transport.write(self._head)

    def data_received(self, data: bytes) -> None:
        if self._open:
            self._client.write(data)
            return
        self._answer += data
        head, found, rest = self._answer.partition(b"\r\n\r\n")
        if found:
            self._handshake(head, rest)
        elif len(self._answer) > _MAX_HEAD:
            self._refuse(Unavailable("The lab answered the websocket with something odd.", "Restart the lab."))

    def _handshake(self, head: bytes, rest: bytes) -> None:
        lines = head.split(b"\r\n")
        parts = lines[0].split(b" ", 2)
        status = int(parts[1]) if len(parts) > 1 and parts[0] == b"HTTP/1.1" and parts[1].isdigit() else 0
        pairs = [line.partition(b":") for line in lines[1:]]
        found = [(name.strip().lower(), value.strip()) for name, _, value in pairs]
        if status != 101:
            self._refused(status, rest)
            return
        self._open = True
        passed = passing.response(found, from_lab=self._from_lab)
        passed = [(name, value) for name, value in passed if name != b"content-length"]
        passed += [(b"connection", b"Upgrade"), (b"upgrade", b"websocket")]
        self._client.raw = self
        self._exchange.answered = True
        self._client.write(messages.head(101, passed) + rest)
        if self._early and self._upstream is not None:
            self._upstream.write(self._early)
            self._early = b""

    def _refused(self, status: int, rest: bytes) -> None:
        """The upstream said no: its status is passed on, with what has come of its body."""
        self._finish()
        if self._upstream is not None:
            self._upstream.abort()
        self._exchange.keep_alive = False
        self._exchange.respond(
            status if 400 <= status < 600 else 502, [(b"content-type", b"text/plain; charset=utf-8")]
        )

    def eof_received(self) -> bool:
        # A websocket is never half open: `connection_lost` closes the client's side after its last bytes.
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self._upstream = None
        if self._open:
            self._end()
        else:
            self._refuse(Unavailable("The lab ended the connection.", "It may be restarting: try again."))

    def pause_writing(self) -> None:
        self._client.hold()

    def resume_writing(self) -> None:
        self._client.unhold()

    # the client's side, during the handshake and after it
    def body(self, chunk: bytes) -> None:
        self._early += chunk
        if len(self._early) > _MAX_HEAD:
            self._end()

    def end(self) -> None:
        return

    def data(self, data: bytes) -> None:
        if self._upstream is not None:
            self._upstream.write(data)

    def eof(self) -> None:
        self._end()

    def gone(self) -> None:
        self._finish()
        if self._upstream is not None:
            self._upstream.close()

    def pause(self) -> None:
        if self._upstream is not None:
            self._upstream.pause_reading()

    def resume(self) -> None:
        if self._upstream is not None:
            self._upstream.resume_reading()

    def _refuse(self, error: StudioError) -> None:
        if self._done:
            return
        self._finish()
        if self._upstream is not None:
            self._upstream.abort()
        if not self._open:
            self._exchange.keep_alive = False
            self._exchange.refuse(error)

    def _end(self) -> None:
        self._finish()
        if self._upstream is not None:
            self._upstream.close()
        if self._client.transport is not None:
            self._client.transport.close()

    def _finish(self) -> None:
        if not self._done:
            self._done = True
            self.finished()
