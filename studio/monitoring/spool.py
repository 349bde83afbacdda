"""Reading the gateway's spool: closed segments of capture frames (format: `studio.gateway.capture`)."""

from dataclasses import dataclass
from pathlib import Path

import msgspec

from studio.guest import frames
from studio.monitoring.results import Count

MAX_SEGMENT = 64 << 20


class Head(msgspec.Struct):
    """Header of a capture frame. `omitted`: the bodies were too large to be kept."""

    id: str = ""
    at_ms: Count = 0
    variant: str = ""
    version: str = ""
    status: Count = 0
    latency_us: Count = 0
    content_type: str = ""
    answer_type: str = ""
    request_bytes: Count = 0
    omitted: bool = False


@dataclass(frozen=True, slots=True)
class Captured:
    """One request with its answer, both as bytes."""

    head: Head
    request: bytes
    answer: bytes


_head = msgspec.json.Decoder(Head).decode


def segments(spool: Path) -> list[Path]:
    """Closed segments, oldest first: their names begin with the time in ms and a count."""

    def order(path: Path) -> tuple[int, int]:
        ms, _, n = path.stem.partition("-")
        return (int(ms) if ms.isdecimal() else 0, int(n) if n.isdecimal() else 0)

    found = (path for path in spool.glob("*.frames") if path.is_file() and not path.is_symlink())
    return sorted(found, key=order)


def read(segment: Path) -> list[Captured]:
    """The requests of a segment, in order. A last frame that was cut short is dropped, what is no capture skipped."""
    with segment.open("rb") as file:
        data = file.read(MAX_SEGMENT)
    found: list[Captured] = []
    try:
        decoded = frames.Decoder().feed(data)
    except frames.FrameError:
        return found
    for frame in decoded:
        if frame.kind != frames.CAPTURE:
            continue
        try:
            head = _head(frame.header)
        except msgspec.DecodeError:
            continue
        found.append(Captured(head, frame.body[: head.request_bytes], frame.body[head.request_bytes :]))
    return found
