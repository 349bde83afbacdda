"""One connection to one replica: many requests on it, answers in any order."""

import asyncio
import time
from typing import TYPE_CHECKING, Any, cast

import msgspec

from studio.guest import frames

if TYPE_CHECKING:
    from studio.gateway.calls import Call
    from studio.gateway.endpoints import Endpoint
    from studio.gateway.variants import Variant

_MAX_ANSWER = 256 * 1024 * 1024


class AnswerHead(msgspec.Struct):
    """What a replica says about its answer; it comes out of a sandbox, so every field is checked."""

    status: int = 502
    rows: int = 0
    us: int = 0
    type: str = "application/json"
    headers: dict[str, str] = {}


class _Hello(msgspec.Struct):
    state: str = ""


_head = msgspec.json.Decoder(AnswerHead).decode
_hello = msgspec.json.Decoder(_Hello).decode


class Link(asyncio.Protocol):
    """`ready`: it has said hello and takes requests; `hung`: it let one run out of time and has said nothing since."""

    def __init__(self, endpoint: "Endpoint", variant: "Variant", socket: str) -> None:
        self.endpoint = endpoint
        self.variant = variant
        self.socket = socket
        self.ready = False
        self.hung = False
        self.draining = False
        self.pending: dict[int, Call] = {}
        self.heard = 0.0
        self._decoder = frames.Decoder(_MAX_ANSWER)
        self._next = 0
        self._transport: asyncio.Transport | None = None
        self._full = False
        self._out: list[bytes] = []
        self._loop = asyncio.get_running_loop()

    @property
    def usable(self) -> bool:
        return self.ready and not self.hung and not self._full

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport = cast("asyncio.Transport", transport)

    def send(self, call: "Call") -> None:
        """Sends the request of `call`."""
        self._next += 1
        self.pending[self._next] = call
        call.link, call.id, call.sent = self, self._next, time.monotonic()
        if not self._out:
            # All requests that this turn of the loop reads go out in one write.
            self._loop.call_soon(self._flush)
        self._out.append(frames.encode(frames.REQUEST, self._next, call.header(self.variant.version), call.body))

    def _flush(self) -> None:
        out, self._out = self._out, []
        if self._transport is not None and out:
            self._transport.write(out[0] if len(out) == 1 else b"".join(out))

    def cancel(self, call: "Call") -> None:
        """Nobody waits for `call` any more."""
        if self.pending.pop(call.id, None) is not None and self._transport is not None:
            self._flush()
            self._transport.write(frames.encode(frames.CANCEL, call.id))
        self._end_if_drained()

    def suspect(self) -> None:
        """It let a request run out of time: nothing more is sent until it says anything, such as an answer to this."""
        if not self.hung:
            self.hung = True
            if self._transport is not None:
                self._transport.write(frames.encode(frames.PING, 0))

    def pause_writing(self) -> None:
        # The replica is busy and its socket is full: others take the next ones, or they queue here.
        self._full = True

    def resume_writing(self) -> None:
        self._full = False
        self.endpoint.serve_waiting()

    def data_received(self, data: bytes) -> None:
        self.heard = time.monotonic()
        if self.hung:
            self.hung = False
            self._loop.call_soon(self.endpoint.serve_waiting)
        try:
            received = self._decoder.feed(data)
        except frames.FrameError:
            self.close()
            return
        for frame in received:
            if frame.kind == frames.ANSWER:
                call = self.pending.pop(frame.id, None)
                if call is not None:
                    self._answer(call, frame)
            elif frame.kind == frames.HELLO:
                self._greet(frame.header)
            elif frame.kind == frames.DRAIN:
                self.ready, self.draining = False, True
                self.endpoint.link_left(self)
        self._end_if_drained()

    def _greet(self, header: bytes) -> None:
        try:
            self.ready = _hello(header).state == "Ready" and not self.draining
        except msgspec.DecodeError:
            self.close()
            return
        if self.ready:
            self.endpoint.link_ready(self)

    def _answer(self, call: "Call", frame: frames.Frame) -> None:
        try:
            head = _head(frame.header)
        except msgspec.DecodeError:
            head = AnswerHead()
        call.answer(head, frame.body)

    def _end_if_drained(self) -> None:
        if self.draining and not self.pending:
            self.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self.ready = False
        self._transport = None
        pending, self.pending = list(self.pending.values()), {}
        self.endpoint.link_lost(self, pending)

    def retire(self) -> None:
        """Takes nothing new; closes after its last answer."""
        self.ready, self.draining = False, True
        self._end_if_drained()

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def describe(self) -> dict[str, Any]:
        """For the server's figures."""
        return {"socket": self.socket, "ready": self.ready, "hung": self.hung, "inflight": len(self.pending)}
