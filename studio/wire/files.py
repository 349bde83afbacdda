"""Sending an artifact: streamed, with ranges, and never as something that a browser would run in our origin."""

import asyncio
import email.utils
import mimetypes
import os
import posixpath
import re
import urllib.parse
from typing import Any

from starlette.responses import Response

from studio.tracking.artifacts import OpenFile

CHUNK = 1 << 20
# Announced as text so that people can read it; HTML, SVG and scripts are downloads in a sandbox.
_TEXT = frozenset({".txt", ".log", ".py", ".yaml", ".yml", ".md", ".cfg", ".ini", ".toml", ".err", ".json", ".csv"})
_NAMES = frozenset({"MLmodel", "MLproject"})
_ASKED = frozenset({b"range", b"if-range", b"if-none-match"})


class ArtifactResponse(Response):
    """A file that is open already, so that what is sent is what was checked; closes it."""

    def __init__(self, opened: OpenFile, name: str) -> None:
        super().__init__()
        self._opened = opened
        self._name = name

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answers GET and HEAD, with at most one range."""
        opened = self._opened
        asked = {key: value.decode("latin-1") for key, value in scope["headers"] if key in _ASKED}
        try:
            headers = self._head()
            if _names(asked.get(b"if-none-match", ""), self.tag):
                await _bare(send, 304, headers)
                return
            span = _span(asked.get(b"range", ""), opened.size) if self._is_same(asked) else (0, opened.size)
            if span is None:
                await _bare(send, 416, [*headers, (b"content-range", f"bytes */{opened.size}".encode())])
                return
            start, end = span
            is_part = (start, end) != (0, opened.size)
            headers.append((b"content-length", str(end - start).encode()))
            if is_part:
                headers.append((b"content-range", f"bytes {start}-{end - 1}/{opened.size}".encode()))
            await send({"type": "http.response.start", "status": 206 if is_part else 200, "headers": headers})
            await self._send(send, start, start if scope["method"] == "HEAD" else end)
        finally:
            os.close(opened.descriptor)

    async def _send(self, send: Any, start: int, end: int) -> None:
        while start < end:
            part = await asyncio.to_thread(os.pread, self._opened.descriptor, min(CHUNK, end - start), start)
            if not part:
                break  # it shrank meanwhile: the length announced is not reached, and the client notices
            start += len(part)
            await send({"type": "http.response.body", "body": part, "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    @property
    def tag(self) -> str:
        """A strong entity tag (RFC 9110, 8.8.3)."""
        return f'"{self._opened.tag}"'

    def _is_same(self, asked: dict[bytes, str]) -> bool:
        """Whether a range may be taken from this file: it is the one that the client has the rest of."""
        condition = asked.get(b"if-range", "")
        return condition in ("", self.tag, self._modified())

    def _modified(self) -> str:
        return email.utils.formatdate(self._opened.modified_ms // 1000, usegmt=True)

    def _head(self) -> list[tuple[bytes, bytes]]:
        plain = self._name.encode("ascii", "ignore").decode()
        safe = re.sub(r"[^\w.\- ]", "_", plain) or "download"
        quoted = urllib.parse.quote(self._name, safe="")
        return [
            (b"content-type", media_type(self._name).encode()),
            (b"content-disposition", f"attachment; filename=\"{safe}\"; filename*=UTF-8''{quoted}".encode()),
            (b"x-content-type-options", b"nosniff"),
            (b"content-security-policy", b"sandbox; default-src 'none'"),
            (b"cache-control", b"private, no-cache"),
            (b"accept-ranges", b"bytes"),
            (b"etag", self.tag.encode()),
            (b"last-modified", self._modified().encode()),
        ]


def media_type(name: str) -> str:
    """The type to announce for a file of this name."""
    suffix = posixpath.splitext(name)[1].lower()
    if suffix in _TEXT or name in _NAMES:
        return "application/json" if suffix == ".json" else "text/plain"
    return mimetypes.guess_type(name)[0] or "application/octet-stream"


async def _bare(send: Any, status: int, headers: list[tuple[bytes, bytes]]) -> None:
    length = [] if status == 304 else [(b"content-length", b"0")]
    await send({"type": "http.response.start", "status": status, "headers": [*headers, *length]})
    await send({"type": "http.response.body", "body": b""})


def _names(condition: str, tag: str) -> bool:
    """Whether an If-None-Match names `tag`; compared weakly, as it is to be."""
    return condition.strip() == "*" or tag in {one.strip().removeprefix("W/") for one in condition.split(",")}


def _span(wanted: str, size: int) -> tuple[int, int] | None:
    """[start, end) of a Range header (RFC 9110, 14.2); all without one, or with several or an odd one, which may be
    ignored; None if it lies outside."""
    match = re.fullmatch(r"bytes=(\d{0,18})-(\d{0,18})", wanted.strip())
    if match is None or not (match[1] or match[2]) or (match[1] and match[2] and int(match[1]) > int(match[2])):
        return 0, size
    if not match[1]:
        start, end = max(0, size - int(match[2])), size
    else:
        start, end = int(match[1]), min(size, int(match[2]) + 1 if match[2] else size)
    return (start, end) if start < end else None
