"""Frames between gateway and replicas, and in the capture spool.

One frame, big-endian: u32 length of what follows · u8 kind · u64 id · u16 length of header · header (JSON) · body.
Answers carry the id of their request, so many requests share one connection and may be answered in any order.
"""

import struct
from typing import Final, NamedTuple

HELLO: Final = 1  # replica → caller, first frame of a connection: {"state","name","pid",…}
REQUEST: Final = 2  # caller → replica: {"type": content type, "params"?: …} + body
ANSWER: Final = 3  # replica → caller: {"status","type","headers"?: {…},"rows","us"} + body
CANCEL: Final = 4  # caller → replica: nobody waits for this id any more
DRAIN: Final = 5  # replica → caller: send nothing new; caller → replica: finish and exit
PING: Final = 6
PONG: Final = 7
CAPTURE: Final = 8  # in the spool: {"request_bytes": n, …} + request body + answer body

HEAD: Final = struct.Struct("!IBQH")
_REST: Final = HEAD.size - 4
MAX_FRAME: Final = (1 << 30) + (1 << 20)  # the largest body of a prediction that is made later, and its head


class FrameError(ValueError):
    """The bytes are not frames; the connection they came on is of no further use."""


class Frame(NamedTuple):
    """One frame; `header` is undecoded JSON, since many readers need only the body."""

    kind: int
    id: int
    header: bytes
    body: bytes


def encode(kind: int, id: int, header: bytes = b"{}", body: bytes = b"") -> bytes:
    """The bytes of one frame; `FrameError` if the header is over 65,535 bytes or the whole over `MAX_FRAME`."""
    if len(header) > 0xFFFF:
        raise FrameError(f"The header of a frame has {len(header)} bytes; at most 65535 fit.")
    length = _REST + len(header) + len(body)
    if length > MAX_FRAME:
        raise FrameError(f"A frame of {length} bytes is over the limit of {MAX_FRAME}.")
    return HEAD.pack(length, kind, id, len(header)) + header + body


class Decoder:
    """Cuts a byte stream into frames; keeps what is not complete yet."""

    __slots__ = ("_buffer", "_limit", "_wanted")

    def __init__(self, limit: int = MAX_FRAME) -> None:
        self._buffer = bytearray()
        self._limit = limit
        self._wanted = 4

    @property
    def pending(self) -> int:
        """Bytes of a frame that has begun and not ended."""
        return len(self._buffer)

    def feed(self, data: bytes) -> list[Frame]:
        """The frames that `data` completes, in order; `FrameError` when the stream is not one of frames."""
        if self._buffer:
            self._buffer += data
            # A big frame arrives in many pieces: copying the buffer at each would be quadratic.
            if len(self._buffer) < self._wanted:
                return []
            data = bytes(self._buffer)
            self._buffer.clear()
        frames: list[Frame] = []
        at, end = 0, len(data)
        self._wanted = 4
        while end - at >= HEAD.size:
            length, kind, id, header = HEAD.unpack_from(data, at)
            if length < _REST + header:
                raise FrameError(f"A frame says it has {length} bytes and a header of {header}: it cannot hold that.")
            if length > self._limit:
                raise FrameError(f"A frame of {length} bytes is over the limit of {self._limit}.")
            if end - at - 4 < length:
                self._wanted = length + 4
                break
            body = at + HEAD.size + header
            frames.append(Frame(kind, id, data[at + HEAD.size : body], data[body : at + 4 + length]))
            at += 4 + length
        if at < end:
            self._buffer += data[at:] if at else data
        return frames
