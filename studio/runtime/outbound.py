"""Requests to addresses that people give us. Nothing on this machine, its network or its cloud can be asked this way.

A name is resolved once, every address it has is checked, and the connection goes to a checked address: a name that
means something else a moment later (rebinding) leads nowhere else. Redirects are not followed, proxies not used.
"""

import asyncio
import ipaddress
import re
import socket
import ssl
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import httptools
import httpx
from msgspec import Struct

from studio.errors import Invalid, Timeout, Unavailable

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
TIMEOUT_S = 10.0
MOST_ANSWER = 64 << 10  # bytes of an answer that are read
_MOST_HEAD = 64 << 10
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
# Look public and are not: Azure's control channel, and protocols' own addresses (Oracle's metadata among them).
_NEVER = tuple(map(ipaddress.ip_network, ("168.63.129.16/32", "192.0.0.0/24", "192.88.99.0/24", "64:ff9b:1::/48")))
_NAME = re.compile(r"(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*\.?")


class Target(Struct, frozen=True):
    """Where a URL leads: `addresses` are checked, and the only ones that are connected to."""

    scheme: str
    host: str
    port: int
    path: str
    addresses: tuple[str, ...]


class Answer(Struct, frozen=True):
    """At most `MOST_ANSWER` bytes of the body."""

    status: int
    body: bytes


async def find(url: str, allowed: str = "") -> Target:
    """Where `url` leads, or `Invalid`: another scheme, credentials in it, no such name, or an address not public.

    `allowed`: what may be asked although it is not public, "host", "host:port" or "network/bits", with commas between.
    """
    scheme, host, port, path = _parts(url)
    try:
        found = await asyncio.wait_for(
            asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM), TIMEOUT_S
        )
    except (TimeoutError, OSError, UnicodeError) as error:
        raise Invalid(f"The host {host!r} cannot be found.", "Check the URL, and that names resolve here.") from error
    addresses = tuple(dict.fromkeys(str(entry[4][0]) for entry in found))
    if not addresses or not all(_may(address, host, port, allowed) for address in addresses):
        raise Invalid(
            f"The host {host!r} is not a public address.",
            "Who runs this installation can allow one of its own: STUDIO_WEBHOOK_HOSTS=host:port.",
        )
    return Target(scheme, host, port, path, addresses)


async def post(url: str, body: bytes, headers: Mapping[str, str], allowed: str = "") -> Answer:
    """Sends `body`; `Invalid` for an address as in `find`, `Unavailable` or `Timeout` if there is no answer."""
    try:
        async with asyncio.timeout(TIMEOUT_S):
            return await _post(await find(url, allowed), body, headers)
    except TimeoutError as error:
        raise Timeout(f"There was no answer within {TIMEOUT_S:g} s.", "See whether the receiver runs.") from error
    except (OSError, asyncio.IncompleteReadError, httptools.HttpParserError) as error:
        raise Unavailable(f"There was no answer ({type(error).__name__}).", "See whether the receiver runs.") from error


async def _post(target: Target, body: bytes, headers: Mapping[str, str]) -> Answer:
    tls = _tls() if target.scheme == "https" else None
    reader, writer = await _connect(target, tls)
    try:
        writer.write(_head(target, len(body), headers) + body)
        await writer.drain()
        return await _answer(reader)
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


async def _connect(target: Target, tls: ssl.SSLContext | None) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    name = target.host if tls else None
    for address in target.addresses[:-1]:
        try:
            return await asyncio.open_connection(address, target.port, ssl=tls, server_hostname=name)
        except OSError:
            continue
    return await asyncio.open_connection(target.addresses[-1], target.port, ssl=tls, server_hostname=name)


def _head(target: Target, length: int, headers: Mapping[str, str]) -> bytes:
    host = f"[{target.host}]" if ":" in target.host else target.host
    default = 443 if target.scheme == "https" else 80
    named = host if target.port == default else f"{host}:{target.port}"
    lines = [f"POST {target.path} HTTP/1.1", f"Host: {named}", "User-Agent: Studio", "Connection: close"]
    lines += [f"Content-Length: {length}", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


async def _answer(reader: asyncio.StreamReader) -> Answer:
    """Reads until the answer is whole, or long enough."""
    got = _Got()
    parser = httptools.HttpResponseParser(got)
    read = 0
    while len(got.body) < MOST_ANSWER and read < _MOST_HEAD + 2 * MOST_ANSWER:
        data = await reader.read(16 << 10)
        if not data:
            break
        read += len(data)
        parser.feed_data(data)
        got.status = parser.get_status_code() if got.is_past_head else 0
        if got.is_whole and got.status >= 200:
            break
    if not got.status:
        raise ConnectionError("the answer is not HTTP")
    return Answer(got.status, bytes(got.body[:MOST_ANSWER]))


class _Got:
    """What the parser has seen."""

    def __init__(self) -> None:
        self.status = 0
        self.body = bytearray()
        self.on_message_begin()

    def on_message_begin(self) -> None:
        # Again after "100 Continue" and the like, which come before the answer.
        self.is_past_head = False
        self.is_whole = False

    def on_headers_complete(self) -> None:
        self.is_past_head = True

    def on_body(self, data: bytes) -> None:
        self.body += data

    def on_message_complete(self) -> None:
        self.is_whole = True


def _parts(url: str) -> tuple[str, str, int, str]:
    """(scheme, host, port, path with query) of a URL that every program reads the same way."""
    wrong = Invalid(f"The URL {url[:200]!r} cannot be used.", "Write https://host/path, without user or password.")
    if not url.isascii() or not url.isprintable() or " " in url or "\\" in url or len(url) > 2000:
        raise wrong
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").lower(), parts.port
    except ValueError as error:
        raise wrong from error
    if parts.scheme not in ("http", "https") or "@" in parts.netloc or not _is_host(host) or port == 0:
        raise wrong
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return parts.scheme, host, port or (443 if parts.scheme == "https" else 80), path


def _is_host(host: str) -> bool:
    """A name, or an address as it is usually written: 0177.1 and 2130706433 mean 127.0.0.1 to some programs."""
    if ":" in host or host.rstrip(".").rpartition(".")[2].isdigit() or re.search(r"(^|\.)0x[0-9a-f]*\.?$", host):
        try:
            ipaddress.ip_address(host)
        except ValueError:
            return False
        return "%" not in host
    return bool(_NAME.fullmatch(host))


def _may(address: str, host: str, port: int, allowed: str) -> bool:
    real = _unwrapped(ipaddress.ip_address(address.partition("%")[0]))
    is_public = real.is_global and not real.is_multicast and not real.is_reserved
    if is_public and not any(real in network for network in _NEVER):
        return True
    for entry in filter(None, (part.strip().lower() for part in allowed.split(","))):
        if entry in (host, f"{host}:{port}", f"[{host}]:{port}"):
            return True
        if "/" in entry and real in ipaddress.ip_network(entry, strict=False):
            return True
    return False


def _unwrapped(address: Address) -> Address:
    """The IPv4 address that an IPv6 one stands for: mapped, compatible, 6to4, Teredo, NAT64."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address.teredo:
        return address.teredo[1]
    inner = address.ipv4_mapped or address.sixtofour
    if inner is None and (address in _NAT64 or int(address) >> 32 == 0):
        inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return inner or address


@cache
def _tls() -> Any:
    return httpx.create_ssl_context()
