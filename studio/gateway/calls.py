"""One prediction under way: from the caller's request to the one answer it gets."""

import itertools
import secrets
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec

from studio.errors import StudioError
from studio.gateway.links import AnswerHead

if TYPE_CHECKING:
    from studio.gateway.endpoints import Endpoint, Variant
    from studio.gateway.links import Link

_prefix = secrets.token_hex(6)
_count = itertools.count()


def new_inference_id() -> str:
    """Unique over restarts; cheap."""
    return f"{_prefix}{next(_count):08x}"


class Call:
    """`done(call, head, body)` or `failed(call, error)` is called once; after `cancel`, neither."""

    __slots__ = (
        "at_ms",
        "begun",
        "body",
        "content_type",
        "deadline",
        "done",
        "endpoint",
        "failed",
        "finished",
        "header",
        "hold",
        "id",
        "inference_id",
        "link",
        "pinned",
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
    ) -> None:
        self.body = body
        self.content_type = content_type
        plain = content_type in ("", "application/json")
        self.header = b"{}" if plain else msgspec.json.encode({"type": content_type[:200]})
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
        self.finished = False
        self.endpoint: Endpoint | None = None
        self.variant: Variant | None = None
        self.link: Link | None = None

    def answer(self, head: AnswerHead, body: bytes) -> None:
        """The replica's answer."""
        if self.finished or self.endpoint is None:
            return
        self.finished = True
        if not 200 <= head.status < 600:
            head.status = 502
        self.endpoint.answered(self, head, body)
        self.done(self, head, body)

    def fail(self, error: StudioError) -> None:
        """There will be no answer."""
        if self.finished:
            return
        self.finished = True
        if self.endpoint is not None:
            self.endpoint.unanswered(self, error.status)
        self.failed(self, error)

    def cancel(self) -> None:
        """The caller went away."""
        if self.finished:
            return
        self.finished = True
        if self.link is not None:
            self.link.cancel(self)
        if self.endpoint is not None:
            self.endpoint.unanswered(self, 499)
