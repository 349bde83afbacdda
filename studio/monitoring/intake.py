"""Spool → Parquet: requests become rows, numbered without gaps, without what shall not be kept."""

import itertools
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from studio.monitoring import lake, spool
from studio.monitoring.inputs import is_csv, outputs_of, rows_of
from studio.monitoring.redaction import kept

BATCH = 64  # segments (of at most about 1 MiB) in one part
FOREIGN = 20  # columns of a row that the model does not know
NAMED = 1000  # columns of a row where nobody knows which the model has
NAME = 500  # characters of a column's name


class Reading(msgspec.Struct, frozen=True):
    """How requests are read. `columns`: input columns by version, as its signature has them; `baseline`: those of the
    training data, for versions without; `redact`: columns whose values are not kept; `shadows`: variants that get
    copies and answer nobody."""

    columns: Mapping[int, Sequence[str]] = {}
    baseline: Sequence[str] = ()
    redact: frozenset[str] = frozenset()
    shadows: frozenset[str] = frozenset()


def collect(root: Path, reading: Reading, after: int = 0) -> tuple[list[lake.Part], int]:
    """Moves all closed segments into Parquet. Returns all parts and how many rows were new; numbers go on above
    `after` also when nothing older is kept any more."""
    store = root / "parquet"
    found = lake.parts(store)
    done = lake.segments_in(found[-1]) if found else set()
    fresh = 0
    for batch in _batches(spool.segments(root / "spool"), done):
        first = max(found[-1].last if found else 0, after) + 1
        rows = [row for segment in batch for captured in spool.read(segment) for row in rows_in(captured, reading)]
        for at, row in enumerate(rows):
            row["seq"] = first + at
        if rows:
            names = [segment.name for segment in batch]
            found.append(lake.append(store, lake.frame(rows), rows[0]["at_ms"], names))
            fresh += len(rows)
        for segment in batch:
            segment.unlink(missing_ok=True)
    return found, fresh


def _batches(segments: list[Path], done: set[str]) -> Iterator[list[Path]]:
    """At most `BATCH` of one hour at a time; those that the last job took in and could not delete are deleted."""
    batch: list[Path] = []
    for segment in segments:
        if segment.name in done:
            segment.unlink(missing_ok=True)
            continue
        if batch and (len(batch) == BATCH or _hour(batch[0]) != _hour(segment)):
            yield batch
            batch = []
        batch.append(segment)
    if batch:
        yield batch


def _hour(segment: Path) -> str:
    ms = segment.name.partition("-")[0]
    return lake.hour(min(int(ms), _now_ms())) if ms.isdecimal() else ""


def rows_in(captured: spool.Captured, reading: Reading) -> Iterator[dict[str, Any]]:
    """One per input row, numbered within the request; a request without readable rows is one row without inputs."""
    head = captured.head
    version = int(head.version) if head.version.isdecimal() and len(head.version) < 10 else 0
    signed = reading.columns.get(version, ())
    # Values without names get those of the training data only where a wrong name does no harm.
    named = signed or (() if reading.redact else reading.baseline)
    inputs = rows_of(captured.request, head.content_type, named) or [{}]
    outputs = outputs_of(captured.answer, len(inputs), head.content_type, head.answer_type)
    known = frozenset(signed or reading.baseline)
    is_named = not is_csv(head.answer_type)
    for at, (row, output) in enumerate(zip(inputs, outputs, strict=True)):
        left = kept(_bounded(row, known), output, head.status, reading.redact, known, is_named=is_named)
        yield {
            "id": f"{head.id}.{at}",
            "at_ms": min(head.at_ms, _now_ms()),  # a time to come would be kept for ever
            "variant": head.variant,
            "version": version,
            "status": head.status,
            "latency_ms": head.latency_us / 1000,
            "output": _text(left.output),
            "shadow": head.variant in reading.shadows,
            "redacted": msgspec.json.encode(left.hidden).decode() if left.hidden else "",
            "inputs": left.inputs,
        }


def _bounded(row: dict[str, Any], known: frozenset[str]) -> dict[str, Any]:
    """The row with few columns that the model does not have: callers make up as many as they like."""
    spare = FOREIGN if known else NAMED
    own = {name: value for name, value in row.items() if name in known}
    others = (name for name in row if name not in known and len(name) <= NAME)
    return own | {name: row[name] for name in itertools.islice(others, spare)}


def _text(output: Any) -> str:
    try:
        return msgspec.json.encode(output).decode()
    except (OverflowError, RecursionError, UnicodeError):
        return "null"  # whole numbers of more than 64 bits


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
