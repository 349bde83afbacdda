"""A signed request: its body is part of what is signed, so it comes first, and only then is anything decided."""

from collections.abc import Callable

from studio.errors import StudioError, TooLarge
from studio.gateway.aws_signature import Signed
from studio.gateway.exchange import Exchange
from studio.gateway.identity import Identities

MAX_BODY = 32 * 1024 * 1024


class Proving:
    """Collects the body, checks the signature, and lets the request begin anew with its identity."""

    def __init__(
        self, exchange: Exchange, signed: Signed, identities: Identities, begin: Callable[[Exchange], None]
    ) -> None:
        self._exchange = exchange
        self._signed = signed
        self._identities = identities
        self._begin = begin
        self._parts: list[bytes] = []
        self._size = 0
        self._over = False

    def body(self, chunk: bytes) -> None:
        if self._over:
            return
        self._size += len(chunk)
        self._parts.append(chunk)
        if self._size > MAX_BODY:
            self._over = True
            self._parts.clear()
            text = f"The body of a signed request has at most {MAX_BODY} bytes."
            self._exchange.refuse(TooLarge(text, "Send fewer rows at a time, or the key as a bearer token."))

    def end(self) -> None:
        if self._over:
            return
        body = b"".join(self._parts)
        try:
            self._exchange.request.proven = self._identities.signer(self._signed, body)
        except StudioError as error:
            self._exchange.refuse(error)
            return
        self._exchange.again([body] if body else [])
        self._begin(self._exchange)

    def gone(self) -> None:
        self._over = True

    def pause(self) -> None:
        return

    def resume(self) -> None:
        return
