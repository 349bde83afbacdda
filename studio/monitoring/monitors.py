"""Monitors as rows: one per endpoint that captures, its cursor, the job that is out, its checks."""

from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import Connection, delete, insert, select, update

from studio.clock import now_ms
from studio.errors import Conflict, NotFound
from studio.monitoring import alerts
from studio.monitoring.decide import MonitorState
from studio.monitoring.results import ColumnResult, Result, Window
from studio.serving import endpoints
from studio.serving.endpoints import Endpoint
from studio.store import signal
from studio.store.tables.monitoring import checks, monitors

THRESHOLD = 0.2
KEPT_CHECKS = 200


@dataclass(frozen=True, slots=True)
class Monitor:
    """`cursor`: number of the last captured row that a window took; times are ms since 1970, 0 for never."""

    endpoint: str
    threshold: float
    cursor: int
    pending: int
    captured: int
    baseline_rows: int
    run: str
    run_ms: int
    wanted_ms: int
    error: str
    looked_ms: int
    checked_ms: int


@dataclass(frozen=True, slots=True)
class Check:
    """A window that was compared with the baseline of `version`; `columns` worst first."""

    id: str
    endpoint: str
    version: int
    at_ms: int
    from_ms: int
    to_ms: int
    rows: int
    drifted: bool
    columns: list[ColumnResult]


def ensure(db: Connection, endpoint: Endpoint) -> Monitor:
    """The monitor of an endpoint, made at the first call."""
    if (found := find(db, endpoint.id)) is not None:
        return found
    db.execute(insert(monitors).values(endpoint=endpoint.id, threshold=THRESHOLD))
    return _require(db, endpoint.id)


def find(db: Connection, endpoint: str) -> Monitor | None:
    """The monitor of the endpoint with this id."""
    row = db.execute(select(monitors).where(monitors.c.endpoint == endpoint)).one_or_none()
    if row is None:
        return None
    values: dict[str, Any] = dict(row._mapping)
    values |= {key: value or 0 for key, value in values.items() if key.endswith("_ms")}
    return Monitor(**values)


def _require(db: Connection, endpoint: str) -> Monitor:
    found = find(db, endpoint)
    assert found is not None
    return found


def ask(db: Connection, domain: str, name: str) -> int:
    """Somebody wants a check now; since when, in ms. `Conflict` if the endpoint keeps no requests."""
    endpoint = endpoints.get(db, domain, name)
    if not endpoint.capture:
        raise Conflict(f"The endpoint {name} does not capture its requests.", "Deploy it with capture switched on.")
    monitor = ensure(db, endpoint)
    at = max(now_ms(), monitor.looked_ms + 1)
    change(db, endpoint, wanted_ms=at)
    return at


def labelled(db: Connection, domain: str, name: str) -> Endpoint:
    """The endpoint, for which labels come. `Conflict` if it never kept a request that they could go with, or ends."""
    endpoint = endpoints.get(db, domain, name)
    if endpoint.deleting:
        raise Conflict(f"The endpoint {name} is being deleted.", "What it captured goes with it.")
    if not endpoint.capture and find(db, endpoint.id) is None:
        raise Conflict(f"The endpoint {name} does not capture its requests.", "Deploy it with capture switched on.")
    ensure(db, endpoint)
    signal(db, "monitoring", domain, name)
    return endpoint


def change(db: Connection, endpoint: Endpoint, **values: Any) -> None:
    """Notes something about the monitor."""
    db.execute(update(monitors).where(monitors.c.endpoint == endpoint.id).values(values))
    signal(db, "monitors", endpoint.domain, endpoint.name)


def take(db: Connection, endpoint: Endpoint, result: Result) -> None:
    """Takes in what a job reported: once, in order, and never backwards, whatever the file says."""
    monitor = find(db, endpoint.id)
    if monitor is None or monitor.run != result.run:
        return
    now = now_ms()
    cursor = monitor.cursor
    for window in sorted(result.windows, key=lambda window: window.from_seq):
        if window.from_seq > cursor and window.id.startswith(result.run):
            _add_check(db, endpoint, monitor, window, now)
            cursor = window.to_seq
    change(
        db,
        endpoint,
        run="",
        run_ms=0,
        looked_ms=max(now, monitor.run_ms),
        cursor=max(cursor, result.to_seq),
        pending=result.pending,
        captured=monitor.captured + max(0, result.collected),
        baseline_rows=result.baseline_rows,
        error=result.error[:2000],
    )


def _add_check(db: Connection, endpoint: Endpoint, monitor: Monitor, window: Window, now: int) -> None:
    if db.execute(select(checks.c.id).where(checks.c.id == window.id)).first() is not None:
        return
    drifted = any(column.drifted for column in window.columns)
    db.execute(
        insert(checks).values(
            id=window.id,
            endpoint=endpoint.id,
            version=window.version,
            at_ms=now,
            from_ms=window.from_ms,
            to_ms=window.to_ms,
            rows=window.rows,
            drifted=drifted,
            columns=msgspec.json.encode(window.columns).decode(),
        )
    )
    db.execute(update(monitors).where(monitors.c.endpoint == endpoint.id).values(checked_ms=now))
    alerts.after(db, endpoint, window, monitor.threshold, now)
    _forget_old(db, endpoint.id)


def _forget_old(db: Connection, endpoint: str) -> None:
    mine = checks.c.endpoint == endpoint
    oldest = select(checks.c.at_ms).where(mine).order_by(checks.c.at_ms.desc()).offset(KEPT_CHECKS).limit(1)
    at = db.scalar(oldest)
    if at is not None:
        kept = alerts.check_ids(db, endpoint)
        db.execute(delete(checks).where(mine, checks.c.at_ms <= at, checks.c.id.not_in(kept)))


def list_checks(db: Connection, endpoint: str, limit: int = 50) -> list[Check]:
    """The last checks of an endpoint, newest first."""
    query = select(checks).where(checks.c.endpoint == endpoint)
    ordered = query.order_by(checks.c.at_ms.desc(), checks.c.to_ms.desc(), checks.c.id.desc())
    return [_check(dict(row._mapping)) for row in db.execute(ordered.limit(limit))]


def get_check(db: Connection, id: str) -> Check:
    """One check, or `NotFound`."""
    row = db.execute(select(checks).where(checks.c.id == id)).one_or_none()
    if row is None:
        raise NotFound(f"There is no check {id}.", "Older ones are forgotten.")
    return _check(dict(row._mapping))


def _check(values: dict[str, Any]) -> Check:
    values["columns"] = msgspec.json.decode(values["columns"], type=list[ColumnResult])
    return Check(**values)


def state(endpoint: Endpoint, latest: Check | None) -> MonitorState:
    """What the monitor can say now."""
    if latest is not None:
        return MonitorState.drift if latest.drifted else MonitorState.quiet
    shown = endpoint.shown
    if shown is not None and shown.digest and not shown.baseline:
        return MonitorState.no_baseline
    return MonitorState.no_data
