"""One parsed request, and the checks that hold whatever it is for."""

import re
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes

from studio.errors import Invalid, StudioError
from studio.gateway.messages import HeadersTooLarge

if TYPE_CHECKING:
    from studio.gateway.decisions import Invoke
    from studio.gateway.identity import Identity

MAX_HEADERS = 128
MAX_HEADER_BYTES = 64 * 1024
MAX_TARGET = 16 * 1024
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
IDEMPOTENT = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})
# The common case needs no second look: no escapes, nothing odd, no component that is "." or "..".
_PLAIN = re.compile(rb"(?:/(?!\.\.?(?:[/?]|\Z))[A-Za-z0-9_.~:@!$&'()*+,=-]*)+(?:\?[!\"$-~]*)?")
_METHODS = SAFE | {"POST", "PUT", "PATCH", "DELETE"}
_ONCE = (b"host", b"content-length", b"transfer-encoding", b"authorization", b"origin", b"content-type")


class Request:
    """Header names are lower case. `path` is the raw path of the target; `decoded` the same, decoded once."""

    __slots__ = (
        "accept",
        "chunked",
        "client",
        "decided",
        "decoded",
        "fields",
        "headers",
        "host",
        "keep_alive",
        "length",
        "method",
        "path",
        "proven",
        "query",
        "target",
        "upgrade",
        "version",
    )

    def __init__(self, method: str, target: bytes, headers: list[tuple[bytes, bytes]], client: str = "") -> None:
        self.method = method
        self.target = target
        self.headers = headers
        self.fields: dict[bytes, bytes] = {}  # by name; of several with one name, the last
        self.client = client
        self.version = "1.1"
        self.keep_alive = True
        self.length: int | None = None
        self.chunked = False
        self.upgrade = ""
        self.host = ""
        self.accept = b""
        self.path = ""
        self.decoded = ""
        self.query = b""
        self.proven: Identity | None = None  # whose signature it bears, once that has been checked
        self.decided: Invoke | None = None  # what was decided of it, for a repetition

    @property
    def is_signed(self) -> bool:
        """Whether it says that it bears an AWS signature."""
        return self.header(b"authorization").startswith(b"AWS4-")

    @property
    def is_repeatable(self) -> bool:
        """Whether the same head with another body of its length is a request like this one."""
        simple = self.keep_alive and not self.upgrade and self.version == "1.1" and b"expect" not in self.fields
        return simple and bool(self.length) and not self.is_signed

    def header(self, name: bytes) -> bytes:
        """The value of a header that may occur once, or b""."""
        return self.fields.get(name, b"")

    @property
    def has_body(self) -> bool:
        return self.chunked or bool(self.length)


def check(request: Request) -> StudioError | None:
    """Fills the derived fields; an error if the request could be understood in two ways by two programs."""
    try:
        _check_headers(request)
        _check_target(request)
    except StudioError as error:
        return error
    return None


def _check_headers(request: Request) -> None:
    fields = request.fields = dict(request.headers)
    if len(request.headers) > MAX_HEADERS:
        raise HeadersTooLarge(f"The request has more than {MAX_HEADERS} headers.", "Send fewer.")
    if len(fields) != len(request.headers):
        names = [name for name, _ in request.headers]
        for name in _ONCE:
            if names.count(name) > 1:
                raise Invalid(f"The header {name.decode()!r} occurs twice.", "Send it once.")
    # The parser refuses these already; a header that splits in two is worth a second look.
    text = b"".join(fields.values())
    if b"\r" in text or b"\n" in text or b"\0" in text:
        raise Invalid("A header contains a line break or a zero byte.", "Send each header on one line.")
    if len(text) > MAX_HEADER_BYTES or (len(fields) > 32 and sum(map(len, fields)) > MAX_HEADER_BYTES):
        raise HeadersTooLarge("The headers are larger than 64 KiB.", "Send less, for example fewer cookies.")
    if b"host" not in fields:
        raise Invalid("The request has no Host header.", "Send HTTP/1.1 with a Host.")
    request.host = fields[b"host"].decode("latin-1").lower()
    request.accept = fields.get(b"accept", b"")
    length, encoding = b"content-length" in fields, b"transfer-encoding" in fields
    if length and encoding:
        raise Invalid("The request has both Content-Length and Transfer-Encoding.", "Send one of them.")
    if encoding:
        if request.header(b"transfer-encoding").strip().lower() != b"chunked" or request.version != "1.1":
            raise Invalid("Only the transfer encoding 'chunked' is known here.", "Send the body with Content-Length.")
        request.chunked = True
    if length:
        value = request.header(b"content-length")
        if not value.isdigit() or len(value) > 18:
            raise Invalid("Content-Length is not a number of bytes.", "Send the body's length in digits.")
        request.length = int(value)


def _check_target(request: Request) -> None:
    if request.method not in _METHODS:
        raise Invalid(f"The method {request.method} is not used here.", f"Known: {', '.join(sorted(_METHODS))}.")
    target = request.target
    if len(target) > MAX_TARGET:
        raise HeadersTooLarge("The address is longer than 16 KiB.", "Send long values in the body.")
    if not target.startswith(b"/") or not target.isascii():
        raise Invalid("The request target is not a path.", "Send `METHOD /path HTTP/1.1` with the name in Host.")
    path, _, request.query = target.partition(b"?")
    if b"%" not in path and _PLAIN.fullmatch(target):
        request.path = request.decoded = path.decode("ascii")
        return
    decoded = unquote_to_bytes(path)
    # Checked on what one decoding gives: two programs behind each other must not disagree about where a path leads.
    if any(byte < 32 or byte == 127 for byte in decoded) or b"\\" in decoded or b"#" in target:
        raise Invalid("The path contains a control character, a backslash or '#'.", "Leave it out.")
    if any(part in (b".", b"..") for part in decoded.split(b"/")):
        raise Invalid("The path contains '.' or '..' as a component.", "Send the path without them.")
    request.path = path.decode("ascii")
    request.decoded = decoded.decode("utf-8", "surrogateescape")
