"""Pure: what runs now, from the ledger's open entries; the replicas of an endpoint are one line."""

from collections.abc import Iterable
from dataclasses import dataclass

from studio.ledger import Entry


@dataclass(frozen=True, slots=True)
class Running:
    """One line. `resources`: the ledger's entries behind it; `cpu_percent`: 100 = one core."""

    id: str
    kind: str
    name: str
    owner: str
    since_ms: int
    memory_bytes: int
    cpu_percent: float
    price_per_hour: float
    cost: float
    resources: tuple[str, ...]


def lines(entries: Iterable[Entry]) -> list[Running]:
    """The running things, longest first."""
    groups: dict[str, list[Entry]] = {}
    for entry in entries:
        key = f"endpoint:{entry.name}" if entry.kind == "endpoint" else entry.resource
        groups.setdefault(key, []).append(entry)
    return sorted((_line(key, group) for key, group in groups.items()), key=lambda line: (line.since_ms, line.id))


def _line(key: str, group: list[Entry]) -> Running:
    first = min(group, key=lambda entry: entry.started_ms)
    return Running(
        id=key,
        kind=first.kind,
        name=first.name,
        owner=first.user,
        since_ms=first.started_ms,
        memory_bytes=sum(entry.memory_bytes for entry in group),
        cpu_percent=round(sum(entry.cpu_percent for entry in group), 1),
        price_per_hour=sum(entry.price_per_hour for entry in group),
        cost=sum(entry.cost for entry in group),
        resources=tuple(entry.resource for entry in group),
    )
