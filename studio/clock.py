"""The two clocks: one for dates, one for durations."""

import time


def now_ms() -> int:
    """Milliseconds since 1970 (UTC); may jump when the host's clock is set."""
    return time.time_ns() // 1_000_000


def monotonic() -> float:
    """Seconds on a clock that never jumps; only differences mean something."""
    return time.monotonic()
