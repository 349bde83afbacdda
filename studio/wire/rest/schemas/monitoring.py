"""Monitors, checks, alerts, captured rows."""

from typing import Any

from studio.wire.rest.schemas.base import Answer


class WindowAnswer(Answer):
    """The rows that the latest check looked at."""

    from_ms: int
    to_ms: int
    rows: int


class MonitorSummary(Answer):
    """`state`: Quiet, Drift, NoData or NoBaseline; `columns` have drifted; `pending` rows wait for a full window."""

    endpoint: str
    state: str
    columns: list[str]
    window: WindowAnswer | None
    checked_ms: int | None
    alert_id: str | None
    pending: int
    captured: int
    error: str


class BaselineAnswer(Answer):
    """What is compared with."""

    source: str
    rows: int


class ColumnAnswer(Answer):
    """One column: shares of rows per bin in the baseline and in the window."""

    name: str
    kind: str
    psi: float
    drifted: bool
    threshold: float
    missing_reference: float
    missing_current: float
    reference: list[float]
    current: list[float]
    edges: list[float] | None
    categories: list[str] | None


class CheckAnswer(Answer):
    """One window that was checked; columns worst first."""

    id: str
    version: int
    at_ms: int
    from_ms: int
    to_ms: int
    rows: int
    drifted: bool
    columns: list[ColumnAnswer]


class MonitorAnswer(MonitorSummary):
    """One monitor; checks newest first."""

    threshold: float
    least_rows: int
    baseline: BaselineAnswer | None
    checks: list[CheckAnswer]


class AlertAnswer(Answer):
    """An alert."""

    id: str
    endpoint: str
    state: str
    columns: list[str]
    message: str
    opened_ms: int
    updated_ms: int
    resolved_ms: int | None
    check_id: str


class AlertDetail(AlertAnswer):
    """An alert with the check that it leads to."""

    check: CheckAnswer


class RowsAnswer(Answer):
    """Exactly the captured rows of a check; `code`: a notebook cell that opens them."""

    columns: list[str]
    rows: list[list[Any]]
    row_ids: list[str]
    code: str


class CapturedRowAnswer(Answer):
    """One captured row."""

    id: str
    at_ms: int
    variant: str
    version: int
    latency_ms: float
    status: int
    inputs: dict[str, Any]
    output: Any


class CapturesAnswer(Answer):
    """The newest captured rows, newest first."""

    columns: list[str]
    rows: list[CapturedRowAnswer]
