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


class Call(msgspec.Struct, eq=False):
    """`done(call, head, body)` or `failed(call, error)` is called once; after `cancel`, neither. `accept`: the answer's
    form if JSON will not do; `is_copy`: for a shadow, nobody waits for it; `sampled`: to be captured; `patience_s`: 0
    for the endpoint's own time limit, else who made the call ends it; `wakes`: "warm" or "cold" if a replica was forked
    for it, after its fork server had to be started or not."""

    body: bytes
    content_type: str
    done: "Callable[[Call, AnswerHead, bytes], None]"
    failed: "Callable[[Call, StudioError], None]"
    pinned: str = ""
    inference_id: str = msgspec.field(default_factory=new_inference_id)
    question: Question | None = None
    accept: str = ""
    is_copy: bool = False
    sampled: bool = False
    begun: float = msgspec.field(default_factory=time.monotonic)
    deadline: float = 0.0
    hold: float = 0.0
    sent: float = 0.0
    at_ms: int = 0
    id: int = 0
    tries: int = 0
    patience_s: float = 0.0
    finished: bool = False
    wakes: str = ""
    endpoint: "Endpoint | None" = None
    variant: "Variant | None" = None
    link: "Link | None" = None

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
