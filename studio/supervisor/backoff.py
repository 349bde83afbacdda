"""When to start something again: soon, then less and less often, never giving up and never in a tight loop."""

FIRST_S = 0.2
CAP_S = 30.0
# Whoever lived so long is healthy: the next end is a new story.
HEALTHY_S = 30.0


def delay(failures: int) -> float:
    """Seconds to wait before the start that follows `failures` ends in a row (1 or more)."""
    return min(CAP_S, FIRST_S * 2.0 ** min(max(0, failures - 1), 16))


def failures_after(failures: int, lived_s: float) -> int:
    """The count of ends in a row, after one more that had lived `lived_s` seconds."""
    return 1 if lived_s >= HEALTHY_S else failures + 1
