"""Captured rows for readers: the files that the job wrote, read as untrusted input."""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from studio.errors import NotFound, StudioError, Unavailable
from studio.monitoring.redaction import SHOWN, shown, without
from studio.monitoring.results import RESULT_BYTES, ROWS_BYTES, CapturedRow, Quality, Result, Rows, Tail
from studio.runtime import beneath


def root(capture: Path, domain: str, endpoint: str) -> Path:
    """Where everything captured of an endpoint lies."""
    return capture / domain / endpoint


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which captured rows: from `from_ms` up to before `to_ms` (0: now), of `ids` (of rows, or of whole requests), of a
    variant, version or status, `truth`: with a label only."""

    limit: int
    from_ms: int = 0
    to_ms: int = 0
    ids: frozenset[str] = frozenset()
    variant: str = ""
    version: int | None = None
    status: int | None = None
    truth: bool = False

    def has(self, row: CapturedRow) -> bool:
        """Whether `row` is one of them."""
        return (
            self.from_ms <= row.at_ms
            and (not self.to_ms or row.at_ms < self.to_ms)
            and (not self.ids or row.id in self.ids or row.id.rpartition(".")[0] in self.ids)
            and self.variant in ("", row.variant)
            and self.version in (None, row.version)
            and self.status in (None, row.status)
            and (not self.truth or row.truth is not None)
        )


def rows(folder: Path, wanted: Wanted, redact: Collection[str] = ()) -> Tail:
    """Those of the kept rows, newest first: the newest captured ones, and the newest ones with a label. Columns in
    `redact` are hidden also where the files still have them."""
    found = _rows(folder, "tail.json")
    if wanted.truth or wanted.ids:
        labelled = _rows(folder, "labelled.json")
        newer = {(row.id, row.variant) for row in found.rows}
        older = [row for row in labelled.rows if (row.id, row.variant) not in newer]
        columns = list(dict.fromkeys([*found.columns, *labelled.columns]))
        found = Tail(columns, sorted([*older, *found.rows], key=lambda row: row.at_ms))
    chosen = [row for row in reversed(found.rows) if wanted.has(row)][: wanted.limit]
    return Tail(found.columns, [_hidden(row, redact) for row in chosen])


def _rows(folder: Path, name: str) -> Tail:
    try:
        return msgspec.json.decode(beneath.read(folder, [name], ROWS_BYTES), type=Tail)
    except (NotFound, FileNotFoundError):
        return Tail([], [])
    except msgspec.DecodeError as error:
        raise Unavailable("The captured rows cannot be read.", "They are written again at the next check.") from error


def _hidden(row: CapturedRow, redact: Collection[str]) -> CapturedRow:
    inputs, output = shown(row.inputs, row.output, redact)
    return msgspec.structs.replace(row, inputs=inputs, output=output)


def window(folder: Path, check: str, redact: Collection[str] = ()) -> Rows:
    """The rows of one check, exactly, without the columns in `redact`; `NotFound` if they are no longer kept."""
    try:
        found = msgspec.json.decode(beneath.read(folder, ["windows", f"{check}.json"], ROWS_BYTES), type=Rows)
    except (NotFound, FileNotFoundError):
        hint = "The newest 200 windows are, as long as the endpoint keeps what it captures."
        raise NotFound("The rows of this check are no longer kept.", hint) from None
    except msgspec.DecodeError as error:
        raise Unavailable("The rows of this check cannot be read.", "Look at a later check.") from error
    return msgspec.structs.replace(found, rows=[_line(found.columns, row, redact) for row in found.rows])


def _line(columns: list[str], row: list[Any], redact: Collection[str]) -> list[Any]:
    if not redact:
        return row
    # The answer is the last, under the name that hides it too.
    return [SHOWN if name in redact else without(value, redact) for name, value in zip(columns, row, strict=False)]


def quality(folder: Path) -> Quality:
    """What labels say about predictions; nothing before there are any."""
    try:
        return msgspec.json.decode(beneath.read(folder, ["quality.json"], RESULT_BYTES), type=Quality)
    except (NotFound, FileNotFoundError):
        return Quality(0, 0, [])
    except msgspec.DecodeError as error:
        hint = "The figures are made again when the next label comes."
        raise Unavailable("The figures cannot be read.", hint) from error


def result(folder: Path, run: str) -> Result | None:
    """What the job `run` reported; None if it has not ended, or wrote nonsense."""
    try:
        return msgspec.json.decode(beneath.read(folder, ["results", f"{run}.json"], RESULT_BYTES), type=Result)
    except (StudioError, OSError, msgspec.DecodeError):
        return None
