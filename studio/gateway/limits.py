"""An endpoint's limit of requests per second."""

import math

from studio.errors import TooMany


class RateLimit:
    """A token bucket that holds one second's worth, at least one request: what comes evenly is never refused."""

    __slots__ = ("_at", "_size", "_tokens", "per_s")

    def __init__(self, per_s: float, now: float) -> None:
        self.per_s = per_s
        self._size = max(1.0, per_s)
        self._tokens = self._size
        self._at = now

    def take(self, now: float, name: str) -> TooMany | None:
        """Counts one request to the endpoint `name` at `now`, or says when to come again."""
        self._tokens = min(self._size, self._tokens + max(0.0, now - self._at) * self.per_s)
        self._at = now
        if self._tokens >= 1.0:
            self._tokens -= 1.0
            return None
        wait = max(1, math.ceil((1.0 - self._tokens) / self.per_s))
        return TooMany(
            f"The endpoint {name} takes {self.per_s:g} requests per second.",
            f"Try again in {wait} s, or have its limit raised.",
            retry_s=wait,
        )
