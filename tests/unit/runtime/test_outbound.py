"""Attacks 46, 47 and 48: what an address that somebody gives us may lead to."""

import asyncio
import ipaddress
import socket
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from studio.errors import Invalid, StudioError, Timeout, Unavailable
from studio.runtime import outbound

PUBLIC = "93.184.215.14"


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Says what a host name means, at the first question, at the second …; addresses mean themselves."""

    def set_(**known: list[list[str]]) -> None:
        answers = {name.replace("_", "."): list(found) for name, found in known.items()}

        async def getaddrinfo(host: str, port: int, **_: Any) -> list[Any]:
            found = answers.get(host)
            if found is None:
                try:
                    ipaddress.ip_address(host)
                except ValueError as error:
                    raise socket.gaierror("no such name") from error
                return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (host, port))]
            now = found.pop(0) if len(found) > 1 else found[0]
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in now]

        monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", getaddrinfo)

    return set_


@pytest.mark.parametrize(
    "address",
    [
        *(
            "127.0.0.1",
            "127.8.9.1",
            "0.0.0.0",
            "10.0.0.1",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
        ),
        *("100.100.100.200", "192.0.0.192", "168.63.129.16", "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255"),
        *("::1", "::", "fe80::1", "fd00:ec2::254", "fc00::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:169.254.169.254"),
        *("64:ff9b::7f00:1", "2002:7f00:1::", "::127.0.0.1", "2001:0:4136:e378:8000:63bf:80ff:fffe", "fe80::1%eth0"),
    ],
)
async def test_an_address_that_is_not_public_is_refused(address: str, names: Callable[..., None]) -> None:
    names(evil_test=[[address]], mixed_test=[[PUBLIC, address]])
    for host in ("evil.test", "mixed.test"):
        with pytest.raises(Invalid):
            await outbound.find(f"https://{host}/hook")
    literal = f"[{address}]" if ":" in address else address
    with pytest.raises(Invalid):
        await outbound.find(f"http://{literal}/hook")


async def test_a_public_address_is_found(names: Callable[..., None]) -> None:
    names(good_test=[[PUBLIC, "2606:2800:21f:cb07:6820:80da:af6b:8b2c"]])
    found = await outbound.find("https://GOOD.test:8443/a/b?c=d#e")
    assert (found.scheme, found.host, found.port, found.path) == ("https", "good.test", 8443, "/a/b?c=d")
    assert found.addresses == (PUBLIC, "2606:2800:21f:cb07:6820:80da:af6b:8b2c")
    assert (await outbound.find(f"http://{PUBLIC}")).port == 80


@pytest.mark.parametrize(
    "url",
    [
        *(
            "",
            "x",
            "ftp://good.test/",
            "file:///etc/passwd",
            "gopher://good.test/",
            "//good.test/",
            "javascript:alert(1)",
        ),
        *(
            "http://",
            "http:///x",
            "https://user:pass@good.test/",
            "https://good.test@evil.test/",
            "http://good.test:0/",
        ),
        *(
            "http://good.test:99999/",
            "http://good.test:x/",
            "http://2130706433/",
            "http://0177.0.0.1/",
            "http://127.1/",
        ),
        *(
            "http://0x7f000001/",
            "http://0x7f.1/",
            "http://[::1",
            "http://[fe80::1%25eth0]/",
            "http://good.test\\@evil/",
        ),
        *(
            "http://good.test/\r\nX: y",
            "http://good.test/ x",
            "http://good.test/\u2028",
            "http://ⓖood.test/",
            "http://a..b/",
        ),
        *("http://-a.test/", "http://good.test/" + "a" * 2000, "http://nowhere.test/", "http://127.0.0.1./"),
    ],
)
async def test_an_odd_url_is_refused(url: str, names: Callable[..., None]) -> None:
    names(good_test=[[PUBLIC]])
    with pytest.raises(Invalid):
        await outbound.find(url)


async def test_what_is_allowed_is_allowed_and_nothing_beside_it(names: Callable[..., None]) -> None:
    names(hooks_internal=[["10.1.2.3"]], other_internal=[["10.1.9.9"]])
    for allowed in ("hooks.internal", "hooks.internal:8080", " x , HOOKS.internal:8080", "10.1.2.0/24"):
        assert (await outbound.find("http://hooks.internal:8080/", allowed)).addresses == ("10.1.2.3",)
    for url, allowed in (
        ("http://hooks.internal:9090/", "hooks.internal:8080"),
        ("http://other.internal/", "hooks.internal, 10.1.2.0/24"),
        ("http://hooks.internal/", "internal"),
        ("http://a.hooks.internal/", "hooks.internal"),
        ("http://127.0.0.1:8600/", "127.0.0.1:9999"),
    ):
        with pytest.raises(Invalid):
            await outbound.find(url, allowed)


class Receiver:
    """A server on loopback that answers what it is told to, and keeps what it got."""

    def __init__(self, answer: bytes) -> None:
        self.answer = answer
        self.got: list[bytes] = []
        self.closed = asyncio.Event()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.got.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(self.answer)
        if not self.answer:
            await self.closed.wait()
        writer.close()

    async def __aenter__(self) -> "Receiver":
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self.closed.set()
        self._server.close()
        await self._server.wait_closed()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook?x=1"


@pytest.fixture
async def inside() -> AsyncIterator[Receiver]:
    """What must not be reached."""
    async with Receiver(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecret") as found:
        yield found


async def test_a_name_that_means_something_else_later_leads_nowhere_else(
    inside: Receiver, names: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rebinding: a public address when it is checked, loopback when it is asked again. It is not asked again."""
    names(evil_test=[[PUBLIC], ["127.0.0.1"]])
    connected: list[str] = []

    async def open_connection(host: str, port: int, **more: Any) -> Any:
        connected.append(host)
        raise ConnectionRefusedError

    monkeypatch.setattr(outbound.asyncio, "open_connection", open_connection)
    with pytest.raises(Unavailable):
        await outbound.post(f"http://evil.test:{inside.port}/", b"{}", {})
    assert (connected, inside.got) == ([PUBLIC], [])
    # The other way round it is refused before anything is connected to.
    with pytest.raises(Invalid):
        await outbound.post(f"http://evil.test:{inside.port}/", b"{}", {})
    assert len(connected) == 1


async def test_a_redirect_is_an_answer_and_not_followed(inside: Receiver) -> None:
    head = f"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:{inside.port}/latest/meta-data\r\n\r\n"
    async with Receiver(head.encode()) as outside:
        answer = await outbound.post(outside.url, b"{}", {}, f"127.0.0.1:{outside.port}")
    assert (answer.status, inside.got) == (302, [])


async def test_what_is_sent_is_one_request(inside: Receiver) -> None:
    headers = {"Content-Type": "application/json", "X-A": "b"}
    answer = await outbound.post(inside.url, b'{"a": 1}', headers, f"127.0.0.1:{inside.port}")
    assert (answer.status, answer.body) == (200, b"secret")
    lines = inside.got[0].decode().split("\r\n")
    assert lines[0] == "POST /hook?x=1 HTTP/1.1"
    assert {"Host: 127.0.0.1:" + str(inside.port), "Content-Length: 8", "X-A: b"} <= set(lines)


@pytest.mark.parametrize(
    ("sent", "error"),
    [
        (b"SSH-2.0-OpenSSH\r\n", Unavailable),
        (b"HTTP/1.1 200 OK\r\n", Unavailable),
        (b"HTTP/1.1 200 OK\r\n" + b"X: " + b"a" * 300_000 + b"\r\n", Unavailable),
        (b"", Timeout),
    ],
)
async def test_an_odd_answer_is_an_error(
    sent: bytes, error: type[StudioError], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbound, "TIMEOUT_S", 0.3)
    async with Receiver(sent) as outside:
        with pytest.raises(error):
            await outbound.post(outside.url, b"{}", {}, f"127.0.0.1:{outside.port}")


async def test_of_an_endless_answer_the_beginning_is_read() -> None:
    endless = (
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 500 No\r\nTransfer-Encoding: chunked\r\n\r\n"
        + b"4000\r\n"
        + b"x" * 16384
    )
    async with Receiver(endless + b"\r\n4000\r\n" + (b"x" * 16384 + b"\r\n4000\r\n") * 20) as outside:
        answer = await outbound.post(outside.url, b"{}", {}, f"127.0.0.1:{outside.port}")
    assert (answer.status, len(answer.body)) == (500, outbound.MOST_ANSWER)
