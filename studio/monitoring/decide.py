"""When a monitor's job runs, and what its windows do to the endpoint's alert: pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from studio.monitoring.results import ColumnResult, Window

AGAIN_MS = 60_000  # a job that nobody has heard of for so long is given up
TIDY_MS = 6 * 3_600_000  # without new requests, rows are looked at for their age so often
SEGMENT_MS = 3000  # how long a request to check now waits for the gateway to close its segment


class AlertState(StrEnum):
    """An alert is open until a later window is quiet."""

    open = "Open"
    resolved = "Resolved"


class MonitorState(StrEnum):
    """What the monitor can say about its endpoint now."""

    quiet = "Quiet"
    drift = "Drift"
    no_data = "NoData"  # no window of 200 rows yet
    no_baseline = "NoBaseline"  # nothing to compare with


@dataclass(frozen=True, slots=True)
class Seen:
    """`segments`: closed ones, or labels, wait in the spool; `open_ms`: when the one being written was begun (0: none);
    `run_ms`: when the job that is out was sent (0: none is); `looked_ms`: when the last one ended; `wanted_ms`: when
    somebody asked for a check (0: nobody)."""

    segments: bool
    open_ms: int
    run_ms: int
    is_running: bool
    looked_ms: int
    wanted_ms: int
    place: bool


def runs_now(seen: Seen, every_ms: int, now_ms: int) -> bool:
    """Whether to send the job: at once if somebody waits, else when there is something new and it is time, or when
    what it made long ago may have become too old to be kept."""
    if not seen.place or seen.is_running or (seen.run_ms and now_ms - seen.run_ms < AGAIN_MS):
        return False
    if seen.wanted_ms > seen.looked_ms:
        # What was answered before the question was asked belongs into the check: its segment must be closed.
        waits = 0 < seen.open_ms <= seen.wanted_ms or now_ms - seen.wanted_ms < 100
        return not waits or now_ms - seen.wanted_ms > SEGMENT_MS
    if seen.looked_ms and now_ms - seen.looked_ms >= TIDY_MS:
        return True
    return seen.segments and now_ms - seen.looked_ms >= every_ms


@dataclass(frozen=True, slots=True)
class Open:
    """There is drift and no alert."""

    columns: tuple[str, ...]
    message: str


@dataclass(frozen=True, slots=True)
class Update:
    """There is drift still; the alert leads to this window's rows."""

    columns: tuple[str, ...]
    message: str


@dataclass(frozen=True, slots=True)
class Resolve:
    """This window is quiet."""


def alert_after(window: Window, *, is_open: bool, limit: float) -> Open | Update | Resolve | None:
    """What a checked window does to the endpoint's one alert."""
    drifted = [column for column in window.columns if column.drifted]
    if not drifted:
        return Resolve() if is_open else None
    names = tuple(column.name for column in drifted)
    text = message(drifted, window.rows, limit)
    return Update(names, text) if is_open else Open(names, text)


def message(drifted: Sequence[ColumnResult], rows: int, limit: float) -> str:
    """The alert in words: which columns, how far, over how many rows."""
    shown = [f"{column.name} ({_how(column)})" for column in drifted[:4]]
    more = f" and {len(drifted) - 4} more" if len(drifted) > 4 else ""
    verb = "has" if len(drifted) == 1 else "have"
    return f"{', '.join(shown)}{more} {verb} drifted from the training data in {rows} rows; the limit is PSI {limit:g}."


def _how(column: ColumnResult) -> str:
    if column.psi >= column.threshold:
        return f"PSI {column.psi:.2f}"
    return f"{column.missing_current:.0%} missing instead of {column.missing_reference:.0%}"
