"""A variant at run time: its weight, the links to its replicas, who waits for one, its figures."""

import time
from collections import deque
from typing import TYPE_CHECKING, Any

from studio import clock
from studio.gateway.load import Load
from studio.gateway.stats import Latencies, quantiles

if TYPE_CHECKING:
    from studio.gateway.calls import Call
    from studio.gateway.links import Link

_MAX_INFLIGHT = 512
_MAX_COPIES = 256
_MAX_COPIED = 32 * 1024 * 1024


class Variant:
    """A model version with a weight; a shadow's is the per cent of requests that are copied to it. `credit`: what it is
    owed of the traffic; `wake`: how a replica is forked where none runs."""

    __slots__ = (
        "_copied",
        "_copies",
        "_last",
        "credit",
        "dropped",
        "errors",
        "label",
        "latencies",
        "links",
        "load",
        "name",
        "requests",
        "shadow",
        "sockets",
        "version",
        "waiting",
        "wake",
        "weight",
    )

    def __init__(self, name: str, version: str, shadow: bool) -> None:
        self.name = name
        self.label = name.encode()
        self.version = version
        self.shadow = shadow
        self.weight = 0.0
        self.credit = 0.0
        self.sockets: list[str] = []
        self.links: dict[str, Link] = {}
        self.wake: dict[str, Any] | None = None
        self.waiting: deque[Call] = deque()
        self.requests = 0
        self.errors = 0
        self.dropped = 0  # copies that a shadow was too slow or not there for
        self.latencies = Latencies()
        self.load = Load(time.monotonic())
        self._last = 0.0
        self._copies = 0
        self._copied = 0

    @property
    def is_asleep(self) -> bool:
        """Whether no replica runs, and one can be forked at once: its requests wait for it instead of going elsewhere,
        or it would never get its share."""
        return self.wake is not None and not any(link.ready for link in self.links.values())

    def pick(self) -> "Link | None":
        """The usable link with the fewest requests under way."""
        best: Link | None = None
        for link in self.links.values():
            if (
                link.usable
                and len(link.pending) < _MAX_INFLIGHT
                and (best is None or len(link.pending) < len(best.pending))
            ):
                best = link
        return best

    def takes_copy(self, size: int) -> bool:
        """Whether there is room for one more copy, of `size` bytes; else it is dropped and counted."""
        if self._copies < _MAX_COPIES and self._copied + size <= _MAX_COPIED:
            self._copies += 1
            self._copied += size
            return True
        self.dropped += 1
        return False

    def end(self, call: "Call", status: int, bucket: int, now: float) -> None:
        """A request of this variant is over."""
        self.load.change(-1, now)
        self.requests += 1
        if status >= 500:
            self.errors += 1
        self._last = now
        self.latencies.add(bucket, now)
        if call.is_copy:
            self._copies -= 1
            self._copied -= len(call.body)

    def report(self) -> dict[str, float | int | None]:
        """For the server: times in ms, `last_ms` since 1970; `load`: under way and waiting, averaged over 2 s."""
        now = time.monotonic()
        waiting = sum(not call.finished for call in self.waiting)
        return {
            "requests": self.requests,
            "errors": self.errors,
            "inflight": self.load.level - waiting,
            "waiting": waiting,
            **quantiles([self.latencies]),
            "last_ms": self._last_ms(now),
            "load": round(self.load.average(now), 3),
            "dropped": self.dropped,
        }

    def _last_ms(self, now: float) -> int | None:
        if self.load.level:
            return clock.now_ms()
        return clock.now_ms() - int((now - self._last) * 1000) if self.requests else None


def by_weight(variants: "list[Variant]") -> Variant | None:
    """Whose turn it is among variants that have a weight: the smooth weighted round robin gives an exact split."""
    if len(variants) == 1:
        return variants[0]
    best: Variant | None = None
    total = 0.0
    for variant in variants:
        variant.credit += variant.weight
        total += variant.weight
        if best is None or variant.credit > best.credit:
            best = variant
    if best is not None:
        best.credit -= total
    return best


def rescale(variants: "list[Variant]", before: float) -> None:
    """Keeps what each is owed when weights change from a sum of `before`: as a part of the new sum, none in total."""
    total = sum(variant.weight for variant in variants)
    if not variants or not total:
        return
    factor = total / before if before else 0.0
    for variant in variants:
        variant.credit *= factor
    surplus = sum(variant.credit for variant in variants) / len(variants)
    for variant in variants:
        variant.credit -= surplus
