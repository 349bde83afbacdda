"""Pure: from what is seen alive, what is on record and what has ended, to the ledger's next lines."""

from collections.abc import Iterable
from dataclasses import dataclass

from studio.ledger.entries import Entry


@dataclass(frozen=True, slots=True)
class Seen:
    """Something that runs or ran, as its keeper reports it; `ended_ms` as its exit record says."""

    resource: str
    domain: str
    user: str
    kind: str
    name: str
    instance_type: str
    started_ms: int
    memory_bytes: int = 0
    cpu_ms: int = 0
    ended_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Begin:
    """It runs and has no open entry."""

    seen: Seen


@dataclass(frozen=True, slots=True)
class Tick:
    """It was seen alive."""

    resource: str
    memory_bytes: int
    cpu_ms: int


@dataclass(frozen=True, slots=True)
class End:
    """It has ended; `seen` of one that may have come and gone while nobody looked."""

    resource: str
    at_ms: int
    seen: Seen | None = None


Line = Begin | Tick | End


def decide(alive: Iterable[Seen], ended: Iterable[Seen], open_entries: Iterable[Entry]) -> list[Line]:
    """What is no longer alive ended when its exit record says, else when it was seen last: never later than known."""
    finished = {item.resource: item for item in ended}
    running = {item.resource: item for item in alive if item.resource not in finished}
    on_record = {entry.resource: entry for entry in open_entries}
    lines: list[Line] = [
        End(item.resource, item.ended_ms if item.ended_ms is not None else item.started_ms, item)
        for item in finished.values()
    ]
    lines += [
        End(entry.resource, entry.ticked_ms)
        for entry in on_record.values()
        if entry.resource not in running and entry.resource not in finished
    ]
    lines += [Begin(item) for item in running.values() if item.resource not in on_record]
    lines += [Tick(item.resource, item.memory_bytes, item.cpu_ms) for item in running.values()]
    return lines
