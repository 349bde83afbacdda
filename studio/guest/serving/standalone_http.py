"""HTTP/1.1 for the standalone host: a client's connection, its requests answered one after the other, in order."""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from http import HTTPStatus
from math import inf
from typing import cast

import httptools
import msgspec

from studio.guest.serving.problems import BadInput
from studio.guest.serving.standalone_requests import MAX_HEADER_BYTES, Request, check, refusal

Headers = list[tuple[str, str]]
_REASONS = {status.value: status.phrase for status in HTTPStatus}
_HEADER_S = 20.0
_BODY_S = 60.0
_BYTES_PER_S = 10_000
_IDLE_S = 75.0
_SENT_S = 60.0
_LINGER_S = 2.0
# Chunks of one byte are six on the wire; whatever is thinner than this is no body that anybody sends.
_THIN, _THIN_BYTES = 8, 1 << 20


def _nothing() -> None:
    return


class Limits(msgspec.Struct, frozen=True):
    """`max_body`: bytes of one request; `max_held`: bytes of all bodies that are held; `max_connections` at once."""

    max_body: int = 16 << 20
    max_held: int = 256 << 20
    max_connections: int = 1024


class Clients:
    """All connections of this process. `begin` is called for each request when its turn has come."""

    def __init__(self, begin: "Callable[[Exchange], None]", limits: Limits) -> None:
        self.begin = begin
        self.limits = limits
        self.open: set[Connection] = set()
        self.held = 0
        self.draining = False
        self._left = asyncio.Event()

    def sweep(self, now: float) -> None:
        """Ends the connections that let us wait too long."""
        for connection in list(self.open):
            connection.sweep(now)

    def drain(self) -> None:
        """Closes what is idle; the others end with the answer to what they have asked."""
        self.draining = True
        for connection in list(self.open):
            connection.close_if_idle()

    def left(self, connection: "Connection") -> None:
        """That one is closed."""
        self.open.discard(connection)
        if not self.open:
            self._left.set()

    async def leave(self) -> None:
        """Returns when the last connection is closed."""
        while self.open:
            self._left.clear()
            await self._left.wait()

    def abort(self) -> None:
        """Cuts off whoever is still there."""
        for connection in list(self.open):
            connection.abort()


class Exchange:
    """One request whose body is there, until it is answered; `problem`: it is refused with that."""

    __slots__ = ("_connection", "abandoned", "begun", "body", "problem", "request")

    def __init__(self, connection: "Connection", request: Request, problem: BadInput | None) -> None:
        self._connection = connection
        self.request = request
        self.problem = problem
        self.body = b""
        self.begun = False
        self.abandoned: Callable[[], None] = _nothing  # told when nobody waits for the answer any more

    def respond(self, status: int, headers: Headers, body: bytes) -> None:
        """Answers, once."""
        self._connection.answer(self, status, headers, body)


class Connection(asyncio.Protocol):
    """One client."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients
        self._parser = httptools.HttpRequestParser(self)
        self._request: Request | None = None  # that is being read
        self._in_head = True
        self._goes_on = False  # the parser was made anew in the middle of a request
        self._unread = 0  # bytes of it that came, its body not counted
        self._queue: deque[Exchange] = deque()  # the first is being answered
        self._deaf = False
        self._paused = False
        self._half_closed = False
        self._full = False  # the client does not read its answers as fast as they are made
        self._sent_by = inf
        self._transport: asyncio.Transport | None = None
        self.deadline = inf

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._clients.open.add(self)
        self.deadline = time.monotonic() + _IDLE_S
        most = self._clients.limits.max_connections
        if len(self._clients.open) > 2 * most:
            self._transport.abort()
        elif len(self._clients.open) > most:
            self._refuse(refusal(503, "Too many connections are open.", "Close some, or try again later."))

    def connection_lost(self, exc: Exception | None) -> None:
        self._clients.left(self)
        self._transport = None
        self._let_go(self._request)
        self._request = None
        self._forget()

    def _forget(self) -> None:
        """Nobody waits for what is in the queue any more."""
        for exchange in self._queue:
            self._clients.held -= len(exchange.body)
            exchange.abandoned()
        self._queue.clear()

    def eof_received(self) -> bool:
        self._half_closed = True
        # Who closed only its sending side still wants the answers to what it has asked completely.
        return bool(self._queue)

    # reading
    def data_received(self, data: bytes) -> None:
        if self._deaf:
            return
        if self._request is None and not self._unread:
            self.deadline = time.monotonic() + _HEADER_S
        self._unread += len(data)
        while data:
            try:
                self._parser.feed_data(data)
                data = b""
            except httptools.HttpParserUpgrade as upgrade:
                data = self._without_upgrade(data[upgrade.args[0] :])
            except httptools.HttpParserError as error:
                self._refuse(refusal(400, f"This is not a valid HTTP/1.1 request: {error}.", "Send a valid one."))
                return
        self._check_sizes()
        self._run()

    def _check_sizes(self) -> None:
        """What the parser keeps for itself, or leaves out, is bounded too: an endless header, trailer or extension."""
        if self._deaf or self._request is None:
            return
        if self._in_head and self._unread > MAX_HEADER_BYTES:
            self._refuse(refusal(431, "The headers are larger than 64 KiB.", "Send less."))
        elif not self._in_head and self._unread > _THIN * self._request.size + _THIN_BYTES:
            self._refuse(refusal(400, "Much came that is no part of the body.", "Send Content-Length."))

    def _without_upgrade(self, rest: bytes) -> bytes:
        """A wish to upgrade is ignored, as HTTP allows. The parser stops at it, so another one reads the body."""
        request = self._request
        self._parser = httptools.HttpRequestParser(self)
        if request is None or self._deaf:
            return b""
        if not request.expects_body:
            self._complete()
            return rest
        framing = f"Content-Length: {request.length}" if request.length else "Transfer-Encoding: chunked"
        self._goes_on = True
        self._parser.feed_data(f"POST / HTTP/1.1\r\n{framing}\r\n\r\n".encode())
        self._goes_on = False
        return rest

    def on_message_begin(self) -> None:
        if not self._goes_on:
            self._request, self._in_head = (None if self._deaf else Request()), True

    def on_url(self, part: bytes) -> None:
        if self._request is not None and not self._goes_on:
            self._request.target += part

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._request is not None and self._in_head and not self._goes_on:  # trailers are dropped
            self._request.headers.setdefault(name.lower(), []).append(value)

    def on_headers_complete(self) -> None:
        request = self._request
        if request is None or self._goes_on:
            return
        self._in_head, self._unread = False, 0
        request.method = self._parser.get_method().decode("latin-1")
        request.version = self._parser.get_http_version()
        request.keep_alive = bool(self._parser.should_keep_alive())
        self.deadline = time.monotonic() + _BODY_S
        try:
            check(request)
            self._check_room(request.length or 0)
        except BadInput as problem:
            self._refuse(problem)
            return
        if request.expects_body and request.header(b"expect").lower() == "100-continue" and not self._queue:
            self._write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, chunk: bytes) -> None:
        request = self._request
        if request is None:
            return
        request.body.append(chunk)
        request.size += len(chunk)
        self._clients.held += len(chunk)
        # Slow networks have their time, those that only keep us waiting have not.
        self.deadline += len(chunk) / _BYTES_PER_S
        try:
            self._check_room(request.size)
        except BadInput as problem:
            self._refuse(problem)

    def _check_room(self, size: int) -> None:
        limits = self._clients.limits
        if size > limits.max_body:
            text = f"The body is larger than the limit of {limits.max_body} bytes."
            raise refusal(413, text, "Send fewer rows at a time.")
        if self._clients.held > limits.max_held:
            raise refusal(503, "Too many large requests are under way.", "Try again in a second.")

    def on_message_complete(self) -> None:
        if self._parser.should_upgrade():
            return
        self._complete()

    def _complete(self) -> None:
        request, self._request = self._request, None
        self._unread = 0
        if request is None:
            return
        exchange = Exchange(self, request, None)
        exchange.body = request.body[0] if len(request.body) == 1 else b"".join(request.body)
        request.body.clear()
        self._queue.append(exchange)
        if len(self._queue) > 1 and not self._paused and self._transport is not None:
            # Whatever is pipelined waits in the kernel, except what has been read already.
            self._paused = True
            self._transport.pause_reading()
        self.deadline = inf

    def _let_go(self, request: Request | None) -> None:
        if request is not None:
            self._clients.held -= request.size
            request.body.clear()
            request.size = 0

    def _refuse(self, problem: BadInput) -> None:
        """Answers what cannot be read on, after what came before it, and ends the connection."""
        if self._deaf:
            return
        request = self._request or Request()
        self._let_go(request)
        self._request, self._deaf = None, True
        request.keep_alive = False
        self._queue.append(Exchange(self, request, problem))
        self.deadline = inf
        asyncio.get_running_loop().call_soon(self._run)

    # answering
    def _run(self) -> None:
        """Begins the first request, unless it has begun, or the client does not read the answers to those before."""
        if self._queue and self._transport is not None and not self._queue[0].begun and not self._full:
            exchange = self._queue[0]
            exchange.begun = True
            self._clients.begin(exchange)

    def answer(self, exchange: Exchange, status: int, headers: Headers, body: bytes) -> None:
        """Writes the answer to the first request of the queue, and begins the next."""
        if self._transport is None or not self._queue or self._queue[0] is not exchange:
            return
        self._queue.popleft()
        self._clients.held -= len(exchange.body)
        request = exchange.request
        keep = request.keep_alive and not self._clients.draining and not (self._half_closed and not self._queue)
        lines = [f"HTTP/1.1 {status} {_REASONS.get(status, 'Unknown')}"]
        lines += [f"{name}: {value}" for name, value in headers]
        lines.append(f"content-length: {len(body)}")
        if not keep:
            lines.append("connection: close")
        elif request.version == "1.0":
            lines.append("connection: keep-alive")
        head = "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n"
        self._write(head if request.method == "HEAD" else head + body)
        if not keep:
            self._end()
        elif self._queue:
            # Not at once: a long pipeline would recurse.
            asyncio.get_running_loop().call_soon(self._run)
        else:
            self._listen_again()

    def _listen_again(self) -> None:
        if self._full:
            return
        self.deadline = time.monotonic() + (_IDLE_S if self._request is None else _HEADER_S)
        if self._paused and self._transport is not None:
            self._paused = False
            self._transport.resume_reading()

    def _end(self) -> None:
        """Ends our side, and reads a little longer: closing with unread input would destroy the answer under way."""
        self._deaf = True
        self._let_go(self._request)
        self._request = None
        self._forget()
        transport = self._transport
        if transport is None:
            return
        if self._half_closed or not transport.can_write_eof():
            transport.close()
            return
        if self._paused:
            self._paused = False
            transport.resume_reading()
        self.deadline = time.monotonic() + _LINGER_S
        transport.write_eof()

    def _write(self, data: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)
            unsent = self._transport.get_write_buffer_size()
            self._sent_by = time.monotonic() + _SENT_S + unsent / _BYTES_PER_S if unsent else inf

    # time
    def pause_writing(self) -> None:
        self._full = True

    def resume_writing(self) -> None:
        self._full = False
        if self._queue:
            self._run()
        elif not self._deaf:
            self._listen_again()

    def sweep(self, now: float) -> None:
        """Ends it if the client lets us wait too long: for a header, a body, or to read an answer."""
        transport = self._transport
        if transport is None:
            return
        if transport.get_write_buffer_size():
            if now > self._sent_by:
                transport.abort()
            elif self._deaf:
                # The time in which we only listen begins when the last answer is out.
                self.deadline = now + _LINGER_S
        elif now < self.deadline or (self._queue and not self._deaf):
            return
        elif self._deaf or self._request is None:
            transport.abort()
        else:
            self._refuse(refusal(408, "The request did not come in time.", "Send it faster, or in smaller parts."))

    def abort(self) -> None:
        """Ends it now."""
        if self._transport is not None:
            self._transport.abort()

    def close_if_idle(self) -> None:
        """Ends it unless a request has begun."""
        if self._transport is not None and not self._queue and self._request is None and not self._deaf:
            self._transport.close()
