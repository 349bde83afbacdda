"""Entries of the ledger: begun once, ticked while the thing is seen alive, ended once."""

from dataclasses import dataclass

from sqlalchemy import Connection, Row, select, update

from studio.errors import NotFound
from studio.store import signal
from studio.store.tables.domains import instance_types
from studio.store.tables.ledger import ledger
from studio.store.tenancy import EVERY, FOUND, scope_query

MS_PER_HOUR = 3_600_000


@dataclass(frozen=True, slots=True)
class Entry:
    """One run of one thing. `price_per_hour` is that of its start; it counts until `ended_ms`, else `ticked_ms`."""

    resource: str
    domain: str
    user: str
    kind: str
    name: str
    instance_type: str
    price_per_hour: float
    started_ms: int
    ticked_ms: int
    ended_ms: int | None
    memory_bytes: int
    cpu_ms: int
    cpu_percent: float

    @property
    def hours(self) -> float:
        """How long it has run so far."""
        until = self.ticked_ms if self.ended_ms is None else self.ended_ms
        return max(0, until - self.started_ms) / MS_PER_HOUR

    @property
    def cost(self) -> float:
        """What it has cost so far."""
        return self.hours * self.price_per_hour


def entry(row: Row[tuple[object, ...]]) -> Entry:
    """The entry of a row of the table."""
    return Entry(**row._mapping)


def started(
    db: Connection, domain: str, user: str, kind: str, resource: str, name: str, instance_type: str, at_ms: int
) -> bool:
    """Begins the entry of `resource` at the price that `instance_type` has now; False if it is open already.

    One that was thought ended and is seen again goes on, at its old price. An instance type that is not in the price
    list costs nothing.
    """
    known = db.execute(
        scope_query(select(ledger.c.ended_ms), ledger, FOUND).where(ledger.c.resource == resource)
    ).first()
    if known is not None and known.ended_ms is None:
        return False
    if known is not None:
        db.execute(
            scope_query(update(ledger), ledger, FOUND).where(ledger.c.resource == resource).values(ended_ms=None)
        )
    else:
        price = db.scalar(select(instance_types.c.price_per_hour).where(instance_types.c.name == instance_type))
        db.execute(
            ledger.insert().values(
                resource=resource,
                domain=domain,
                user=user,
                kind=kind,
                name=name,
                instance_type=instance_type,
                price_per_hour=price or 0.0,
                started_ms=at_ms,
                ticked_ms=at_ms,
            )
        )
    signal(db, "running", domain, resource)
    return True


def ended_among(db: Connection, resources: list[str]) -> set[str]:
    """Those of `resources` whose entries have ended."""
    found: set[str] = set()
    for begin in range(0, len(resources), 500):  # databases limit how many values a query may carry
        some = ledger.c.resource.in_(resources[begin : begin + 500])
        query = scope_query(select(ledger.c.resource), ledger, FOUND)
        found.update(db.scalars(query.where(some, ledger.c.ended_ms.is_not(None))))
    return found


def costs(db: Connection, resources: list[str]) -> dict[str, float]:
    """What each of at most 1000 `resources` has cost so far; those without an entry are left out."""
    query = scope_query(select(ledger), ledger, FOUND).where(ledger.c.resource.in_(resources))
    return {row.resource: entry(row).cost for row in db.execute(query)}


def is_known(db: Connection, resource: str) -> bool:
    """Whether `resource` has an entry, open or ended."""
    query = scope_query(select(ledger.c.resource), ledger, FOUND).where(ledger.c.resource == resource)
    return db.execute(query).first() is not None


def tick(db: Connection, resource: str, at_ms: int, *, memory_bytes: int = 0, cpu_ms: int = 0) -> None:
    """Notes that `resource` was alive at `at_ms`, with the memory it holds and the processor time it has used so far.

    Time never runs backwards here: a tick before the last one, or of an ended entry, changes nothing.
    """
    row = db.execute(
        scope_query(select(ledger.c.ticked_ms, ledger.c.cpu_ms), ledger, FOUND).where(
            ledger.c.resource == resource, ledger.c.ended_ms.is_(None)
        )
    ).first()
    if row is None or at_ms <= row.ticked_ms:
        return
    percent = 100.0 * max(0, cpu_ms - row.cpu_ms) / (at_ms - row.ticked_ms)
    db.execute(
        scope_query(update(ledger), ledger, FOUND)
        .where(ledger.c.resource == resource)
        .values(ticked_ms=at_ms, memory_bytes=memory_bytes, cpu_ms=cpu_ms, cpu_percent=percent)
    )


def ended(db: Connection, resource: str, at_ms: int) -> None:
    """Ends the entry at `at_ms`, not before its start; the first end stands."""
    row = db.execute(
        scope_query(select(ledger.c.domain, ledger.c.started_ms), ledger, FOUND).where(
            ledger.c.resource == resource, ledger.c.ended_ms.is_(None)
        )
    ).first()
    if row is None:
        return
    end = max(at_ms, row.started_ms)
    db.execute(
        scope_query(update(ledger), ledger, FOUND)
        .where(ledger.c.resource == resource)
        .values(ended_ms=end, ticked_ms=end, cpu_percent=0.0)
    )
    signal(db, "running", row.domain, resource)


def get(db: Connection, domain: str, resource: str) -> Entry:
    """The entry of `resource` in `domain`, or `NotFound`."""
    found = find(db, domain, resource)
    if found is None:
        raise NotFound(f"Nothing called {resource!r} has run in {domain}.", "Look at the list of what runs now.")
    return found


def find(db: Connection, domain: str, resource: str) -> Entry | None:
    """The entry of `resource` in `domain`, if it has one."""
    row = db.execute(scope_query(select(ledger), ledger, domain).where(ledger.c.resource == resource)).first()
    return None if row is None else entry(row)


def running_at(db: Connection, domain: str, user: str, kind: str, at_ms: int, late_ms: int) -> Entry | None:
    """What of `kind` `user` had running at `at_ms`; of several the one that started last, at most `late_ms` after."""
    c = ledger.c
    query = scope_query(select(ledger), c, domain).where(
        c.user == user, c.kind == kind, c.started_ms <= at_ms + late_ms
    )
    query = query.where(c.ended_ms.is_(None) | (c.ended_ms >= at_ms))
    row = db.execute(query.order_by(c.started_ms.desc(), c.resource).limit(1)).first()
    return None if row is None else entry(row)


def open_entries(db: Connection, domain: str | None = None) -> list[Entry]:
    """What runs now (in `domain`, else everywhere), longest first."""
    query = scope_query(select(ledger), ledger, EVERY if domain is None else domain)
    query = query.where(ledger.c.ended_ms.is_(None)).order_by(ledger.c.started_ms, ledger.c.resource)
    return [entry(row) for row in db.execute(query)]
