"""What every started thing cost: entries with the price frozen at their start, and sums over them."""

from studio.ledger.entries import (
    Entry,
    costs,
    ended,
    ended_among,
    entry,
    find,
    get,
    open_entries,
    running_at,
    started,
    tick,
)
from studio.ledger.spending import By, Share, daily, spend, total

__all__ = [
    "By",
    "Entry",
    "Share",
    "costs",
    "daily",
    "ended",
    "ended_among",
    "entry",
    "find",
    "get",
    "open_entries",
    "running_at",
    "spend",
    "started",
    "tick",
    "total",
]
