"""One request and its answer on a client's connection."""

from typing import TYPE_CHECKING, Protocol

from studio.errors import StudioError
from studio.gateway import messages
from studio.gateway.requests import Request

if TYPE_CHECKING:
    from studio.gateway.connection import Client


class Handler(Protocol):
    """What answers an exchange. `gone`: the client went away; `pause`/`resume`: it reads too slowly."""

    def body(self, chunk: bytes) -> None: ...
    def end(self) -> None: ...
    def gone(self) -> None: ...
    def pause(self) -> None: ...
    def resume(self) -> None: ...


class Exchange:
    """The request's body is kept until a handler has begun; answers go out only in the order of the requests."""

    __slots__ = ("_early", "_ended", "added", "answered", "client", "error", "handler", "keep_alive", "request")

    def __init__(
        self, client: "Client", request: Request, error: StudioError | None, whole: bytes | None = None
    ) -> None:
        self.client = client
        self.request = request
        self.error = error
        self.handler: Handler | None = None
        self.keep_alive = request.keep_alive
        self.answered = False  # the head of the answer is out
        self.added: messages.Headers = []  # goes with every answer to it, errors too
        self._early = [] if whole is None else [whole]
        self._ended = whole is not None

    @property
    def is_whole(self) -> bool:
        """Whether the request's body has come to its end."""
        return self._ended

    def attach(self, handler: Handler) -> None:
        """Begins: the handler gets what came before."""
        self.handler = handler
        early, self._early = self._early, []
        for chunk in early:
            handler.body(chunk)
        if self._ended and self.handler is handler:
            handler.end()

    def again(self, body: list[bytes]) -> None:
        """Gives the body back, whole, for the handler that comes next."""
        self.handler, self._early = None, body

    def feed(self, chunk: bytes) -> None:
        if self.handler is not None:
            self.handler.body(chunk)
        elif not self.answered:
            self._early.append(chunk)

    def close_input(self) -> None:
        self._ended = True
        if self.handler is not None:
            self.handler.end()

    def begin(self, status: int, headers: messages.Headers, body: bytes = b"") -> None:
        """Sends the head of the answer and the beginning of its body; more goes by `client.write`, then `finish`."""
        self.answered = True
        if self.added:
            headers = [*headers, *self.added]
        if not self.keep_alive:
            headers = [*headers, (b"connection", b"close")]
        elif self.request.version == "1.0":
            headers = [*headers, (b"connection", b"keep-alive")]
        # One write: on a fast path the system call is what costs.
        self.client.write(messages.head(status, headers) + body)

    def respond(self, status: int, headers: messages.Headers, body: bytes = b"") -> None:
        """A whole answer."""
        if not self._ended and self.request.has_body:
            # The rest of the body would be taken for the next request.
            self.keep_alive = False
        bare = self.request.method == "HEAD" or status == 304
        self.begin(status, [*headers, (b"content-length", b"%d" % len(body))], b"" if bare else body)
        self.finish()

    def answer(self, told: messages.Headers, body: bytes) -> None:
        """A whole 200 of JSON, which most answers are, made in one piece."""
        if not self.is_simple:
            self.respond(200, [(b"content-type", b"application/json"), *told], body)
            return
        self.answered = True
        lines = b"".join([b"%b: %b\r\n" % header for header in told])
        self.client.write(b"%b%bcontent-length: %d\r\n\r\n%b" % (messages.JSON_200, lines, len(body), body))
        self.finish()

    @property
    def is_simple(self) -> bool:
        """Whether nothing about the request or the connection asks for more in the answer's head."""
        request = self.request
        plain = not self.added and self.keep_alive and request.version == "1.1" and request.method != "HEAD"
        return plain and (self._ended or not request.has_body)

    def refuse(self, error: StudioError, *, retry_after_s: int = 0) -> None:
        """An error, in the form that the asker reads."""
        if self.answered:
            self.client.abort()
            return
        form = messages.form_for(self.request)
        status, told, body = messages.render(error, form)
        headers = [*told, (b"cache-control", b"no-store")]
        if error.status in (429, 503):
            headers.append((b"retry-after", b"%d" % (retry_after_s or error.retry_s or 1)))
        if error.status == 503 and form == "html":
            body = messages.restarting()
        if error.status == 401 and form != "html":
            headers.append((b"www-authenticate", b'Bearer realm="studio"'))
        if error.status in (400, 431):
            self.keep_alive = False
        self.respond(status, headers, body)

    def finish(self) -> None:
        """The answer is complete."""
        self.handler = None
        self.client.next(self)
