"""Requests on one connection: however they are cut and whatever follows, they are answered as if each came alone."""

import asyncio
import hashlib
import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from studio.gateway.exchange import Exchange
from tests.unit.gateway.test_connection import Echo, Wire, talk


class Digest(Echo):
    """Answers with what it was asked, so that no two requests can be taken for each other."""

    def __init__(self, exchange: Exchange) -> None:
        super().__init__(exchange)
        self.seen = hashlib.sha256(exchange.request.method.encode() + exchange.request.target)

    def body(self, chunk: bytes) -> None:
        self.seen.update(chunk)

    def end(self) -> None:
        self.exchange.respond(200, [(b"x-target", self.exchange.request.target)], self.seen.hexdigest().encode())


def begin(exchange: Exchange) -> None:
    if exchange.error is not None:
        exchange.refuse(exchange.error)
    else:
        exchange.attach(Digest(exchange))


class Ending(Wire):
    """Remembers that our side has ended."""

    ended = False

    def write_eof(self) -> None:
        self.ended = True

    def close(self) -> None:
        super().close()
        self.ended = True

    abort = close


def answers(*parts: bytes) -> tuple[bytes, bool]:
    """Everything that is answered to `parts`, and whether the connection has ended with it."""
    wire = Ending()
    out, _, _ = talk(*parts, begin=begin, wire=wire)
    return out, wire.ended


def chunked(body: bytes, size: int) -> bytes:
    parts = [body[at : at + size] for at in range(0, len(body), size)]
    return b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


_hidden = b"GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"
_bodies = st.one_of(st.binary(max_size=40), st.just(_hidden), st.just(b"0\r\n\r\n" + _hidden))
_headers = st.lists(
    st.sampled_from(
        [
            b"X-A: 1",
            b"Connection: keep-alive",
            b"Upgrade: h2c",
            b"Content-Type: text/csv",
            b"X-B: \xe9",
            b"TE: trailers",
        ]
    ),
    max_size=3,
    unique=True,
)


@st.composite
def good(draw: st.DrawFn) -> bytes:
    """One request that stands for itself."""
    method = draw(st.sampled_from([b"GET", b"POST", b"PUT", b"DELETE", b"HEAD", b"OPTIONS"]))
    target = draw(st.sampled_from([b"/", b"/a", b"/endpoints/rain/invocations", b"/a?b=%20c"]))
    lines = [b"Host: a", *draw(_headers)]
    body = draw(_bodies)
    form = draw(st.sampled_from(["none", "length", "chunked"]))
    if form == "length":
        lines.append(b"Content-Length: %d" % len(body))
    elif form == "chunked":
        lines.append(b"Transfer-Encoding: chunked")
    payload = {"none": b"", "length": body, "chunked": chunked(body, draw(st.integers(1, 16)))}[form]
    return b"%b %b HTTP/1.1\r\n%b\r\n\r\n%b" % (method, target, b"\r\n".join(lines), payload)


# Each could be read in two ways, or is the last on its connection: nothing after it is answered.
LAST = [
    b"POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n",
    b"POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nContent-Length: 35\r\n\r\n",
    b"POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
    b"POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 0x10\r\n\r\n",
    b"POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    b"POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    b"POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\x0bchunked\r\n\r\n0\r\n\r\n",
    b"POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
    b"POST /a HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"GET /a HTTP/1.1\r\n\r\n",
    b"GET /a HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    b"GET /a HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    b"GET /a HTTP/1.0\r\nHost: a\r\n\r\n",
    b"GET /../a HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET /a HTTP/1.1\r\nHost: a\r\nX: b\n continued\r\n\r\n",
    b"GET /a HTTP/1.1\r\nHost: a\r\n X: folded\r\n\r\n",
    b"GET /a HTTP/9.9\r\nHost: a\r\n\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01",
]


def cut(data: bytes, sizes: list[int]) -> list[bytes]:
    parts, at = [], 0
    for size in sizes:
        parts.append(data[at : at + size])
        at += size
    return [part for part in [*parts, data[at:]] if part]


@settings(max_examples=80, deadline=None)
@given(st.lists(good(), min_size=1, max_size=6), st.lists(st.integers(1, 80), max_size=20))
def test_requests_in_a_row_are_answered_as_if_each_came_alone(requests: list[bytes], sizes: list[int]) -> None:
    alone = [answers(request) for request in requests]
    assert not any(ended for _, ended in alone)
    together, ended = answers(*cut(b"".join(requests), sizes))
    assert together == b"".join(answer for answer, _ in alone) and not ended


@settings(max_examples=80, deadline=None)
@given(st.lists(good(), max_size=3), st.sampled_from(LAST), _bodies, st.lists(st.integers(1, 80), max_size=20))
@example([], LAST[0], _hidden, [])
def test_nothing_is_answered_after_what_could_be_read_in_two_ways(
    before: list[bytes], last: bytes, hidden: bytes, sizes: list[int]
) -> None:
    expected = b"".join(answers(request)[0] for request in before)
    out, ended = answers(*cut(b"".join(before) + last + hidden, sizes))
    assert ended
    # At most one answer more, and none to anything in what follows.
    assert out.startswith(expected) or expected.startswith(out)
    rest = re.findall(rb"HTTP/1\.1 (\d{3})", out[len(expected) :])
    assert len(rest) <= 1 and b"/smuggled" not in out


@pytest.mark.parametrize("last", LAST, ids=lambda data: ascii(data)[:50])
def test_what_could_be_read_in_two_ways_gets_one_answer_at_most(last: bytes) -> None:
    out, ended = answers(last + _hidden + _hidden)
    assert ended and len(re.findall(rb"HTTP/1\.1 \d{3}", out)) <= 1 and b"/smuggled" not in out


def test_the_word_to_go_on_comes_in_its_turn() -> None:
    """Not while the answer to an earlier request is still being made: it would be taken for that one's."""
    first = b"GET /a HTTP/1.1\r\nHost: a\r\n\r\n"
    head = b"POST /b HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"
    waiting: list[Exchange] = []

    def late(exchange: Exchange) -> None:
        if waiting or exchange.request.target == b"/b":
            begin(exchange)
            return
        waiting.append(exchange)
        asyncio.get_running_loop().call_soon(exchange.respond, 200, [], b"late")

    out, _, _ = talk(first + head, b"", b"", b"ab", begin=late)
    assert re.findall(rb"HTTP/1\.1 (\d{3})", out) == [b"200", b"100", b"200"]
    waiting.clear()
    out, _, _ = talk(first + head + b"ab", begin=late)
    assert re.findall(rb"HTTP/1\.1 (\d{3})", out) == [b"200", b"200"]
