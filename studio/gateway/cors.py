"""Pages of other origins that may call an endpoint: none but those it names (the Fetch standard's CORS protocol).

Never with credentials of the browser's own: a page needs an access key, and sends it itself.
"""

from collections.abc import Collection

from studio.gateway.messages import Headers
from studio.gateway.requests import Request

_KEPT_S = 600
_ASKED = frozenset(("accept", "authorization", "content-type", "inference-header-content-length"))
_SHOWN = b"x-studio-inference-id, x-studio-ignored-columns, x-amzn-invoked-production-variant, retry-after"


def is_preflight(request: Request) -> bool:
    """Whether a browser asks, for a page, whether it may send something."""
    fields = request.fields
    return request.method == "OPTIONS" and b"origin" in fields and b"access-control-request-method" in fields


def preflight(request: Request) -> Headers:
    """That the page of the request's origin may send it: with a key, and what describes a prediction."""
    asked = request.header(b"access-control-request-headers").decode("latin-1").lower().split(",")
    names = [name for part in asked if (name := part.strip()) in _ASKED or _is_amazon(name)]
    headers = [
        (b"access-control-allow-origin", request.header(b"origin")),
        (b"access-control-allow-methods", b"GET, POST"),
        (b"access-control-max-age", b"%d" % _KEPT_S),
        (b"vary", b"origin, access-control-request-headers"),
    ]
    if names:
        headers.append((b"access-control-allow-headers", ", ".join(names).encode()))
    return headers


def answer(origins: Collection[bytes], request: Request) -> Headers:
    """What an answer says so that a page of the request's origin may read it; nothing where no origin is named."""
    if not origins:
        return []
    headers = [(b"vary", b"origin")]
    if (origin := request.header(b"origin")) in origins:
        headers.append((b"access-control-allow-origin", origin))
        headers.append((b"access-control-expose-headers", _SHOWN))
    return headers


def _is_amazon(name: str) -> bool:
    return name.startswith("x-amzn-") and name.replace("-", "").isascii() and name.replace("-", "").isalnum()
