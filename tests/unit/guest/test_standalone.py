"""The standalone host's HTTP: the ambiguous is refused, the slow is ended, what is asked is answered in order."""

import asyncio
import contextlib
import json
import re
import socket
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from studio.guest.serving.models import Model, load
from studio.guest.serving.standalone_figures import Figures
from studio.guest.serving.standalone_http import Clients, Connection, Limits
from studio.guest.serving.standalone_routes import Served
from tests.e2e.served_models import make_by_hand

LIMITS = Limits(max_body=50_000, max_held=120_000, max_connections=40)


@dataclass
class Site:
    """One host in this process."""

    clients: Clients
    served: Served
    figures: Figures
    port: int

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection("127.0.0.1", self.port)

    async def talk(self, *sent: bytes, half_close: bool = False) -> bytes:
        """Everything it answers until it closes; the pieces are sent one after the other."""
        reader, writer = await self.connect()
        try:
            for data in sent:
                writer.write(data)
                await writer.drain()
            if half_close:
                writer.write_eof()
            return await asyncio.wait_for(reader.read(), 60)
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    async def until(self, condition: Any) -> None:
        async with asyncio.timeout(60):
            while not condition():  # noqa: ASYNC110 - the loop's own turns
                await asyncio.sleep(0)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_by_hand(tmp_path_factory.mktemp("model"))


@contextlib.asynccontextmanager
async def running(model: Model, limits: Limits = LIMITS) -> AsyncIterator[Site]:
    figures = Figures("rain", 1)
    served = Served(model, "rain", "3", figures)
    clients = Clients(served.begin, limits)
    door = socket.create_server(("127.0.0.1", 0))
    door.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 64 * 1024)  # what a client does not read is soon felt
    server = await asyncio.get_running_loop().create_server(lambda: Connection(clients), sock=door)
    yield Site(clients, served, figures, door.getsockname()[1])
    server.close()
    clients.abort()
    await clients.leave()
    assert clients.held == 0


@pytest.fixture
async def site(folder: Path) -> AsyncIterator[Site]:
    async with running(load(folder)) as found:
        yield found


def post(a: float, b: float = 0.0, *headers: str, path: str = "/invocations", body: bytes | None = None) -> bytes:
    body = json.dumps({"dataframe_split": {"columns": ["a", "b"], "data": [[a, b]]}}).encode() if body is None else body
    lines = [f"POST {path} HTTP/1.1", "Host: x", "Content-Type: application/json", f"Content-Length: {len(body)}"]
    return "\r\n".join([*lines, *headers, "", ""]).encode() + body


def get(path: str, *headers: str, first: str = "GET") -> bytes:
    return "\r\n".join([f"{first} {path} HTTP/1.1", "Host: x", *headers, "", ""]).encode()


def answers(data: bytes) -> list[tuple[int, dict[str, str], bytes]]:
    """(status, headers, body) of each answer."""
    found = []
    while data:
        head, _, data = data.partition(b"\r\n\r\n")
        first, *lines = head.decode().split("\r\n")
        headers = dict(line.split(": ", 1) for line in lines)
        size = int(headers["content-length"])
        found.append((int(first.split(" ")[1]), headers, data[:size]))
        data = data[size:]
    return found


AMBIGUOUS = [
    "GET / HTTP/1.1\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
    "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: +3\r\n\r\nabc",
    "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3, 3\r\n\r\nabc",
    "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\nabc",
    "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0x3\r\n\r\nabc",
    "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: identity, chunked\r\n\r\n0\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n0\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
    "POST / HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1ffffffffffffffff\r\nx",
    "GET / HTTP/1.1\r\nHost: x\r\nX: a\r\n b\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: x\r\nX: a\rSet-Cookie: b\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: x\r\nX: a\x00b\r\n\r\n",
    "GET http://x/ HTTP/1.1\r\nHost: x\r\n\r\n",
    "GET /a%2e%2e/b HTTP/1.1\r\nHost: x\r\n\r\n",
    "GET /a\\b HTTP/1.1\r\nHost: x\r\n\r\n",
    "CONNECT x:443 HTTP/1.1\r\nHost: x\r\n\r\n",
    "TRACE / HTTP/1.1\r\nHost: x\r\n\r\n",
    "GET /\xff HTTP/1.1\r\nHost: x\r\n\r\n",
    "GET / HTTP/3.7\r\nHost: x\r\n\r\n",
    "nonsense\r\n\r\n",
]


async def test_what_two_programs_could_read_differently_is_refused(site: Site) -> None:
    for data in AMBIGUOUS:
        answer = await site.talk(data.encode("latin-1") + get("/v2/health/live"))
        assert len(re.findall(rb"HTTP/1\.1 \d{3} ", answer)) == 1, (data, answer)
        [(status, headers, body)] = answers(answer)
        assert status == (501 if data.startswith(("TRACE", "CONNECT")) else 400), (data, answer)
        assert headers["connection"] == "close" and json.loads(body)["error_code"] == "BAD_REQUEST"


async def test_floods_end_the_connection(site: Site) -> None:
    endless = b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 400_000
    many, long = [f"X-{n}: 1" for n in range(200)], "X: " + "a" * 70_000
    for status, data in ((431, get("/", *many)), (431, get("/", long)), (414, get("/" + "a" * 5000)), (431, endless)):
        assert answers(await site.talk(data))[-1][0] == status
    chunked = b"POST /invocations HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    # A trailer, and the extension of a chunk, that never end: the parser keeps one, the other is counted by nobody.
    assert answers(await site.talk(chunked, b"0\r\nX: " + b"a" * 3_000_000))[-1][0] == 400
    assert answers(await site.talk(chunked, b"1;" + b"a" * 3_000_000))[-1][0] == 400


async def test_bodies_have_limits_however_they_come(site: Site) -> None:
    chunked = b"POST /invocations HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    # Refused before any of it has come, and while it comes.
    assert answers(await site.talk(get("/invocations", "Content-Length: 50001", first="POST")))[0][0] == 413
    assert answers(await site.talk(chunked, b"ffff\r\n" + b"x" * 65_535 + b"\r\n"))[0][0] == 413
    kept = [await site.connect() for _ in range(2)]
    for _, writer in kept:
        writer.write(get("/invocations", "Content-Length: 50000", first="POST") + b" " * 49_000)
    await site.until(lambda: site.clients.held == 98_000)
    assert answers(await site.talk(post(1, body=b" " * 30_000)))[0][0] == 503
    for _, writer in kept:
        writer.close()
    await site.until(lambda: site.clients.held == 0)
    assert answers(await site.talk(post(1, 0, "Connection: close")))[0][0] == 200


async def test_pipelined_requests_are_answered_in_order(site: Site) -> None:
    """Three hundred at once, good ones and bad ones: every answer is the one to its own request."""
    sent = [post(n) if n % 7 else post(0, body=b"[]") for n in range(300)]
    sent[10:12] = [get("/v2/health/live"), get("/nothing")]
    got = answers(await site.talk(b"".join(sent), half_close=True))
    assert [status for status, _, _ in got[10:12]] == [200, 404] and len(got) == 300
    for n, (status, _, body) in enumerate(got):
        if n in (10, 11):
            continue
        assert status == (200 if n % 7 else 400)
        assert not n % 7 or json.loads(body)["predictions"] == pytest.approx([2.0 * n])


async def test_many_callers_get_their_own_answers(site: Site) -> None:
    async def one(n: int) -> bytes:
        return await site.talk(*(bytes([byte]) for byte in post(n, 0, "Connection: close")))

    for n, answer in enumerate(await asyncio.gather(*map(one, range(30)))):
        assert json.loads(answers(answer)[0][2])["predictions"] == pytest.approx([2.0 * n])


async def test_who_keeps_us_waiting_is_ended(site: Site) -> None:
    """As the clock of the host would say it; a slow body that does come has its time."""
    head = await site.connect()
    head[1].write(b"POST /invocations HTTP/1.1\r\nHost:")
    body = await site.connect()
    body[1].write(post(1)[:-1])
    idle = await site.connect()
    idle[1].write(get("/ping"))
    await site.until(lambda: site.clients.held and len(site.clients.open) == 3)
    assert (await idle[0].readuntil(b"}")).startswith(b"HTTP/1.1 200")
    now = time.monotonic()
    site.clients.sweep(now)
    assert len(site.clients.open) == 3
    site.clients.sweep(now + 30)
    assert answers(await head[0].read())[0][0] == 408
    site.clients.sweep(now + 70)
    assert answers(await body[0].read())[0][0] == 408
    site.clients.sweep(now + 200)
    assert await idle[0].read() == b""
    for _, writer in (head, body, idle):
        writer.close()


async def test_who_does_not_read_is_not_answered_further(site: Site) -> None:
    """However much is asked, no more than a few answers wait in memory; who reads again gets all of them."""
    count = 5000
    asked = get("/v2/models/rain") * (count - 1) + get("/v2/models/rain", "Connection: close")
    for reads in (True, False):
        reader, writer = await site.connect()
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        writer.write(asked)
        await site.until(lambda: any(one._full and one._paused for one in site.clients.open))
        [connection] = site.clients.open
        assert connection._transport is not None and connection._transport.get_write_buffer_size() < 500_000
        if reads:
            site.clients.sweep(time.monotonic())
            writer.transport.resume_reading()  # type: ignore[attr-defined]
            got = await asyncio.wait_for(reader.read(), 60)
            assert got.count(b"HTTP/1.1 200 OK\r\n") == count
        else:
            site.clients.sweep(time.monotonic() + 100)
        writer.transport.abort()
        await site.until(lambda: not site.clients.open)


async def test_a_slow_reader_gets_all_of_the_last_answer(folder: Path) -> None:
    rows = [[n / 7, 0.0] for n in range(50_000)]
    body = json.dumps({"dataframe_split": {"columns": ["a", "b"], "data": rows}}).encode()
    async with running(load(folder), Limits()) as site:
        reader, writer = await site.connect()
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        writer.write(post(0, 0, "Connection: close", body=body))
        await site.until(lambda: any(one._deaf and one._full for one in site.clients.open))
        site.clients.sweep(time.monotonic() + 30)
        writer.transport.resume_reading()  # type: ignore[attr-defined]
        [(status, _, answer)] = answers(await asyncio.wait_for(reader.read(), 60))
        assert status == 200 and len(json.loads(answer)["predictions"]) == len(rows)
        writer.transport.abort()


async def test_wishes_that_http_lets_us_ignore(site: Site) -> None:
    """Java's client asks for h2c with every request; others want to be told that they may send the body."""
    wish = ("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAAP__")
    chunked = get("/invocations", *wish, "Transfer-Encoding: chunked", "Content-Type: application/json", first="POST")
    inner = post(4).partition(b"\r\n\r\n")[2]
    pieces = b"5\r\n" + inner[:5] + b"\r\n" + f"{len(inner) - 5:x}\r\n".encode() + inner[5:] + b"\r\n0\r\n\r\n"
    data = post(3, 0, *wish) + chunked + pieces + get("/ping", *wish) + post(5, 0, "Connection: close")
    got = answers(await site.talk(data))
    assert [status for status, _, _ in got] == [200] * 4
    said = [json.loads(got[at][2])["predictions"][0] for at in (0, 1, 3)]
    assert said == pytest.approx([6.0, 8.0, 10.0])
    expecting = await site.talk(post(1, 0, "Expect: 100-continue", "Connection: close"))
    assert expecting.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n")


async def test_old_clients_and_heads(site: Site) -> None:
    old = (await site.talk(b"GET /ping HTTP/1.0\r\n\r\n")).decode()
    assert old.startswith("HTTP/1.1 200") and "connection: close" in old
    kept = b"GET /ping HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"
    both = (await site.talk(kept + b"GET /ping HTTP/1.0\r\n\r\n")).decode()
    assert both.count("HTTP/1.1 200") == 2 and both.count("connection: keep-alive") == 1
    bare = await site.talk(get("/v2/health/ready", "Connection: close", first="HEAD"))
    assert bare.endswith(b"\r\n\r\n") and b"content-length: 14" in bare


@pytest.mark.parametrize(
    ("request_", "status", "said"),
    [
        (get("/v2/models/other"), 404, "serves rain"),
        (get("/v2/models/rain/versions/4"), 404, "It serves 3"),
        (get("/v2/models/rain/infer"), 405, "Use POST"),
        (get("/v2/repository/index"), 404, "nothing at"),
        (post(1, path="/v2/models/rain/versions/3/ready"), 405, "Use GET"),
        (post(1, path="/v2/models/rain/infer"), 400, "Open Inference Protocol"),
        (post(1, 0, "Inference-Header-Content-Length: +5", path="/v2/models/rain/infer"), 400, "not a number"),
        (post(1, 0, "Inference-Header-Content-Length: 99999", path="/v2/models/rain/infer"), 400, "the body has"),
        (post(1, 0, "Content-Encoding: gzip", path="/v2/models/rain/infer"), 415, "compressed"),
    ],
)
async def test_errors_in_the_form_of_their_protocol(site: Site, request_: bytes, status: int, said: str) -> None:
    [(found, _, body)] = answers(await site.talk(request_, half_close=True))
    assert found == status and list(json.loads(body)) == ["error"] and said in json.loads(body)["error"]


async def test_names_of_columns_make_no_headers(site: Site) -> None:
    body = {"dataframe_split": {"columns": ["a", "b", "x\r\nSet-Cookie: y"], "data": [[1, 2, 3]]}}
    answer = await site.talk(post(0, 0, "Connection: close", body=json.dumps(body).encode()))
    assert answer.startswith(b"HTTP/1.1 200") and b"set-cookie" not in answer.lower()


async def test_who_went_away_is_not_waited_for(site: Site) -> None:
    """Its place in the queue is dropped, the figures come down again."""
    _, writer = await site.connect()
    writer.write(b"".join(post(n) for n in range(50)))
    await writer.drain()
    writer.transport.abort()
    await site.until(lambda: not site.clients.open)
    text = (await site.talk(get("/metrics", "Connection: close"))).decode()
    assert 'studio_endpoint_inflight{endpoint="rain"} 0\n' in text


async def test_one_too_many_is_told_so(site: Site) -> None:
    kept = [await site.connect() for _ in range(LIMITS.max_connections)]
    await site.until(lambda: len(site.clients.open) == LIMITS.max_connections)
    assert answers(await site.talk())[0][0] == 503
    for _, writer in kept:
        writer.close()
    await site.until(lambda: not site.clients.open)
    assert answers(await site.talk(post(1, 0, "Connection: close")))[0][0] == 200


async def test_draining_answers_what_was_asked_and_says_no_more(site: Site) -> None:
    idle, busy = await site.connect(), await site.connect()
    busy[1].write(post(6)[:-4])
    await site.until(lambda: len(site.clients.open) == 2 and site.clients.held)
    site.served.ready = False
    assert answers(await site.talk(get("/v2/health/ready", "Connection: close")))[0][0] == 503
    site.clients.drain()
    assert await idle[0].read() == b""
    busy[1].write(post(6)[-4:])
    [(status, headers, body)] = answers(await busy[0].read())
    assert (status, headers["connection"]) == (200, "close")
    assert json.loads(body)["predictions"] == pytest.approx([12.0])
    for _, writer in (idle, busy):
        writer.close()


def test_workers_figures_are_added_up() -> None:
    figures = Figures("rain", 3)
    for worker in range(3):
        figures.use(worker)
        figures.begin()
        figures.begin()
        figures.end(200 if worker else 503, 0.25, 2)
    text = figures.render().decode()
    assert 'requests_total{endpoint="rain",status="200"} 2\n' in text and 'status="503"} 1\n' in text
    assert 'inflight{endpoint="rain"} 3\n' in text and 'rows_total{endpoint="rain"} 6\n' in text
    assert 'seconds_total{endpoint="rain"} 0.75\n' in text


_PIECES = st.one_of(
    st.binary(max_size=30),
    st.sampled_from([data.encode("latin-1") for data in AMBIGUOUS]),
    st.builds(post, st.integers(0, 99)),
    st.builds(lambda n, cut: post(n)[:cut], st.integers(0, 99), st.integers(1, 150)),
    st.sampled_from([get("/ping"), b"\r\n", b"0\r\n\r\n", get("/", "Upgrade: x", "Connection: upgrade")]),
)


@settings(max_examples=60)
@given(pieces=st.lists(_PIECES, max_size=6), cuts=st.lists(st.integers(1, 200), max_size=8))
def test_whatever_is_sent_is_answered_by_http_and_hurts_nobody(
    folder: Path, pieces: list[bytes], cuts: list[int]
) -> None:
    data = b"".join(pieces)
    parts = [data[start:end] for start, end in zip([0, *sorted(cuts)], [*sorted(cuts), len(data)], strict=True)]

    async def tried() -> None:
        async with running(load(folder)) as site:
            with contextlib.suppress(ConnectionError):
                for status, _, _ in answers(await site.talk(*parts, half_close=True)):
                    assert 200 <= status < 500 or status == 501
            [(status, _, body)] = answers(await site.talk(post(8, 0, "Connection: close")))
            assert status == 200 and json.loads(body)["predictions"] == pytest.approx([16.0])

    asyncio.run(tried())
