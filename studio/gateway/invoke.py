"""A prediction asked for over HTTP: MLflow's `/invocations` with SageMaker's headers beside it, or Open Inference."""

from studio.errors import NotFound, StudioError, TooLarge
from studio.gateway.calls import Call, new_inference_id
from studio.gateway.endpoints import Endpoint
from studio.gateway.exchange import Exchange
from studio.gateway.links import AnswerHead
from studio.gateway.messages import Unreadable, model_error
from studio.gateway.open_inference import Question
from studio.gateway.terms import Terms

_PASSED = frozenset(("x-studio-ignored-columns", "inference-header-content-length"))
# An answer comes out of a sandbox: what a browser would run is none.
_TYPES = frozenset(("application/json", "application/octet-stream", "text/csv"))
_JSON = "application/json"


class Invocation:
    """Collects the body, asks a replica, answers."""

    __slots__ = ("_call", "_endpoint", "_exchange", "_over", "_parts", "_question", "_size", "_terms")

    def __init__(self, exchange: Exchange, endpoint: Endpoint, terms: Terms, question: Question | None = None) -> None:
        self._exchange = exchange
        self._terms = terms
        self._endpoint = endpoint
        self._question = question
        self._parts: list[bytes] = []
        self._size = 0
        self._call: Call | None = None
        self._over = False
        if (exchange.request.length or 0) > endpoint.entry.max_body:
            self._too_large()

    def body(self, chunk: bytes) -> None:
        if self._over:
            return
        self._size += len(chunk)
        if self._size > self._endpoint.entry.max_body:
            self._too_large()
        else:
            self._parts.append(chunk)

    def _too_large(self) -> None:
        self._over = True
        limit = self._endpoint.entry.max_body
        self._exchange.refuse(
            TooLarge(f"The body is larger than the endpoint's limit of {limit} bytes.", "Send fewer rows at a time.")
        )

    def end(self) -> None:
        if self._over:
            return
        terms = self._terms
        if terms.compressed:
            self._over = True
            text = "The body is compressed, which is not known here."
            self._exchange.refuse(Unreadable(text, "Send it without Content-Encoding."))
            return
        pinned = terms.pinned
        if self._question is not None and self._question.version:
            try:
                pinned = self._endpoint.with_version(self._question.version)
            except NotFound as error:
                self._exchange.refuse(error)
                return
        body = self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)
        self._call = Call(
            body,
            terms.kind if self._question is None else self._question.content_type,
            self._answered,
            self._failed,
            pinned,
            terms.inference_id or new_inference_id(),
            self._question,
            terms.accept,
        )
        self._endpoint.submit(self._call)

    def gone(self) -> None:
        self._over = True
        if self._call is not None:
            self._call.cancel()

    def pause(self) -> None:
        return

    def resume(self) -> None:
        return

    def _answered(self, call: Call, head: AnswerHead, body: bytes) -> None:
        variant = call.variant
        if head.status >= 400 and self._exchange.request.is_signed:
            self._exchange.respond(*model_error(head.status, body))
            return
        kind = head.type if head.type in _TYPES else _JSON
        headers = [
            (b"x-studio-inference-id", call.inference_id.encode()),
            (b"x-amzn-invoked-production-variant", variant.label if variant else b""),
        ]
        if head.status == 200 and kind == _JSON and not head.headers:
            self._exchange.answer(headers, body)
            return
        headers.append((b"content-type", kind.encode()))
        if kind != _JSON:
            headers.append((b"x-content-type-options", b"nosniff"))
        for name, value in head.headers.items():
            if name in _PASSED and value.isprintable() and value.isascii():
                headers.append((name.encode(), value.encode()))
        self._exchange.respond(head.status, headers, body)

    def _failed(self, call: Call, error: StudioError) -> None:
        self._exchange.refuse(error, retry_after_s=1)
