"""Passes an exchange to the server or a lab and its answer back, streaming both ways, nothing kept whole."""

import asyncio
from collections.abc import Callable

from studio.errors import StudioError, Unavailable
from studio.gateway import headers as passing
from studio.gateway.exchange import Exchange
from studio.gateway.requests import IDEMPOTENT
from studio.gateway.upstream import Connection, Pool

# So much of a request's body is kept to send it again; a larger upload is not repeated.
_KEPT = 64 * 1024
_WAITING = 256 * 1024


class Forward:
    """`head` is sent as it is. While nobody listens on `socket` the request waits up to `hold_s`; if the other side
    ends before it answers, what may be repeated is sent again. `lost(error)` may answer instead of an error."""

    def __init__(self, exchange: Exchange, pool: Pool, socket: str, head: bytes, hold_s: float, from_lab: bool) -> None:
        self._exchange = exchange
        self._pool = pool
        self._socket = socket
        self._head = head
        self.from_lab = from_lab
        self._loop = asyncio.get_running_loop()
        self._until = self._loop.time() + hold_s
        self._connection: Connection | None = None
        self._task: asyncio.Task[None] | None = None
        self._sent: list[bytes] | None = []  # the body so far, None once it is too large to send again
        self._sent_bytes = 0
        self._head_out: tuple[int, passing.Headers] | None = None
        self._out: list[bytes] = []  # what was read of the answer and not passed on yet
        self._held = False
        self._ended = False
        self._chunk_out = False
        self._until_close = False
        self._done = False
        self.lost: Callable[[StudioError], bool] = lambda error: False
        self.finished: Callable[[], None] = lambda: None

    def start(self) -> None:
        """Takes a connection or begins to make one."""
        if connection := self._pool.take(self._socket):
            self._use(connection)
        else:
            self._task = self._loop.create_task(self._connect())

    async def _connect(self) -> None:
        hold = max(0.0, self._until - self._loop.time())
        try:
            connection = await self._pool.connect(self._socket, hold, lambda: not self._done)
        except Unavailable as error:
            self._fail(error)
            return
        finally:
            self._task = None
        if self._done:
            connection.release()
        else:
            self._use(connection)

    def _use(self, connection: Connection) -> None:
        self._connection = connection
        connection.use(self)
        last = b"0\r\n\r\n" if self._ended and self._exchange.request.chunked else b""
        connection.write(b"".join([self._head, *map(self._frame, self._sent or ()), last]))
        self.on_drained()

    def _frame(self, chunk: bytes) -> bytes:
        return b"%x\r\n%b\r\n" % (len(chunk), chunk) if self._exchange.request.chunked else chunk

    # from the client
    def body(self, chunk: bytes) -> None:
        if self._done:
            return
        if self._sent is not None:
            self._sent.append(chunk)
            self._sent_bytes += len(chunk)
            if self._connection is not None and self._sent_bytes > _KEPT:
                self._sent = None
        if self._connection is not None:
            self._connection.write(self._frame(chunk))
        elif self._sent_bytes > _WAITING:
            self.on_full()

    def end(self) -> None:
        self._ended = True
        if self._connection is not None and self._exchange.request.chunked:
            self._connection.write(b"0\r\n\r\n")

    def gone(self) -> None:
        """The client went away: the other side is told by closing."""
        self._finish()
        if self._connection is not None:
            self._connection.user = None
            self._connection.close()

    def abort_client(self) -> None:
        """Ends the client's connection: its right to this answer has ended."""
        self._exchange.client.abort()

    def pause(self) -> None:
        if self._connection is not None and self._connection.transport is not None:
            self._connection.transport.pause_reading()

    def resume(self) -> None:
        if self._connection is not None and self._connection.transport is not None:
            self._connection.transport.resume_reading()

    # from the connection
    def on_full(self) -> None:
        if not self._held:
            self._held = True
            self._exchange.client.hold()

    def on_drained(self) -> None:
        if self._held:
            self._held = False
            self._exchange.client.unhold()

    def on_headers(self, status: int, headers: list[tuple[bytes, bytes]]) -> None:
        request = self._exchange.request
        passed = passing.response(headers, from_lab=self.from_lab)
        bare = request.method == "HEAD" or status in (204, 304)
        if not bare and not any(name == b"content-length" for name, _ in passed):
            chunked = any(name == b"transfer-encoding" for name, _ in headers)
            self._until_close = not chunked
            if request.version == "1.1":
                self._chunk_out = True
                passed.append((b"transfer-encoding", b"chunked"))
            else:
                self._exchange.keep_alive = False
        if not self._exchange.is_whole and request.has_body:
            self._exchange.keep_alive = False
        self._head_out = status, passed
        if request.method == "HEAD" and self._connection is not None:
            # The parser would wait for the body that the length announces.
            self._connection.finish(True)

    def on_body(self, chunk: bytes) -> None:
        self._out.append(b"%x\r\n%b\r\n" % (len(chunk), chunk) if self._chunk_out else chunk)

    def on_read(self) -> None:
        """All that one read gave goes out in one write: the system calls are what costs on this path."""
        out, self._out = self._out, []
        body = out[0] if len(out) == 1 else b"".join(out)
        if self._head_out is not None:
            head, self._head_out = self._head_out, None
            self._exchange.begin(*head, body)
        elif body:
            self._exchange.client.write(body)

    def on_end(self, reusable: bool) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            if reusable and (self._ended or not self._exchange.request.has_body):
                connection.release()
            else:
                connection.close()
        if self._chunk_out:
            self._out.append(b"0\r\n\r\n")
        self.on_read()
        if not self._done:
            self._finish()
            self._exchange.finish()

    def on_lost(self, error: str) -> None:
        self._connection = None
        if self._done:
            return
        if self._exchange.answered:
            if self._until_close:
                self.on_end(False)
            else:
                # An answer cut short must not look complete.
                self._finish()
                self._exchange.client.abort()
            return
        again = self._exchange.request.method in IDEMPOTENT and self._sent is not None
        if again and self._loop.time() < self._until:
            self._task = self._loop.create_task(self._connect())
            return
        self._fail(
            Unavailable(
                f"Studio stopped while it worked on this request ({error}).",
                "It is restarting. What was asked may or may not have been done: look before you repeat it.",
            )
        )

    def _fail(self, error: StudioError) -> None:
        if self._done:
            return
        self._finish()
        if not self.lost(error):
            self._exchange.refuse(error, retry_after_s=1)

    def _finish(self) -> None:
        self._done = True
        self.on_drained()
        self.finished()
