"""Heads that came before on a connection: the same bytes mean the same request, so they are parsed and checked once.

Programs repeat the head of a prediction byte for byte, but for its length perhaps; parsing it, checking it and finding
its route is most of what a prediction costs the gateway. Whether the request may still be answered is asked each time.
"""

from studio.gateway.requests import Request

_MOST = 32
_LONGEST = 4096
_END = b"\r\n\r\n"


class Heads:
    """Of one connection. Only of predictions asked for with a bearer key: a signature would cover the body, too."""

    __slots__ = ("_known",)

    def __init__(self) -> None:
        self._known: dict[bytes, Request] = {}

    def find(self, data: bytes) -> tuple[Request, bytes] | None:
        """The request and its body, if `data` is exactly one request under a head that was learnt."""
        if not self._known:
            return None
        end = data.find(_END) + 4
        request = self._known.get(data[:end])
        if request is None or len(data) - end != request.length:
            return None
        return request, data[end:]

    def learn(self, data: bytes, request: Request, body: bytes) -> None:
        """Keeps what `data` was parsed to, if it is exactly that request with that body, and there are no two ways to
        see where its head ends."""
        end = data.find(_END) + 4
        if request.decided is None or not request.is_repeatable or not data.startswith(b"POST ") or end > _LONGEST:
            return
        head = data[:end]
        if data[end:] != body or len(body) != request.length or head.count(b"\n") != head.count(b"\r\n"):
            return
        if len(self._known) >= _MOST:
            self._known.clear()
        self._known[head] = request
