"""Heads that came before: they mean the same again, and what may be done is asked again each time."""

import asyncio
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from studio.gateway import heads
from studio.gateway.app import Gateway
from studio.gateway.config import Config
from studio.gateway.connection import Client
from studio.gateway.heads import Heads
from studio.gateway.requests import Request
from tests.unit.gateway.test_connection import Wire
from tests.unit.gateway.test_fuzzed import TABLE, TOKEN, config

__all__ = ["config"]
_ID = re.compile(rb"x-studio-inference-id: [^\r]*\r\n")


def request(body: bytes, path: bytes = b"/endpoints/snow/invocations", more: bytes = b"", token: str = TOKEN) -> bytes:
    head = b"POST %b HTTP/1.1\r\nHost: 127.0.0.1:8600\r\nAuthorization: Bearer %b\r\n" % (path, token.encode())
    return head + more + b"Content-Length: %d\r\n\r\n%b" % (len(body), body)


class Talk:
    """One connection to a gateway in process."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway, self.wire = gateway, Wire()
        self.client = Client(gateway._begin, gateway.clients, 65536, 60.0)
        self.client.connection_made(self.wire)

    async def ask(self, *parts: bytes) -> bytes:
        """What is answered to `parts`, which arrive one by one."""
        before = len(self.wire.out)
        for part in parts:
            if not self.wire.closed:
                self.client.data_received(part)
        for _ in range(20):
            await asyncio.sleep(0)
        return self.wire.out[before:]

    async def status(self, *parts: bytes) -> int:
        return int((await self.ask(*parts))[9:12])


@contextmanager
def open_gateway(config: Config, table: dict[str, Any]) -> Iterator[Gateway]:
    gateway = Gateway(config)
    gateway.tables.replace(1, table)
    try:
        yield gateway
    finally:
        for endpoint in list(gateway.inference.endpoints.values()):
            endpoint.remove()
        gateway.inference.capture.close()


def learnt(talk: Talk) -> int:
    return len(talk.client._heads._known)


def run(config: Config, table: dict[str, Any], work: Callable[[Talk], Any]) -> Any:
    async def go() -> Any:
        with open_gateway(config, table) as gateway:
            talk = Talk(gateway)
            found = await work(talk)
            talk.client.connection_lost(None)
            return found

    return asyncio.run(go())


FREE = TABLE | {"endpoints/demo/snow": {"variants": []}}
CHANGES: list[tuple[dict[str, Any], int]] = [
    ({"keys/key": None}, 401),
    ({"keys/key": TABLE["keys/key"] | {"expires_ms": 1}}, 401),
    ({"keys/key": TABLE["keys/key"] | {"resources": ["endpoint/rain"]}}, 403),
    ({"members/demo/ann": None}, 403),
    ({"refusals/demo/snow": {"rules": [{"who": ["user:ann"], "message": "No.", "hint": ""}]}}, 403),
    ({"endpoints/demo/snow": None}, 404),
    ({"endpoints/demo/snow": {"variants": [], "max_body": 1}}, 413),
]


@pytest.mark.parametrize(("change", "status"), CHANGES)
def test_what_was_learnt_is_asked_again(config: Config, change: dict[str, Any], status: int) -> None:
    async def work(talk: Talk) -> None:
        assert [await talk.status(request(b"one")), await talk.status(request(b"two"))] == [503, 503]
        assert learnt(talk) == 1
        talk.gateway.tables.change(2, change)
        assert await talk.status(request(b"six")) == status

    run(config, FREE, work)


def test_a_rate_limit_counts_what_was_learnt(config: Config) -> None:
    async def work(talk: Talk) -> list[int]:
        return [await talk.status(request(b"one")) for _ in range(3)]

    assert run(config, TABLE, work) == [503, 429, 429]


@pytest.mark.parametrize(
    "odd",
    [
        request(b"one", more=b"Connection: close\r\n"),
        request(b"one", more=b"Expect: 100-continue\r\n"),
        request(b"one").replace(b"Bearer", b"AWS4-HMAC-SHA256"),
        request(b"one").replace(
            b"Content-Length: 3\r\n\r\none", b"Transfer-Encoding: chunked\r\n\r\n3\r\none\r\n0\r\n\r\n"
        ),
        request(b"one", path=b"/endpoints/none/invocations"),
        request(b"one", token="studio_key_" + "t" * 40),
        request(b"one", path=b"/api/v1/domains"),
        request(b"one", more=b"X-Long: " + b"x" * heads._LONGEST + b"\r\n"),
        request(b""),
        b"\r\n" + request(b"one"),
        request(b"one") + request(b"two"),
        request(b"one") + b"POST /",
    ],
)
def test_only_plain_predictions_are_learnt(config: Config, odd: bytes) -> None:
    async def work(talk: Talk) -> int:
        await talk.ask(odd)
        return learnt(talk)

    assert run(config, FREE, work) == 0


def test_what_is_no_head_is_never_taken_for_one(config: Config) -> None:
    """Line ends before a request are skipped: they must not become the name of the request that was there before, nor
    of one whose body is as long as its head."""

    async def work(talk: Talk) -> None:
        assert await talk.status(request(b"one")) == 503
        await talk.ask(b"\r\n\r\nPOS")
        await talk.ask(request(b"two")[3:])
        assert set(talk.client._heads._known) == {request(b"one")[:-3]}
        wanted = b"x" * (len(request(b"x" * 100)) - 100)
        head = request(wanted)[: -len(wanted)]
        assert len(head) == len(wanted)
        await talk.ask(b"\r\n\r\n" + head, wanted)
        assert set(talk.client._heads._known) == {request(b"one")[:-3]}

    run(config, FREE, work)


def test_no_more_are_kept_than_a_few(config: Config) -> None:
    async def work(talk: Talk) -> None:
        for number in range(1, 200):
            await talk.ask(request(b"x" * number))
            assert learnt(talk) <= heads._MOST

    run(config, FREE, work)


_bodies = st.sampled_from([b"one", b"two", b"\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n", b"x" * 70])
_requests = st.builds(
    request,
    _bodies,
    st.sampled_from([b"/endpoints/rain/invocations", b"/endpoints/snow/invocations", b"/v2/models/rain/infer", b"/v2"]),
    st.sampled_from([b"", b"Content-Type: text/csv\r\n", b"Origin: https://a.test\r\n", b"Connection: close\r\n"]),
)
_cuts = st.lists(st.integers(0, 400), max_size=2)


@settings(max_examples=60)
@given(st.lists(st.tuples(_requests, _cuts), min_size=2, max_size=8))
def test_answers_are_those_of_a_connection_that_learns_nothing(
    config: Config, asked: list[tuple[bytes, list[int]]]
) -> None:
    def parts(data: bytes, cuts: list[int]) -> list[bytes]:
        at = [0, *sorted(cut for cut in cuts if 0 < cut < len(data)), len(data)]
        return [data[a:b] for a, b in pairwise(at) if a < b]

    async def work(talk: Talk) -> bytes:
        answers = [await talk.ask(*parts(data, cuts)) for data, cuts in asked for _ in range(2)]
        return _ID.sub(b"", b"".join(answers))

    async def forgetful(talk: Talk) -> bytes:
        talk.client._heads = _Forgetful()
        return await work(talk)

    assert run(config, FREE, work) == run(config, FREE, forgetful)


class _Forgetful(Heads):
    def learn(self, data: bytes, request: Request, body: bytes) -> None:
        return
