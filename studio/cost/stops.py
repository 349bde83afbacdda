"""Requests to end something that has no row of its own; the cost loop ends it and forgets the request."""

from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert, select

from studio.clock import now_ms
from studio.ledger import Entry
from studio.store import signal
from studio.store.tables.cost import stop_requests
from studio.store.tables.ledger import ledger
from studio.store.tenancy import EVERY, FOUND, scope_query

BY_ROW = frozenset({"job", "endpoint", "lab"})  # these have a row that says whether they are wanted


@dataclass(frozen=True, slots=True)
class Stop:
    """`name` and `kind` as in the ledger; `is_over`: it has ended, the request can be forgotten."""

    resource: str
    domain: str
    kind: str
    is_over: bool


def request(db: Connection, entry: Entry, user: str) -> None:
    """Asks for the end of what `entry` is about; asked again nothing more happens."""
    if entry.kind in BY_ROW:
        raise ValueError(f"a {entry.kind} is stopped through its own row")
    asked = scope_query(select(stop_requests.c.resource), stop_requests, FOUND)
    if db.execute(asked.where(stop_requests.c.resource == entry.resource)).first() is None:
        values = {"resource": entry.resource, "domain": entry.domain, "user": user, "requested_ms": now_ms()}
        db.execute(insert(stop_requests).values(values))
        signal(db, "stops", entry.domain, entry.resource)


def pending(db: Connection) -> list[Stop]:
    """All requests, oldest first."""
    columns = (stop_requests.c.resource, stop_requests.c.domain, ledger.c.kind, ledger.c.ended_ms)
    query = scope_query(select(*columns), stop_requests, EVERY).order_by(stop_requests.c.requested_ms)
    query = query.join(ledger, ledger.c.resource == stop_requests.c.resource)
    return [Stop(row.resource, row.domain, row.kind, row.ended_ms is not None) for row in db.execute(query)]


def forget(db: Connection, resource: str) -> None:
    """It has ended."""
    db.execute(scope_query(delete(stop_requests), stop_requests, FOUND).where(stop_requests.c.resource == resource))
