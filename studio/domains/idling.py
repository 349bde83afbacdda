"""When a sandbox counts as unused: pure."""

from dataclasses import dataclass

MINUTE_MS = 60_000
# A waiting kernel with its heartbeat and its threads uses less of a core; what computes uses far more.
WAITING_SHARE = 0.02


@dataclass(frozen=True, slots=True)
class Activity:
    """What a sandbox was seen doing. `pages`: open websockets of its owner's pages; `runs`: jobs and replicas; `busy`:
    kernels that execute; `last_ms`: when a kernel or terminal was last used, in ms since 1970 (0: never)."""

    pages: int = 0
    runs: int = 0
    busy: int = 0
    last_ms: int = 0

    @property
    def is_used(self) -> bool:
        """Whether somebody or something is at work in it now."""
        return self.pages + self.runs + self.busy > 0


def computes(used_ms: int, passed_ms: int, processes: int) -> bool:
    """Whether so many processes used more of a core than by waiting, in the time that has passed."""
    return processes > 0 and used_ms > WAITING_SHARE * passed_ms * processes


def unused_since(activity: Activity, before_ms: int | None, now_ms: int) -> int | None:
    """Since when nothing has happened in it: None while it is used; first seen unused now, it is unused since now.
    `before_ms`: what this said the last time."""
    if activity.is_used:
        return None
    return min(now_ms, max(now_ms if before_ms is None else before_ms, activity.last_ms))


def is_over(since_ms: int | None, idle_minutes: int, now_ms: int) -> bool:
    """Whether it has been unused for as long as its domain allows (0: for ever)."""
    return since_ms is not None and idle_minutes > 0 and now_ms - since_ms >= idle_minutes * MINUTE_MS
