"""What the job inside the sandbox writes for the server, as files: the server reads them as untrusted input."""

from typing import Annotated, Any

from msgspec import Meta, Struct

Count = Annotated[int, Meta(ge=0, le=1 << 53)]
Id = Annotated[str, Meta(max_length=80, pattern="^[a-z0-9-]+$")]
Name = Annotated[str, Meta(max_length=500)]

# A row is one line of a request: its id is "<inference id>.<line>".
TAIL_ROWS = 500
LABELLED_ROWS = 2000
WINDOW_LEAST = 200  # PSI with ten bins reaches 0.2 by chance in 7 % of windows of 100 rows, in 0.3 % of 200
WINDOW_MOST = 2000
RESULT_BYTES = 4 << 20
ROWS_BYTES = 16 << 20
TRUTH_ROWS = 10_000  # labels in one call
TRUTH_BYTES = 4 << 20


class ColumnResult(Struct, frozen=True):
    """One column in one window. `reference` and `current` are shares of all rows per bin, missing ones apart; numeric
    bins lie between `edges` (one more than bins), categorical ones are named by `categories`."""

    name: Name
    kind: str  # numeric | categorical
    psi: float
    drifted: bool
    threshold: float
    missing_reference: float
    missing_current: float
    reference: list[float]
    current: list[float]
    edges: list[float] | None = None
    categories: list[str] | None = None


class Window(Struct, frozen=True):
    """A check of rows `from_seq` to `to_seq`. Its rows are in `windows/<id>.json` as a `Rows`."""

    id: Id
    version: Count
    from_seq: Count
    to_seq: Count
    from_ms: Count
    to_ms: Count
    rows: Count
    columns: Annotated[list[ColumnResult], Meta(max_length=5000)]


class Result(Struct, frozen=True):
    """What one run of the job did. `pending`: rows that wait for a full window; `to_seq`: the last row
    that need not be looked at again."""

    run: Id
    collected: Count
    last_seq: Count
    to_seq: Count
    pending: Count
    baseline_rows: Count
    windows: Annotated[list[Window], Meta(max_length=1000)]
    error: str = ""


class Rows(Struct, frozen=True):
    """Rows of a window: input columns as they came, then `output`; `truth`: the label of each, null while unknown."""

    columns: list[str]
    rows: list[list[Any]]
    row_ids: list[str]
    truth: list[Any] = []


class CapturedRow(Struct, frozen=True):
    """One captured row. `truth`: its label, null while unknown; `shadow`: nobody was given this answer."""

    id: str
    at_ms: int
    variant: str
    version: int
    latency_ms: float
    status: int
    inputs: dict[str, Any]
    output: Any
    truth: Any = None
    shadow: bool = False


class Tail(Struct, frozen=True):
    """The newest rows, oldest first."""

    columns: list[str]
    rows: list[CapturedRow]


class Cell(Struct, frozen=True):
    """Rows of one stretch of time (from `at_ms`) with this label and prediction, by their texts; the newest ids."""

    at_ms: Count
    label: str
    prediction: str
    n: Count
    row_ids: list[str]


class Deviation(Struct, frozen=True):
    """Rows of one stretch of time: sums of prediction - label as it is, without its sign, and squared."""

    at_ms: Count
    n: Count
    signed: float
    absolute: float
    squared: float


class Labelled(Struct, frozen=True):
    """Rows of one variant whose label is known. `kind`: classification (`cells`) or regression (`deviations`);
    `incomparable`: rows whose prediction or label is no single value of the kind."""

    variant: str
    version: Count
    kind: str
    incomparable: Count
    cells: list[Cell] = []
    deviations: list[Deviation] = []


class Quality(Struct, frozen=True):
    """What labels say about predictions, in stretches of `width_ms`; `waiting`: labels of rows that are not here."""

    width_ms: Count
    waiting: Count
    variants: list[Labelled]


Label = bool | Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)] | float | Annotated[str, Meta(max_length=500)] | None


class TruthRow(Struct, frozen=True, forbid_unknown_fields=True):
    """What a row turned out to be. `row`: the line of the request; null takes a label back."""

    inference_id: Annotated[str, Meta(min_length=1, max_length=64)]
    label: Label
    row: Annotated[int, Meta(ge=0, lt=100_000)] = 0
    at_ms: Count | None = None


class Truth(Struct, frozen=True, forbid_unknown_fields=True):
    """Labels of one call."""

    rows: Annotated[list[TruthRow], Meta(min_length=1, max_length=TRUTH_ROWS)]
