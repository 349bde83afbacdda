"""Captured rows for readers: the files that the job wrote, read as untrusted input."""

from pathlib import Path

import msgspec

from studio.errors import NotFound, StudioError, Unavailable
from studio.monitoring.results import RESULT_BYTES, ROWS_BYTES, CapturedRow, Result, Rows, Tail
from studio.runtime import beneath


def root(capture: Path, domain: str, endpoint: str) -> Path:
    """Where everything captured of an endpoint lies."""
    return capture / domain / endpoint


def tail(folder: Path) -> Tail:
    """The newest captured rows; none if the job has not run yet."""
    try:
        return msgspec.json.decode(beneath.read(folder, ["tail.json"], ROWS_BYTES), type=Tail)
    except (NotFound, FileNotFoundError):
        return Tail([], [])
    except msgspec.DecodeError as error:
        raise Unavailable("The captured rows cannot be read.", "They are written again at the next check.") from error


def chosen(found: Tail, *, limit: int, from_ms: int = 0, ids: frozenset[str] = frozenset()) -> list[CapturedRow]:
    """The newest `limit` rows, newest first, since `from_ms`, and only those of `ids` if any are given. An id may be a
    row's or a whole request's."""
    rows = [row for row in reversed(found.rows) if row.at_ms >= from_ms]
    if ids:
        rows = [row for row in rows if row.id in ids or row.id.rpartition(".")[0] in ids]
    return rows[:limit]


def window(folder: Path, check: str) -> Rows:
    """The rows of one check, exactly; `NotFound` if they are no longer kept."""
    try:
        return msgspec.json.decode(beneath.read(folder, ["windows", f"{check}.json"], ROWS_BYTES), type=Rows)
    except (NotFound, FileNotFoundError):
        raise NotFound("The rows of this check are no longer kept.", "The newest 200 windows are.") from None
    except msgspec.DecodeError as error:
        raise Unavailable("The rows of this check cannot be read.", "Look at a later check.") from error


def result(folder: Path, run: str) -> Result | None:
    """What the job `run` reported; None if it has not ended, or wrote nonsense."""
    try:
        return msgspec.json.decode(beneath.read(folder, ["results", f"{run}.json"], RESULT_BYTES), type=Result)
    except (StudioError, OSError, msgspec.DecodeError):
        return None
