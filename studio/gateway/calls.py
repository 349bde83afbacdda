"""One prediction under way: from the caller's request to the one answer it gets."""

import itertools
import secrets
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec

from studio.errors import StudioError
from studio.gateway.links import AnswerHead
from studio.gateway.open_inference import Question

if TYPE_CHECKING:
    from studio.gateway.endpoints import Endpoint
    from studio.gateway.links import Link
    from studio.gateway.variants import Variant

_prefix = secrets.token_hex(6)
_count = itertools.count()


def new_inference_id() -> str:
    """Unique over restarts; cheap."""
    return f"{_prefix}{next(_count):08x}"


def wanted(accept: str) -> str:
    """What a replica is told of Accept: nothing where JSON will do. Which of several forms it is, is its word."""
    text = accept.strip().lower()
    if not text or ("text/csv" not in text and any(word in text for word in ("json", "*/*", "application/*"))):
        return ""
    return text[:200]


class Call:
    """`done(call, head, body)` or `failed(call, error)` is called once; after `cancel`, neither. `accept`: the answer's
    form if JSON will not do; `is_copy`: for a shadow, nobody waits for it; `sampled`: to be captured."""

    __slots__ = (
        "accept",
        "at_ms",
        "begun",
        "body",
        "content_type",
        "deadline",
        "done",
        "endpoint",
        "failed",
        "finished",
        "hold",
        "id",
        "inference_id",
        "is_copy",
        "link",
        "patience_s",
        "pinned",
        "question",
        "sampled",
        "sent",
        "tries",
        "variant",
    )

    def __init__(
        self,
        body: bytes,
        content_type: str,
        done: "Callable[[Call, AnswerHead, bytes], None]",
        failed: "Callable[[Call, StudioError], None]",
        pinned: str = "",
        inference_id: str = "",
        question: Question | None = None,
    ) -> None:
        self.body = body
        self.content_type = question.content_type if question is not None else content_type
        self.question = question
        self.accept = ""
        self.is_copy = False
        self.sampled = False
        self.done = done
        self.failed = failed
        self.pinned = pinned
        self.inference_id = inference_id or new_inference_id()
        self.begun = time.monotonic()
        self.deadline = 0.0
        self.hold = 0.0
        self.sent = 0.0
        self.at_ms = 0
        self.id = 0
        self.tries = 0
        self.patience_s = 0.0  # 0: the endpoint's own time; else who made the call ends it
        self.finished = False
        self.endpoint: Endpoint | None = None
        self.variant: Variant | None = None
        self.link: Link | None = None

    @property
    def is_prediction(self) -> bool:
        """Whether there are rows in it."""
        return self.question is None or not self.question.ask

    def header(self, version: str) -> bytes:
        """What a replica of that version of the model is told beside the body."""
        if self.question is not None:
            return self.question.header(version)
        if self.content_type in ("", "application/json") and not self.accept:
            return b"{}"
        told = {"type": self.content_type[:200] or "application/json"}
        return msgspec.json.encode(told | ({"accept": self.accept} if self.accept else {}))

    def answer(self, head: AnswerHead, body: bytes) -> None:
        """The replica's answer."""
        if self.finished or self.endpoint is None:
            return
        self.finished = True
        if head.status != 200 and not 400 <= head.status < 600:
            # A model answers or refuses. What some other statuses mean to HTTP (no body follows, go elsewhere) is not
            # for code in a sandbox to say.
            head.status = 502
        self.endpoint.over(self, head.status, head, body)
        self.done(self, head, body)

    def fail(self, error: StudioError) -> None:
        """There will be no answer."""
        if self.finished:
            return
        self.finished = True
        if self.endpoint is not None:
            self.endpoint.over(self, error.status, None, b"")
        self.failed(self, error)

    def cancel(self) -> None:
        """The caller went away."""
        if self.finished:
            return
        self.finished = True
        if self.link is not None:
            self.link.cancel(self)
        if self.endpoint is not None:
            self.endpoint.over(self, 499, None, b"")
