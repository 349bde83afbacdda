"""Writes decided lines."""

from collections.abc import Iterable

from sqlalchemy import Connection

from studio.ledger import entries
from studio.ledger.decide import Begin, End, Line, Seen, Tick


def write(db: Connection, lines: Iterable[Line], now_ms: int) -> None:
    """All of them in one write; writing the same lines again changes nothing but the ticks."""
    for line in lines:
        match line:
            case Begin(seen):
                _begin(db, seen)
            case Tick(resource, memory_bytes, cpu_ms):
                entries.tick(db, resource, now_ms, memory_bytes=memory_bytes, cpu_ms=cpu_ms)
            case End(resource, at_ms, seen):
                if seen is not None and not entries.is_known(db, resource):
                    _begin(db, seen)
                entries.ended(db, resource, at_ms)


def _begin(db: Connection, seen: Seen) -> None:
    entries.started(
        db, seen.domain, seen.user, seen.kind, seen.resource, seen.name, seen.instance_type, seen.started_ms
    )
