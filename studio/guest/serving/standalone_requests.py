"""One HTTP request to the standalone host, and the checks that hold whatever it is for (RFC 9112)."""

import re

from studio.guest.serving.problems import BadInput

MAX_HEADER_BYTES = 64 * 1024
_MAX_HEADERS = 128
_MAX_TARGET = 4096
# Names of models and versions need no escapes, so there is nothing to decode and to disagree about.
_TARGET = re.compile(rb"(?:/[A-Za-z0-9_.~-]*)+(?:\?[!\"$-~]*)?")
_METHODS = ("GET", "HEAD", "POST")
_ONCE = (b"host", b"content-length", b"transfer-encoding", b"content-type", b"content-encoding", b"expect")


class Request:
    """Header names are lower case; `body`: what has come of it, in pieces; `size`: their bytes."""

    __slots__ = ("body", "headers", "keep_alive", "length", "method", "path", "size", "target", "version")

    def __init__(self) -> None:
        self.method = ""
        self.version = "1.1"
        self.target = b""
        self.path = ""
        self.headers: dict[bytes, list[bytes]] = {}
        self.keep_alive = False
        self.length: int | None = None
        self.body: list[bytes] = []
        self.size = 0

    def header(self, name: bytes) -> str:
        """The value of a header that may occur once, or ""."""
        values = self.headers.get(name)
        return values[0].decode("latin-1").strip() if values else ""

    @property
    def expects_body(self) -> bool:
        return b"transfer-encoding" in self.headers or bool(self.length)


def check(request: Request) -> None:
    """Fills `path` and `length`; `BadInput` if two programs could understand the request in two ways."""
    if sum(map(len, request.headers.values())) > _MAX_HEADERS:
        raise refusal(431, f"The request has more than {_MAX_HEADERS} headers.", "Send fewer.")
    if sum(len(name) + len(value) for name, found in request.headers.items() for value in found) > MAX_HEADER_BYTES:
        raise refusal(431, "The headers are larger than 64 KiB.", "Send less.")
    for name in _ONCE:
        if len(request.headers.get(name, ())) > 1:
            raise refusal(400, f"The header {name.decode()!r} occurs twice.", "Send it once.")
    if any(b"\r" in value or b"\n" in value or b"\0" in value for found in request.headers.values() for value in found):
        raise refusal(400, "A header contains a line break or a zero byte.", "Send each header on one line.")
    if request.version == "1.1" and not request.header(b"host"):
        raise refusal(400, "The request has no Host header.", "Send HTTP/1.1 with a Host.")
    if request.method not in _METHODS:
        raise refusal(501, f"The method {request.method} is not used here.", f"Known: {', '.join(_METHODS)}.")
    _check_target(request)
    _check_body(request)


def _check_body(request: Request) -> None:
    length, encoding = request.headers.get(b"content-length"), request.header(b"transfer-encoding")
    if b"transfer-encoding" in request.headers:
        if length is not None:
            raise refusal(400, "The request has both Content-Length and Transfer-Encoding.", "Send one of them.")
        if encoding.lower() != "chunked" or request.version != "1.1":
            raise refusal(400, "Only the transfer encoding 'chunked' is known here.", "Send Content-Length.")
    if length is not None:
        if not length[0].isdigit() or len(length[0]) > 18:
            raise refusal(400, "Content-Length is not a number of bytes.", "Send the body's length in digits.")
        request.length = int(length[0])
    if request.header(b"content-encoding").lower() not in ("", "identity"):
        raise refusal(415, "The body is compressed, which is not known here.", "Send it without Content-Encoding.")


def _check_target(request: Request) -> None:
    if len(request.target) > _MAX_TARGET:
        raise refusal(414, f"The address is longer than {_MAX_TARGET} bytes.", "Send values in the body.")
    if not _TARGET.fullmatch(request.target):
        raise refusal(400, "The request target is not a plain path.", "Send `METHOD /path HTTP/1.1`, without escapes.")
    request.path = request.target.partition(b"?")[0].decode("ascii")


def refusal(status: int, message: str, hint: str) -> BadInput:
    """What a request is refused with; its code is MLflow's word."""
    codes = {404: "RESOURCE_DOES_NOT_EXIST", 503: "TEMPORARILY_UNAVAILABLE"}
    return BadInput(message, hint, code=codes.get(status, "BAD_REQUEST"), status=status)
