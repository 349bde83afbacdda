"""The whole gateway in process, fed with anything: every request gets one answer or the connection ends; it goes on."""

import asyncio
import hashlib
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from studio.gateway.app import Gateway
from studio.gateway.config import Config
from studio.gateway.connection import Client
from tests.unit.gateway.test_connection import Wire

TOKEN = f"studio_key_{'s' * 40}"
HOST = b"127.0.0.1:8600"
TABLE: dict[str, Any] = {
    "domains/demo": {"port": None},
    "members/demo/ann": {"role": "editor"},
    "keys/key": {
        "digest": hashlib.sha256(TOKEN.encode()).hexdigest(),
        "user": "ann",
        "domain": "demo",
        "expires_ms": None,
        "secret": "s" * 40,
    },
    "endpoints/demo/rain": {"variants": [], "mode": "always", "max_body": 64, "cors": ["https://a.test"]},
    "endpoints/demo/snow": {"variants": [{"name": "v1", "weight": 1}], "rate_limit": 1, "timeout_s": 1},
}
STATUSES = {b"100", b"200", b"303", b"400", b"401", b"403", b"404", b"413", b"415", b"421", b"429", b"431", b"503"}
SEEN = re.compile(rb"HTTP/1\.1 (\d{3}) ")


@pytest.fixture(scope="module")
def config() -> Iterator[Config]:
    with tempfile.TemporaryDirectory(prefix="gf-", dir="/tmp") as name:
        home = Path(name)
        (home / "secret").write_text("secret")
        yield Config(home=home, sockets=home, port=8600, fds=[], secret=home / "secret", hold_s=0.0, log_level="ERROR")


def talk(config: Config, parts: list[bytes]) -> tuple[bytes, list[dict[str, Any]]]:
    """What is answered to `parts`, and what went wrong in the loop."""
    wire = Wire()
    wrong: list[dict[str, Any]] = []

    async def run() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: wrong.append(context))
        gateway = Gateway(config)
        gateway.tables.replace(1, TABLE)
        client = Client(gateway._begin, gateway.clients, 65536, 60.0)
        client.connection_made(wire)
        for part in parts:
            if not wire.closed:
                client.data_received(part)
            await asyncio.sleep(0)
        for _ in range(50):
            await asyncio.sleep(0)
        client.connection_lost(None)
        assert not gateway.clients
        for endpoint in list(gateway.inference.endpoints.values()):
            assert endpoint.stats.inflight == 0
            assert not endpoint._deadlines  # who is answered is not remembered until their time would have ended
            endpoint.remove()
        gateway.inference.capture.close()

    asyncio.run(run())
    return wire.out, wrong


_first = st.builds(
    lambda method, path, version: b"%b %b HTTP/%b" % (method, path, version),
    st.sampled_from([b"POST", b"GET", b"OPTIONS", b"HEAD", b"PUT", b"BREW"]),
    st.sampled_from(
        [
            b"/endpoints/rain/invocations",
            b"/endpoints/snow/invocations",
            b"/endpoints/none/invocations",
            b"/endpoints/rain/docs",
            b"/endpoints/%72ain/invocations",
            b"/v2",
            b"/v2/models/rain/infer",
            b"/v2/models/snow/versions/1/infer",
            b"/v2/models/rain",
            b"/v2/health/live",
            b"/metrics",
            b"/invocations",
            b"//",
            b"/%00",
            b"*",
        ]
    ),
    st.sampled_from([b"1.1", b"1.1", b"1.1", b"1.0", b"2.0"]),
)
_lines = st.lists(
    st.sampled_from(
        [
            b"Host: %b" % HOST,
            b"Host: demo.localhost:8600",
            b"Host: evil.test",
            b"Authorization: Bearer %b" % TOKEN.encode(),
            b"Authorization: Basic %%%",
            b"Authorization: AWS4-HMAC-SHA256 Credential=key/20260101/x/sagemaker/aws4_request, SignedHeaders=host, "
            b"Signature=" + b"0" * 64,
            b"Authorization: AWS4-",
            b"X-Amz-Date: 20260101T000000Z",
            b"Origin: https://a.test",
            b"Access-Control-Request-Method: POST",
            b"Access-Control-Request-Headers: authorization,,x-amzn-,\xe9",
            b"Content-Type: \xff",
            b"Accept: text/csv",
            b"Accept: text/html",
            b"Content-Encoding: gzip",
            b"Expect: 100-continue",
            b"Inference-Header-Content-Length: -5",
            b"X-Amzn-SageMaker-Target-Variant: v1",
            b"X-Amzn-SageMaker-Inference-Id: \xe9\xe9",
            b"Connection: close",
            b"Upgrade: websocket",
            b"Cookie: studio_session=x; studio_session=y",
        ]
    ),
    max_size=5,
    unique_by=lambda line: line.partition(b":")[0],
)
_bodies = st.one_of(st.binary(max_size=80), st.just(b'{"inputs": []}'))


@st.composite
def request(draw: st.DrawFn) -> bytes:
    """One request, mostly whole and mostly with what it takes to get through."""
    # The simplest draw is the one that gets furthest.
    lines = draw(_lines)
    if draw(st.integers(0, 3)) < 3:
        kept = [line for line in lines if not line.startswith((b"Host", b"Authorization"))]
        lines = [b"Host: %b" % HOST, b"Authorization: Bearer %b" % TOKEN.encode(), *kept]
    body = draw(_bodies)
    form = draw(st.sampled_from(["length", "chunked", "none", "wrong"]))
    if form == "length":
        lines.append(b"Content-Length: %d" % len(body))
    elif form == "chunked":
        lines.append(b"Transfer-Encoding: chunked")
        body = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body) if body else b"0\r\n\r\n"
    elif form == "wrong":
        lines.append(b"Content-Length: %d" % (len(body) + draw(st.integers(-20, 20))))
    else:
        body = b""
    return draw(_first) + b"\r\n" + b"\r\n".join(lines) + b"\r\n\r\n" + body


def check(config: Config, requests: list[bytes], sizes: list[int]) -> None:
    data, parts, at = b"".join(requests), [], 0
    for size in sizes:
        parts.append(data[at : at + size])
        at += size
    out, wrong = talk(config, [part for part in [*parts, data[at:]] if part])
    assert wrong == []
    answers = [status for status in SEEN.findall(out) if status != b"100"]
    assert set(answers) <= STATUSES, out
    # Never more answers than there can be requests in it; and nothing of the key or the secret comes back.
    assert len(answers) <= data.count(b"HTTP/") + data.count(b"\r\n\r\n") + 1
    assert TOKEN.encode() not in out and b"s" * 40 not in out


_sizes = st.lists(st.integers(1, 200), max_size=12)


@settings(max_examples=150, deadline=None)
@given(st.lists(request(), min_size=1, max_size=4), _sizes)
def test_anything_gets_an_answer_or_the_end(config: Config, requests: list[bytes], sizes: list[int]) -> None:
    check(config, requests, sizes)


@pytest.mark.soak
@settings(max_examples=5000, deadline=None)
@given(st.lists(st.one_of(request(), st.binary(max_size=60)), min_size=1, max_size=6), _sizes)
def test_anything_gets_an_answer_or_the_end_for_long(config: Config, requests: list[bytes], sizes: list[int]) -> None:
    check(config, requests, sizes)
