"""How long callers waited for endpoints that they woke, as the gateway measured it: what is said of serverless before
somebody chooses it was seen on this machine."""

import statistics
from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert, select

from studio.store.tables.wakes import wakes as table
from studio.store.tenancy import scope_query

KEPT = 50  # of each kind


@dataclass(frozen=True, slots=True)
class WakeTimes:
    """Medians of the last wakes in an environment, in ms, None where there were none. `cold_ms`: its fork server was
    not there and had to be started first."""

    environment: str
    warm_ms: float | None
    cold_ms: float | None
    measured: int


def keep(db: Connection, domain: str, endpoint: str, environment: str, at_ms: int, ms: float, *, cold: bool) -> bool:
    """Adds one; the oldest above `KEPT` go. False if it is known."""
    known = scope_query(select(table.c.seq), table, domain).where(table.c.endpoint == endpoint, table.c.at_ms == at_ms)
    if db.scalar(known) is not None:
        return False
    values = {
        "domain": domain,
        "endpoint": endpoint,
        "environment": environment,
        "at_ms": at_ms,
        "ms": ms,
        "cold": cold,
    }
    db.execute(insert(table).values(values))
    kind = (table.c.environment == environment, table.c.cold == cold)
    newest_first = scope_query(select(table.c.seq), table, domain).where(*kind).order_by(table.c.seq.desc())
    last = db.scalar(newest_first.offset(KEPT).limit(1))
    if last is not None:
        db.execute(scope_query(delete(table), table, domain).where(*kind, table.c.seq <= last))
    return True


def times(db: Connection, domain: str) -> list[WakeTimes]:
    """Of each environment in which an endpoint of the domain was woken, by name."""
    query = scope_query(select(table.c.environment, table.c.cold, table.c.ms), table, domain)
    found: dict[str, dict[bool, list[float]]] = {}
    for environment, cold, ms in db.execute(query):
        found.setdefault(environment, {True: [], False: []})[bool(cold)].append(ms)
    return [
        WakeTimes(name, _median(kinds[False]), _median(kinds[True]), len(kinds[False]) + len(kinds[True]))
        for name, kinds in sorted(found.items())
    ]


def _median(values: list[float]) -> float | None:
    return round(statistics.median(values), 1) if values else None
