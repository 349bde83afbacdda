"""Sums over the ledger."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from sqlalchemy import ColumnElement, Connection, and_, case, func, select

from studio.ledger.entries import MS_PER_HOUR
from studio.store.tables.ledger import ledger

By = Literal["kind", "user", "resource"]


@dataclass(frozen=True, slots=True)
class Share:
    """Part of a sum: `name` is a kind, a user, or "<kind> <name>"; `hours` add up over things that ran side by side."""

    name: str
    cost: float
    hours: float


def _overlap_ms(since_ms: int, until_ms: int) -> ColumnElement[int]:
    """Milliseconds of an entry that lie in the window; 0 if none do."""
    end = func.coalesce(ledger.c.ended_ms, ledger.c.ticked_ms)
    last = case((end < until_ms, end), else_=until_ms)
    first = case((ledger.c.started_ms > since_ms, ledger.c.started_ms), else_=since_ms)
    return case((last > first, last - first), else_=0)


def _within(domain: str, since_ms: int, until_ms: int) -> ColumnElement[bool]:
    end = func.coalesce(ledger.c.ended_ms, ledger.c.ticked_ms)
    return and_(ledger.c.domain == domain, ledger.c.started_ms < until_ms, end > since_ms)


def total(db: Connection, domain: str, since_ms: int, until_ms: int) -> float:
    """What `domain` cost between the two times, in the price list's currency."""
    cost = _overlap_ms(since_ms, until_ms) * ledger.c.price_per_hour / float(MS_PER_HOUR)
    found = db.scalar(select(func.sum(cost)).where(_within(domain, since_ms, until_ms)))
    return float(found or 0.0)


def spend(db: Connection, domain: str, since_ms: int, until_ms: int, *, by: By) -> list[Share]:
    """The same sum in parts, dearest first."""
    keys = {"kind": ledger.c.kind, "user": ledger.c.user, "resource": ledger.c.kind + " " + ledger.c.name}
    key = keys[by].label("name")
    overlap = _overlap_ms(since_ms, until_ms)
    cost = func.sum(overlap * ledger.c.price_per_hour / float(MS_PER_HOUR)).label("cost")
    query = (
        select(key, cost, func.sum(overlap).label("ms"))
        .where(_within(domain, since_ms, until_ms))
        .group_by(key)
        .order_by(cost.desc(), key)
    )
    return [Share(row.name, float(row.cost), row.ms / MS_PER_HOUR) for row in db.execute(query)]


def daily(db: Connection, domain: str, edges_ms: list[int]) -> list[float]:
    """The sum of each day; `edges_ms` are the days' beginnings and the last one's end, ascending."""
    return [total(db, domain, first, last) for first, last in pairwise(edges_ms)]
