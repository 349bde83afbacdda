"""What the job inside the sandbox writes for the server, as files: the server reads them as untrusted input."""

from typing import Annotated, Any

from msgspec import Meta, Struct

Count = Annotated[int, Meta(ge=0, le=1 << 53)]
Id = Annotated[str, Meta(max_length=80, pattern="^[a-z0-9-]+$")]
Name = Annotated[str, Meta(max_length=500)]

# A row is one line of a request: its id is "<inference id>.<line>".
TAIL_ROWS = 500
WINDOW_LEAST = 200  # PSI with ten bins reaches 0.2 by chance in 7 % of windows of 100 rows, in 0.3 % of 200
WINDOW_MOST = 2000
RESULT_BYTES = 4 << 20
ROWS_BYTES = 16 << 20


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
    """Rows of a window: input columns as they came, then `output`."""

    columns: list[str]
    rows: list[list[Any]]
    row_ids: list[str]


class CapturedRow(Struct, frozen=True):
    """One captured row."""

    id: str
    at_ms: int
    variant: str
    version: int
    latency_ms: float
    status: int
    inputs: dict[str, Any]
    output: Any


class Tail(Struct, frozen=True):
    """The newest rows, oldest first."""

    columns: list[str]
    rows: list[CapturedRow]
