"""Alerts: at most one open per endpoint, naming the columns that have drifted, leading to the rows."""

from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import Connection, insert, select, update

from studio.errors import Invalid, NotFound
from studio.ids import new_id
from studio.monitoring.decide import AlertState, Open, Resolve, Update, alert_after
from studio.monitoring.results import Window
from studio.serving import promotion
from studio.serving.endpoints import Endpoint
from studio.store import signal
from studio.store.tables.monitoring import alerts
from studio.store.tables.serving import endpoints
from studio.store.tenancy import FOUND, scope_query


@dataclass(frozen=True, slots=True)
class Alert:
    """`check_id`: the latest window with drift, whose rows are behind the alert; `endpoint` is a name here."""

    id: str
    endpoint: str
    domain: str
    state: AlertState
    columns: list[str]
    message: str
    opened_ms: int
    updated_ms: int
    resolved_ms: int | None
    check_id: str


def after(db: Connection, endpoint: Endpoint, window: Window, threshold: float, now: int) -> None:
    """Opens, updates or resolves the endpoint's alert as a checked window asks for; called in its order."""
    mine = (alerts.c.endpoint == endpoint.id) & (alerts.c.state == AlertState.open)
    is_open = db.execute(scope_query(select(alerts.c.id), alerts, FOUND).where(mine)).first() is not None
    match alert_after(window, is_open=is_open, limit=threshold):
        case Open(columns, message):
            named = {"columns": msgspec.json.encode(columns).decode(), "message": message, "check_id": window.id}
            where = {"id": new_id("alert"), "endpoint": endpoint.id, "domain": endpoint.domain}
            db.execute(insert(alerts).values(**where, **named, state=AlertState.open, opened_ms=now, updated_ms=now))
            promotion.note_drift(db, endpoint, message)
        case Update(columns, message):
            named = {"columns": msgspec.json.encode(columns).decode(), "message": message, "check_id": window.id}
            db.execute(scope_query(update(alerts), alerts, FOUND).where(mine).values(**named, updated_ms=now))
        case Resolve():
            db.execute(
                scope_query(update(alerts), alerts, FOUND)
                .where(mine)
                .values(state=AlertState.resolved, resolved_ms=now, updated_ms=now)
            )
        case None:
            return
    signal(db, "alerts", endpoint.domain, endpoint.name)


def list_alerts(db: Connection, domain: str, state: str = "", endpoint: str = "") -> list[Alert]:
    """Alerts of a domain (in one state, of one endpoint by name), newest first."""
    if state not in ("", *AlertState):
        raise Invalid(f"{state!r} is no state of an alert.", "Use Open or Resolved, or leave it out.")
    query = _query(domain).order_by(alerts.c.opened_ms.desc(), alerts.c.id)
    if state:
        query = query.where(alerts.c.state == state)
    if endpoint:
        query = query.where(endpoints.c.name == endpoint)
    return [_alert(dict(row._mapping)) for row in db.execute(query)]


def get(db: Connection, domain: str, id: str) -> Alert:
    """One alert of `domain`, or `NotFound`."""
    row = db.execute(_query(domain).where(alerts.c.id == id)).one_or_none()
    if row is None:
        raise NotFound(f"There is no alert {id} in {domain}.", "It goes with its endpoint.")
    return _alert(dict(row._mapping))


def check_ids(db: Connection, endpoint: str) -> list[str]:
    """Checks that alerts of the endpoint with this id lead to."""
    return list(
        db.execute(scope_query(select(alerts.c.check_id), alerts, FOUND).where(alerts.c.endpoint == endpoint)).scalars()
    )


def _query(domain: str) -> Any:
    columns = [column for column in alerts.c if column.name != "endpoint"]
    query = select(*columns, endpoints.c.name.label("endpoint")).join_from(alerts, endpoints)
    return scope_query(query, alerts, domain)


def _alert(values: dict[str, Any]) -> Alert:
    values["state"] = AlertState(values["state"])
    values["columns"] = msgspec.json.decode(values["columns"])
    return Alert(**values)
