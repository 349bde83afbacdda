"""The parser path in process, fed with anything."""

import asyncio
import re
import time
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from studio.gateway.connection import Client
from studio.gateway.exchange import Exchange


class Wire(asyncio.Transport):
    """Keeps what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.out = b""
        self.closed = False
        self.reading = True
        self.unsent = 0

    def write(self, data: Any) -> None:
        assert not self.closed
        self.out += bytes(data)

    def get_write_buffer_size(self) -> int:
        return self.unsent

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True

    def abort(self) -> None:
        self.closed = True

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        return

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return default


class Echo:
    """Answers each request with the length of its body."""

    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange
        self.size = 0

    def body(self, chunk: bytes) -> None:
        self.size += len(chunk)

    def end(self) -> None:
        self.exchange.respond(200, [], b"%d" % self.size)

    def gone(self) -> None:
        return

    def pause(self) -> None:
        return

    def resume(self) -> None:
        return


def begin(exchange: Exchange) -> None:
    if exchange.error is not None:
        exchange.refuse(exchange.error)
    else:
        exchange.attach(Echo(exchange))


def talk(
    *parts: bytes, begin: Callable[[Exchange], None] = begin, wire: Wire | None = None
) -> tuple[bytes, Wire, Client]:
    """What a client's connection answers to `parts`."""
    wire = wire or Wire()

    async def run() -> Client:
        client = Client(begin, set(), 65536, 60.0)
        client.connection_made(wire)
        for part in parts:
            if not wire.closed:
                client.data_received(part)
            await asyncio.sleep(0)
        for _ in range(20):
            await asyncio.sleep(0)
        client.connection_lost(None)
        return client

    client = asyncio.run(run())
    return wire.out, wire, client


_line = st.sampled_from(
    [
        b"Host: a",
        b"Host: b",
        b"Content-Length: 3",
        b"Content-Length: 0",
        b"Transfer-Encoding: chunked",
        b"Connection: close",
        b"Upgrade: websocket",
        b"Upgrade: h2c",
        b"Connection: Upgrade",
        b"Expect: 100-continue",
        b"X: \xff",
        b"X:",
        b"\0",
        b":",
    ]
)
_piece = st.one_of(
    st.binary(max_size=40),
    st.builds(
        lambda first, lines, body: b"\r\n".join([first, *lines, b"", b""]) + body,
        st.sampled_from(
            [b"GET / HTTP/1.1", b"POST /a HTTP/1.1", b"CONNECT a HTTP/1.1", b"GET * HTTP/1.0", b"GET /%2e%2e HTTP/1.1"]
        ),
        st.lists(_line, max_size=5),
        st.sampled_from([b"", b"abc", b"3\r\nabc\r\n0\r\n\r\n", b"ffffffffffffffffffff\r\n", b"0\r\nHost: x\r\n\r\n"]),
    ),
)


@settings(max_examples=300, deadline=None)
@given(st.lists(_piece, min_size=1, max_size=6))
def test_anything_gets_answers_or_the_end_and_never_an_exception(parts: list[bytes]) -> None:
    out, _, _ = talk(*parts)
    for status in re.findall(rb"HTTP/1\.1 (\d{3}) ", out):
        assert status in (b"100", b"200", b"400", b"431")


@given(st.integers(1, 60))
def test_any_cut_gives_the_same_answers(size: int) -> None:
    one = b"POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"
    two = b"POST /y HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n"
    data = one + two + one
    out, _, _ = talk(*(data[at : at + size] for at in range(0, len(data), size)))
    assert [answer.rpartition(b"\r\n\r\n")[2] for answer in out.split(b"HTTP/1.1 200 OK")[1:]] == [b"5", b"7", b"5"]


@pytest.mark.parametrize("cut", [10, 60, 70, 90])
def test_ignored_upgrade_with_a_body_keeps_the_connection_in_step(cut: int) -> None:
    data = b"POST /x HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: 5\r\n\r\nhello"
    data += b"GET /y HTTP/1.1\r\nHost: a\r\n\r\n"
    out, _, _ = talk(data[:cut], data[cut:])
    assert [answer.rpartition(b"\r\n\r\n")[2] for answer in out.split(b"HTTP/1.1 200 OK")[1:]] == [b"5", b"0"]


def test_garbage_in_the_middle_of_a_body_ends_the_connection() -> None:
    _, wire, _ = talk(b"POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", b"zz\r\n")
    assert wire.closed


HEAD = b"POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n"


@pytest.mark.parametrize(
    ("sent", "idle_s", "limit_s"),
    [
        ([], 7.0, 7.0),  # says nothing at all
        ([HEAD[:1]], 60.0, 20.0),
        ([HEAD[at : at + 1] for at in range(30)], 60.0, 20.0),  # a byte now and then makes it no longer
        ([HEAD, b"h"], 60.0, 60.0),
        ([HEAD + b"hello"], 7.0, 7.0),  # answered: kept for the next one, but not for ever
    ],
)
async def test_slow_clients_are_waited_for_so_long(sent: list[bytes], idle_s: float, limit_s: float) -> None:
    client = Client(begin, set(), 65536, idle_s)
    client.connection_made(Wire())
    before = time.monotonic()
    for part in sent:
        client.data_received(part)
    after = time.monotonic()
    assert not client.is_overdue(before + limit_s - 0.001)
    assert client.is_overdue(after + limit_s)
    client.connection_lost(None)


async def test_who_waits_for_an_answer_is_never_too_slow() -> None:
    client = Client(lambda exchange: None, set(), 65536, 1.0)
    client.connection_made(Wire())
    client.data_received(HEAD + b"hello")
    assert not client.is_overdue(time.monotonic() + 1e6)
    # But who does not read the answer is.
    client.pause_writing()
    assert client.is_overdue(time.monotonic() + 61)
    client.connection_lost(None)


async def test_a_slow_reader_gets_all_of_an_answer_as_long_as_it_reads() -> None:
    client, wire = Client(begin, set(), 65536, 1.0), Wire()
    client.connection_made(wire)
    wire.unsent = 5000
    client.data_received(b"GET /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    client.pause_writing()
    now = time.monotonic()
    for minute in range(1, 5):
        wire.unsent -= 1000
        assert not client.is_overdue(now + minute * 59)
    assert client.is_overdue(now + 4 * 59 + 61)
    # The last of it has gone: its end is waited for only a moment.
    client.resume_writing()
    wire.unsent = 0
    assert client.is_overdue(now + 4 * 59 + 61)
    client.connection_lost(None)
