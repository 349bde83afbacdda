"""Figures of one endpoint: counts, latency quantiles over the last minute, idle time."""

import time
from math import log

from studio import clock

# Buckets grow by 7 %, from 10 µs to about 5 minutes: a quantile is exact to 3.5 %.
_BASE = 1.07
_LOWEST = 1e-5
_BUCKETS = 256
_SCALE = 1.0 / log(_BASE)
_SLICE_S = 10.0
_SLICES = 6


class Stats:
    """Counts since the gateway's start; latencies of the last minute in six slices of ten seconds."""

    __slots__ = (
        "_begun",
        "_slices",
        "captured",
        "dropped",
        "errors",
        "inflight",
        "last",
        "requests",
        "seconds",
        "statuses",
    )

    def __init__(self) -> None:
        self.requests = 0
        self.errors = 0  # 5xx: what the caller is not to blame for
        self.inflight = 0
        self.captured = 0
        self.dropped = 0
        self.seconds = 0.0
        self.last = time.monotonic()
        self.statuses: dict[int, int] = {}
        self._slices: list[list[int]] = [[0] * _BUCKETS]
        self._begun = self.last

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
        if now - self._begun > _SLICE_S:
            self._rotate(now)
        bucket = int(log(seconds / _LOWEST) * _SCALE) if seconds > _LOWEST else 0
        self._slices[-1][bucket if bucket < _BUCKETS else _BUCKETS - 1] += 1

    def _rotate(self, now: float) -> None:
        steps = min(_SLICES, int((now - self._begun) / _SLICE_S))
        self._slices = [*self._slices, *([0] * _BUCKETS for _ in range(steps))][-_SLICES:]
        self._begun = now

    def quantile(self, part: float) -> float | None:
        """Seconds below which `part` of the last minute's requests were answered."""
        now = time.monotonic()
        if now - self._begun > _SLICE_S:
            self._rotate(now)
        counts = [sum(column) for column in zip(*self._slices, strict=True)]
        wanted = part * sum(counts)
        if not wanted:
            return None
        seen = 0
        for bucket, count in enumerate(counts):
            seen += count
            if seen >= wanted:
                return float(_LOWEST * _BASE ** (bucket + 0.5))
        return None

    def idle_s(self) -> float:
        """Seconds since the last answer; 0 while a request is under way."""
        return 0.0 if self.inflight else time.monotonic() - self.last

    def report(self) -> dict[str, float | int | None]:
        """For the server: times in ms, `last_ms` since 1970."""
        p50, p99 = self.quantile(0.5), self.quantile(0.99)
        idle = self.idle_s()
        return {
            "requests": self.requests,
            "errors": self.errors,
            "inflight": self.inflight,
            "p50_ms": round(p50 * 1000, 3) if p50 else None,
            "p99_ms": round(p99 * 1000, 3) if p99 else None,
            "last_ms": clock.now_ms() - int(idle * 1000) if self.requests else None,
            "idle_s": round(idle, 3),
            "captured": self.captured,
            "dropped": self.dropped,
        }
