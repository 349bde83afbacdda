"""A client's connection: parses requests, answers them in order, holds back who is too fast or too slow."""

import asyncio
import socket
import time
from collections import deque
from collections.abc import Callable
from typing import Protocol, cast

import httptools

from studio.errors import StudioError
from studio.gateway import messages, requests
from studio.gateway.exchange import Exchange
from studio.gateway.heads import Heads
from studio.gateway.requests import Request

_HEADER_S = 20.0
_BODY_S = 60.0
_LINGER_S = 2.0


class Raw(Protocol):
    """What takes over a connection after an upgrade."""

    def data(self, data: bytes) -> None: ...
    def eof(self) -> None: ...
    def gone(self) -> None: ...
    def pause(self) -> None: ...
    def resume(self) -> None: ...


class Client(asyncio.Protocol):
    """`begin(exchange)` is called for each request when its turn has come."""

    def __init__(
        self, begin: Callable[[Exchange], None], clients: "set[Client]", max_header: int, idle_s: float
    ) -> None:
        self._begin = begin
        self._clients = clients
        self._max_header = max_header
        self._idle_s = idle_s
        self._parser = httptools.HttpRequestParser(self)
        self._heads = Heads()
        self._queue: deque[Exchange] = deque()
        self._reading: Exchange | None = None
        self._next: Exchange | None = None  # its turn has come; begins when what was read has been parsed
        self._head: Request | None = None
        self._newest: Request | None = None  # whose head ended in what was read last, and the body in it
        self._newest_body = b""
        self._head_bytes = 0
        self._left = 0  # bytes of a body that comes after an Upgrade nobody takes
        self._holds = 0
        self._closing = False
        self._half_closed = False
        self.raw: Raw | None = None
        self.peer = ""
        self.transport: asyncio.Transport | None = None
        self.deadline = 0.0
        self._stalled = 0.0
        self._unsent = 0  # bytes of answers, at the last look
        self._moved = 0.0  # when there were last fewer of them

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport = cast("asyncio.Transport", transport)
        self._clients.add(self)
        name = transport.get_extra_info("peername")
        self.peer = str(name[0]) if name else ""
        sock = transport.get_extra_info("socket")
        if sock is not None and sock.family in (socket.AF_INET, socket.AF_INET6):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.deadline = time.monotonic() + self._idle_s

    def connection_lost(self, exc: Exception | None) -> None:
        self._clients.discard(self)
        self.transport = None
        if self.raw is not None:
            self.raw.gone()
        for exchange in self._queue:
            if exchange.handler is not None:
                exchange.handler.gone()
        self._queue.clear()

    def data_received(self, data: bytes) -> None:
        if self.raw is not None:
            self.raw.data(data)
            return
        if self._closing:
            return
        if self._left:
            data = self._rest_of_body(data)
        whole = b"" if self._queue or self._head_bytes else data
        if whole and (repeated := self._heads.find(whole)):
            self._begin_repeated(*repeated)
            return
        self._newest, self._newest_body = None, b""
        if self._reading is None:
            self._head_bytes += len(data)
            if self._head_bytes == len(data):
                self.deadline = time.monotonic() + _HEADER_S
        else:
            self.deadline = time.monotonic() + _BODY_S
        while data:
            try:
                self._parser.feed_data(data)
                data = b""
            except httptools.HttpParserUpgrade as upgrade:
                self._begin_next()
                data = self._upgraded(data[upgrade.args[0] :])
            except httptools.HttpParserError as error:
                self._garbage(str(error))
                return
        self._begin_next()
        if whole:
            self._learn(whole)
        if self._head is not None and self._head_bytes > self._max_header:
            self._refuse_rest(messages.HeadersTooLarge("The headers are too large.", "Send at most 64 KiB of headers."))

    def _learn(self, data: bytes) -> None:
        if self._newest is not None:
            self._heads.learn(data, self._newest, self._newest_body)

    def _begin_repeated(self, request: Request, body: bytes) -> None:
        exchange = Exchange(self, request, None, body)
        self._queue.append(exchange)
        self._begin(exchange)

    def _rest_of_body(self, data: bytes) -> bytes:
        part, data = data[: self._left], data[self._left :]
        self._left -= len(part)
        if self._reading is not None:
            self._reading.feed(part)
            if not self._left:
                self._complete()
        return data

    def _upgraded(self, rest: bytes) -> bytes:
        """After an Upgrade: a websocket takes the rest over; any other wish is ignored, as HTTP allows."""
        exchange = self._reading
        self._parser = httptools.HttpRequestParser(self)
        if exchange is None:
            return b""
        if exchange.request.upgrade:
            self._complete()
            if self.raw is not None and rest:
                self.raw.data(rest)
            elif rest:
                exchange.feed(rest)
            return b""
        if exchange.request.method == "CONNECT" or exchange.request.chunked:
            self._complete()
            return b""
        self._left = exchange.request.length or 0
        if not self._left:
            self._complete()
            return rest
        return self._rest_of_body(rest)

    def eof_received(self) -> bool:
        if self.raw is not None:
            self.raw.eof()
            return False
        self._half_closed = True
        # Who closed only its sending side still wants the answers to what it has asked completely.
        return bool(self._queue) and self._reading is None

    # httptools' callbacks
    def on_message_begin(self) -> None:
        self._head = Request("", b"", [], self.peer)

    def on_url(self, part: bytes) -> None:
        if self._head is not None:
            self._head.target += part

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._head is not None:  # trailers are dropped
            self._head.headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        head, self._head = self._head, None
        if head is None or self._closing:
            return
        self._head_bytes = 0
        head.method = self._parser.get_method().decode("latin-1")
        head.version = self._parser.get_http_version()
        head.keep_alive = bool(self._parser.should_keep_alive())
        error = requests.check(head)
        if self._parser.should_upgrade() and head.header(b"upgrade").strip().lower() == b"websocket":
            head.upgrade = "websocket"
        self._newest = head
        self._reading = exchange = Exchange(self, head, error)
        self._queue.append(exchange)
        self.deadline = time.monotonic() + _BODY_S
        if len(self._queue) == 1:
            self._next = exchange
            self._encourage(exchange)
        elif len(self._queue) == 2:
            # Whatever is pipelined waits in the kernel, except what has been read already.
            self.hold()

    def on_body(self, chunk: bytes) -> None:
        self._newest_body = chunk
        if self._reading is not None:
            self._reading.feed(chunk)

    def on_message_complete(self) -> None:
        if not self._parser.should_upgrade():
            self._complete()

    def _complete(self) -> None:
        exchange, self._reading = self._reading, None
        if exchange is not None:
            exchange.close_input()
            self._begin_next()

    def _begin_next(self) -> None:
        """Begins a request with what has come of its body: both go on in one piece."""
        exchange, self._next = self._next, None
        if exchange is not None:
            self._begin(exchange)

    # answers
    def next(self, done: Exchange) -> None:
        """`done` is answered: begins the next request, or waits for one."""
        if self._queue and self._queue[0] is done:
            self._queue.popleft()
            if len(self._queue) == 1 and self._holds:
                self.unhold()
        if not done.keep_alive or (self._half_closed and not self._queue):
            self._linger()
        elif self._queue:
            # Not at once: a long pipeline of refused requests would recurse.
            asyncio.get_running_loop().call_soon(self._begin_head, self._queue[0])
        else:
            self.deadline = time.monotonic() + self._idle_s

    def _begin_head(self, exchange: Exchange) -> None:
        if self.transport is not None and not self._closing and self._queue and self._queue[0] is exchange:
            self._encourage(exchange)
            self._begin(exchange)

    def _encourage(self, exchange: Exchange) -> None:
        """Asks for the body that a client holds back until it hears that it may send it; only in its turn, or it would
        be taken for a word about the request before."""
        request = exchange.request
        waits = exchange.error is None and request.has_body and not exchange.is_whole
        if waits and request.header(b"expect").lower() == b"100-continue":
            self.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def _garbage(self, why: str) -> None:
        self._refuse_rest(
            messages.for_status(400, f"This is not a valid HTTP/1.1 request: {why}.", "Send a valid one.")
        )

    def _refuse_rest(self, error: StudioError) -> None:
        """Answers what cannot be parsed, after what came before it, and ends the connection."""
        if self._reading is not None:
            # In the middle of a body: there is no way to answer in order that the sender would understand.
            self.abort()
            return
        request = self._head or Request("GET", b"/", [], self.peer)
        request.keep_alive, self._head = False, None
        exchange = Exchange(self, request, error)
        exchange.close_input()
        self._queue.append(exchange)
        if len(self._queue) == 1:
            self._begin(exchange)

    def write(self, data: bytes) -> None:
        if self.transport is not None and not self._closing and not self.transport.is_closing():
            self.transport.write(data)

    def hold(self) -> None:
        """Reads nothing more until `unhold`, as many times."""
        self._holds += 1
        if self._holds == 1 and self.transport is not None:
            self.transport.pause_reading()

    def unhold(self) -> None:
        self._holds -= 1
        if self._holds == 0 and self.transport is not None:
            self.transport.resume_reading()

    def pause_writing(self) -> None:
        self._stalled = time.monotonic()
        if self.raw is not None:
            self.raw.pause()
        elif self._queue and (handler := self._queue[0].handler) is not None:
            handler.pause()

    def resume_writing(self) -> None:
        self._stalled = 0.0
        if self.raw is not None:
            self.raw.resume()
        elif self._queue and (handler := self._queue[0].handler) is not None:
            handler.resume()

    def _linger(self) -> None:
        """Ends our side, and reads a little longer: closing with unread input would destroy the answer under way."""
        self._closing = True
        if self.transport is None:
            return
        if self._half_closed or not self.transport.can_write_eof():
            self.transport.close()
            return
        if self._holds:
            self._holds = 0
            self.transport.resume_reading()
        self.deadline = time.monotonic() + _LINGER_S
        self.transport.write_eof()

    @property
    def is_busy(self) -> bool:
        """Whether a request has begun and is not answered."""
        return bool(self._queue)

    def is_overdue(self, now: float) -> bool:
        """Whether the client lets us wait too long: for a header, a body, or to read an answer."""
        if self.transport is None:
            return False
        unsent = self.transport.get_write_buffer_size()
        if unsent < self._unsent:
            self._moved = now  # slow, but it reads
        self._unsent = unsent
        if self._stalled and now - max(self._stalled, self._moved) > _BODY_S:
            return True
        if self.raw is not None or now < self.deadline:
            return False
        if self._closing and unsent:
            return now - max(self._moved, self.deadline) > _BODY_S
        return self._closing or self._reading is not None or not self._queue

    def abort(self) -> None:
        if self.transport is not None:
            self.transport.abort()
