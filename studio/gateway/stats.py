"""Figures of one endpoint: counts, idle time; latency quantiles over the last minute."""

import time
from collections.abc import Sequence
from math import log

from studio import clock

# Buckets grow by 7 %, from 10 µs to about 5 minutes: a quantile is exact to 3.5 %.
_BASE = 1.07
_LOWEST = 1e-5
_BUCKETS = 256
_SCALE = 1.0 / log(_BASE)
_SLICE_S = 10.0
_SLICES = 6


def bucket_of(seconds: float) -> int:
    """Where a latency is counted."""
    bucket = int(log(seconds / _LOWEST) * _SCALE) if seconds > _LOWEST else 0
    return bucket if bucket < _BUCKETS else _BUCKETS - 1


class Latencies:
    """Of the last minute, in six slices of ten seconds."""

    __slots__ = ("_begun", "_slices")

    def __init__(self) -> None:
        self._slices: list[list[int]] = [[0] * _BUCKETS]
        self._begun = time.monotonic()

    def add(self, bucket: int, now: float) -> None:
        """One answer, at `now`."""
        if now - self._begun > _SLICE_S:
            self._rotate(now)
        self._slices[-1][bucket] += 1

    def _rotate(self, now: float) -> None:
        steps = min(_SLICES, int((now - self._begun) / _SLICE_S))
        self._slices = [*self._slices, *([0] * _BUCKETS for _ in range(steps))][-_SLICES:]
        self._begun = now

    def counts(self) -> list[int]:
        """How many of the last minute's answers are in each bucket."""
        now = time.monotonic()
        if now - self._begun > _SLICE_S:
            self._rotate(now)
        return [sum(column) for column in zip(*self._slices, strict=True)]


def quantile(measured: Sequence[Latencies], part: float) -> float | None:
    """Seconds below which `part` of the last minute's requests were answered, all of `measured` together."""
    counts = [sum(column) for column in zip(*(one.counts() for one in measured), strict=True)]
    wanted = part * sum(counts)
    if not wanted:
        return None
    seen = 0
    for bucket, count in enumerate(counts):
        seen += count
        if seen >= wanted:
            return float(_LOWEST * _BASE ** (bucket + 0.5))
    return None


def quantiles(measured: Sequence[Latencies]) -> dict[str, float | None]:
    """Median and the slowest hundredth, in ms."""
    p50, p99 = quantile(measured, 0.5), quantile(measured, 0.99)
    return {"p50_ms": round(p50 * 1000, 3) if p50 else None, "p99_ms": round(p99 * 1000, 3) if p99 else None}


class Stats:
    """Counts since the gateway's start. `captured`: written to the spool; `dropped`: there was no room for them there;
    `unsampled`: left out on purpose, as the endpoint's percentage says; `limited`: refused by its rate limit."""

    __slots__ = (
        "captured",
        "dropped",
        "errors",
        "inflight",
        "last",
        "limited",
        "requests",
        "seconds",
        "statuses",
        "unsampled",
        "woke",
    )

    def __init__(self) -> None:
        self.requests = 0
        self.errors = 0  # 5xx: what the caller is not to blame for
        self.inflight = 0
        self.captured = 0
        self.dropped = 0
        self.unsampled = 0
        self.limited = 0
        self.seconds = 0.0
        self.last = time.monotonic()
        self.statuses: dict[int, int] = {}
        self.woke: dict[str, int | float | bool | str] | None = None  # how long the last who woke a variant waited

    def begin(self) -> None:
        """A request has come."""
        self.inflight += 1

    def end(self, status: int, seconds: float, now: float) -> None:
        """A request has been answered after `seconds`."""
        self.inflight -= 1
        self.requests += 1
        self.seconds += seconds
        self.last = now
        self.statuses[status] = self.statuses.get(status, 0) + 1
        if status >= 500:
            self.errors += 1

    def idle_s(self) -> float:
        """Seconds since the last answer; 0 while a request is under way."""
        return 0.0 if self.inflight else time.monotonic() - self.last

    def report(self) -> dict[str, float | int | None]:
        """For the server: times in ms, `last_ms` since 1970."""
        idle = self.idle_s()
        return {
            "requests": self.requests,
            "errors": self.errors,
            "inflight": self.inflight,
            "last_ms": clock.now_ms() - int(idle * 1000) if self.requests else None,
            "idle_s": round(idle, 3),
            "captured": self.captured,
            "dropped": self.dropped,
            "unsampled": self.unsampled,
            "limited": self.limited,
        }
