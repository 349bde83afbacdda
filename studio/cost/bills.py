"""What a domain costs: today, this month, in parts, day by day."""

from dataclasses import dataclass

from sqlalchemy import Connection

from studio import ledger
from studio.ledger import Share, periods


@dataclass(frozen=True, slots=True)
class Bill:
    """In the currency of the price list. The parts are of the last `days` days; `daily`: (date, cost), oldest first."""

    today: float
    month: float
    by_kind: list[Share]
    by_user: list[Share]
    by_resource: list[Share]
    daily: list[tuple[str, float]]


def bill(db: Connection, domain: str, now_ms: int, days: int) -> Bill:
    """The bill of `domain` up to `now_ms`."""
    edges = periods.day_edges(now_ms, days)
    costs = ledger.daily(db, domain, edges)
    since = edges[0]
    return Bill(
        today=costs[-1],
        month=ledger.total(db, domain, periods.month_start(now_ms), now_ms),
        by_kind=ledger.spend(db, domain, since, now_ms, by="kind"),
        by_user=ledger.spend(db, domain, since, now_ms, by="user"),
        by_resource=ledger.spend(db, domain, since, now_ms, by="resource"),
        daily=[(periods.date_of(edge), cost) for edge, cost in zip(edges, costs, strict=False)],
    )


def today(db: Connection, domain: str, now_ms: int) -> float:
    """What today has cost so far."""
    return ledger.total(db, domain, periods.day_edges(now_ms, 1)[0], now_ms)
