"""Monitors, alerts, and the rows behind them."""

import asyncio
from dataclasses import replace
from typing import Any

from fastapi import APIRouter, Depends, Query
from sqlalchemy import Connection

from studio.access.principals import Principal
from studio.errors import Timeout
from studio.monitoring import alerts, captures, monitors
from studio.monitoring.alerts import Alert
from studio.monitoring.monitors import Check, Monitor
from studio.monitoring.results import WINDOW_LEAST
from studio.serving import endpoints
from studio.serving.endpoints import Endpoint
from studio.wire.context import Studio, studio
from studio.wire.permission import Allow
from studio.wire.rest.schemas import monitoring as schemas
from studio.wire.rest.schemas.monitoring import (
    AlertAnswer,
    AlertDetail,
    CheckAnswer,
    MonitorAnswer,
    MonitorSummary,
    RowsAnswer,
)
from studio.wire.waiting import until

router = APIRouter(prefix="/domains/{domain}", tags=["monitoring"])
WAIT_S = 30.0


@router.get("/monitors")
async def list_monitors(
    domain: str, studio: Studio = Depends(studio), _: Principal = Depends(Allow("monitoring.read"))
) -> list[MonitorSummary]:
    """One per endpoint that captures its requests."""

    def read(db: Connection) -> list[MonitorSummary]:
        watched = [endpoint for endpoint in endpoints.list_endpoints(db, domain) if endpoint.capture]
        return [
            MonitorSummary(**_summary(db, endpoint, monitors.list_checks(db, endpoint.id, 1))) for endpoint in watched
        ]

    return await studio.store.read(read)


@router.get("/monitors/{endpoint}")
async def get_monitor(
    domain: str, endpoint: str, studio: Studio = Depends(studio), _: Principal = Depends(Allow("monitoring.read"))
) -> MonitorAnswer:
    """One monitor with its latest checks."""
    return await studio.store.read(lambda db: _monitor(db, endpoints.get(db, domain, endpoint)))


@router.post("/monitors/{endpoint}/check")
async def check_now(
    domain: str, endpoint: str, studio: Studio = Depends(studio), _: Principal = Depends(Allow("monitoring.write"))
) -> MonitorAnswer:
    """Checks what has been captured up to now; answers when that is done, with `TIMEOUT` after 30 s (it goes on).
    Fewer than 200 rows since the last window make no new check: they wait."""
    asked = await studio.store.write(lambda db: monitors.ask(db, domain, endpoint))

    async def has_looked() -> bool:
        return await studio.store.read(lambda db: _looked(db, domain, endpoint)) >= asked

    if not await until(studio, "monitors", WAIT_S, has_looked):
        raise Timeout(f"{endpoint} is still being looked at after {WAIT_S:.0f} s.", "It goes on; ask again.")
    return await studio.store.read(lambda db: _monitor(db, endpoints.get(db, domain, endpoint)))


@router.get("/alerts")
async def list_alerts(
    domain: str,
    state: str = "",
    endpoint: str = "",
    studio: Studio = Depends(studio),
    _: Principal = Depends(Allow("monitoring.read")),
) -> list[AlertAnswer]:
    """Alerts, newest first; `state`: Open or Resolved."""
    found = await studio.store.read(lambda db: alerts.list_alerts(db, domain, state, endpoint))
    return [AlertAnswer.model_validate(alert) for alert in found]


@router.get("/alerts/{alert}")
async def get_alert(
    domain: str, alert: str, studio: Studio = Depends(studio), _: Principal = Depends(Allow("monitoring.read"))
) -> AlertDetail:
    """One alert with the check that it leads to."""
    found, check = await studio.store.read(lambda db: _alert(db, domain, alert))
    plain = AlertAnswer.model_validate(found).model_dump()
    return AlertDetail(**plain, check=check)


@router.get("/alerts/{alert}/rows")
async def alert_rows(
    domain: str,
    alert: str,
    limit: int = Query(1000, ge=1, le=10_000),
    studio: Studio = Depends(studio),
    _: Principal = Depends(Allow("monitoring.read")),
) -> RowsAnswer:
    """Exactly the captured rows of the alert's window."""

    def read(db: Connection) -> tuple[Alert, Endpoint]:
        found = alerts.get(db, domain, alert)
        return found, endpoints.get(db, domain, found.endpoint)

    found, endpoint = await studio.store.read(read)
    folder = captures.root(studio.settings.paths.capture, domain, found.endpoint)
    rows = await asyncio.to_thread(captures.window, folder, found.check_id, endpoint.redact)
    code = f'from studio.guest import sdk\n\n# {found.message}\nrows = sdk.rows("{found.id}")\nrows'
    parts = {"rows": rows.rows[:limit], "row_ids": rows.row_ids[:limit], "truth": rows.truth[:limit]}
    return RowsAnswer(columns=rows.columns, **parts, code=code)


def _looked(db: Connection, domain: str, name: str) -> int:
    monitor = monitors.find(db, endpoints.get(db, domain, name).id)
    return monitor.looked_ms if monitor else 0


def _alert(db: Connection, domain: str, id: str) -> tuple[Alert, CheckAnswer]:
    found = alerts.get(db, domain, id)
    return found, _check(monitors.get_check(db, found.check_id), endpoints.get(db, domain, found.endpoint))


def _check(check: Check, endpoint: Endpoint) -> CheckAnswer:
    """Bins of a column show its values: one that is not kept any more is not shown either."""
    shown = [column for column in check.columns if column.name not in endpoint.redact]
    return CheckAnswer.model_validate(replace(check, columns=shown))


def _monitor(db: Connection, endpoint: Endpoint) -> MonitorAnswer:
    checks = monitors.list_checks(db, endpoint.id)
    monitor = monitors.find(db, endpoint.id)
    shown = endpoint.shown
    source = schemas.BaselineAnswer(
        source=f"training data of {endpoint.model} version {shown.version}" if shown else "",
        rows=monitor.baseline_rows if monitor else 0,
    )
    return MonitorAnswer(
        **_summary(db, endpoint, checks),
        threshold=monitor.threshold if monitor else monitors.THRESHOLD,
        least_rows=WINDOW_LEAST,
        baseline=source if shown is not None and shown.baseline else None,
        redacted=list(endpoint.redact),
        days=endpoint.capture_days,
        checks=[_check(check, endpoint) for check in checks],
    )


def _summary(db: Connection, endpoint: Endpoint, checks: list[Check]) -> dict[str, Any]:
    monitor: Monitor | None = monitors.find(db, endpoint.id)
    latest = checks[0] if checks else None
    opened = alerts.list_alerts(db, endpoint.domain, "Open", endpoint.name)
    window = schemas.WindowAnswer.model_validate(latest) if latest else None
    return {
        "endpoint": endpoint.name,
        "state": monitors.state(endpoint, latest),
        "columns": [column.name for column in latest.columns if column.drifted] if latest else [],
        "window": window,
        "checked_ms": monitor.checked_ms or None if monitor else None,
        "alert_id": opened[0].id if opened else None,
        "pending": monitor.pending if monitor else 0,
        "captured": monitor.captured if monitor else 0,
        "percent": endpoint.capture_percent,
        "error": monitor.error if monitor else "",
    }
