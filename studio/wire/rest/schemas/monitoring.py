"""Monitors, checks, alerts, captured rows."""

from typing import Any

from studio.wire.rest.schemas.base import Answer


class WindowAnswer(Answer):
    """The rows that the latest check looked at."""

    from_ms: int
    to_ms: int
    rows: int


class MonitorSummary(Answer):
    """`state`: Quiet, Drift, NoData or NoBaseline; `columns` have drifted; `pending` rows wait for a full window;
    `percent` of the requests are captured."""

    endpoint: str
    state: str
    columns: list[str]
    window: WindowAnswer | None
    checked_ms: int | None
    alert_id: str | None
    pending: int
    captured: int
    percent: float
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
    """One monitor; checks newest first. `redacted`: columns whose values are not kept, so that no drift of theirs is
    computed; `days`: how long captured rows, windows' rows and labels are kept."""

    redacted: list[str]
    days: int
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
    """Exactly the captured rows of a check; `truth`: the label of each, null while unknown; `code`: a notebook cell
    that opens them."""

    columns: list[str]
    rows: list[list[Any]]
    row_ids: list[str]
    truth: list[Any]
    code: str


class CapturedRowAnswer(Answer):
    """One captured row. `truth`: its label, null while unknown; `shadow`: a copy's answer, which nobody was given; it
    has the id of the request that it was copied from."""

    id: str
    at_ms: int
    variant: str
    version: int
    latency_ms: float
    status: int
    inputs: dict[str, Any]
    output: Any
    truth: Any
    shadow: bool


class CapturesAnswer(Answer):
    """The newest captured rows, newest first."""

    columns: list[str]
    rows: list[CapturedRowAnswer]


class TruthAnswer(Answer):
    """How many labels were taken; they are joined within seconds."""

    accepted: int


class MatrixCellAnswer(Answer):
    """Rows with this label and prediction; `row_ids`: the newest of them, to be asked for as captured rows."""

    label: str
    prediction: str
    n: int
    row_ids: list[str]


class ClassAnswer(Answer):
    """One class: rows with this label, with this prediction, and the shares of both that were right."""

    name: str
    labels: int
    predictions: int
    precision: float | None
    recall: float | None


class VariantQualityAnswer(Answer):
    """One variant. `kind`: classification (accuracy, classes, matrix) or regression (mae, rmse, and bias, the mean of
    prediction - label); `incomparable`: labelled rows, of any time, whose prediction or label is no single value."""

    variant: str
    version: int
    kind: str
    n: int
    incomparable: int
    accuracy: float | None
    classes: list[ClassAnswer]
    matrix: list[MatrixCellAnswer]
    mae: float | None
    rmse: float | None
    bias: float | None


class QualityAnswer(Answer):
    """What labels say about predictions. `from_ms` and `to_ms`: the time asked for, made of whole stretches of
    `width_ms`; `waiting`: labels of rows that have not been captured, or are kept no longer."""

    from_ms: int | None
    to_ms: int | None
    width_ms: int
    waiting: int
    variants: list[VariantQualityAnswer]
