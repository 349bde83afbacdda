"""Studio's own job in the service sandbox: spool → Parquet, full windows → checks, results as files for the server.

    python -m studio.monitoring.collect --root /capture/ENDPOINT --baseline /models/DIGEST --run ID --after SEQ
        --version N --threshold 0.2

It takes a second or less, and may be killed at any moment and started again: rows are neither lost nor doubled.
"""

import argparse
import os
import sys
import time
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import polars as pl

from studio.monitoring import lake, reference, spool
from studio.monitoring.inputs import outputs_of, rows_of
from studio.monitoring.results import TAIL_ROWS, WINDOW_LEAST, WINDOW_MOST, CapturedRow, Result, Rows, Tail, Window

BATCH = 64  # segments (of at most about 1 MiB) in one part
KEPT_WINDOWS = 200


def collect(root: Path, names: list[str]) -> tuple[list[lake.Part], int]:
    """Moves all closed segments into Parquet. Returns all parts and how many rows were new."""
    store = root / "parquet"
    found = lake.parts(store)
    done = lake.segments_in(found[-1]) if found else set()
    fresh = 0
    for batch in _batches(spool.segments(root / "spool"), done):
        first = found[-1].last + 1 if found else 1
        rows = [row for segment in batch for captured in spool.read(segment) for row in _rows(captured, names)]
        for at, row in enumerate(rows):
            row["seq"] = first + at
        if rows:
            found.append(lake.append(store, rows, first, [segment.name for segment in batch]))
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
    return lake.hour(int(ms)) if ms.isdigit() else ""


def _rows(captured: spool.Captured, names: list[str]) -> Iterator[dict[str, Any]]:
    """One per input row, numbered within the request; a request without readable rows is one row without inputs."""
    head = captured.head
    inputs = rows_of(captured.request, head.content_type, names) or [{}]
    outputs = outputs_of(captured.answer, len(inputs), head.content_type)
    for at, (row, output) in enumerate(zip(inputs, outputs, strict=True)):
        yield {
            "id": f"{head.id}.{at}",
            "at_ms": head.at_ms,
            "variant": head.variant,
            "version": int(head.version) if head.version.isdigit() else 0,
            "status": head.status,
            "latency_ms": head.latency_us / 1000,
            "output": msgspec.json.encode(output).decode(),
            "inputs": row,
        }


def windows(pending: int) -> list[int]:
    """Sizes of the windows that `pending` rows make: all of them, none below 200 or above 2,000 rows."""
    if pending < WINDOW_LEAST:
        return []
    count = -(-pending // WINDOW_MOST)
    return [len(part) for part in np.array_split(np.arange(pending), count)]


def check(
    rows: pl.DataFrame, references: list[reference.Reference], threshold: float, id: str, version: int
) -> tuple[Window, Rows]:
    """One window and its rows."""
    columns = []
    for known in references:
        name = lake.INPUT + known.name
        column = rows[name] if name in rows.columns else pl.Series(name, [None] * len(rows), dtype=pl.String)
        columns.append(reference.compare(known, column, threshold))
    columns.sort(key=lambda column: (not column.drifted, -column.psi))
    window = Window(
        id=id,
        version=version,
        from_seq=int(rows["seq"][0]),
        to_seq=int(rows["seq"][-1]),
        from_ms=int(rows["at_ms"].min()),  # type: ignore[arg-type]  # polars: any value
        to_ms=int(rows["at_ms"].max()),  # type: ignore[arg-type]  # polars: any value
        rows=len(rows),
        columns=columns,
    )
    return window, _table(rows)


def _inputs(rows: pl.DataFrame) -> list[str]:
    return [name for name in rows.columns if name.startswith(lake.INPUT) and rows[name].null_count() < len(rows)]


def _table(rows: pl.DataFrame) -> Rows:
    names = _inputs(rows)
    outputs = [msgspec.json.decode(text) for text in rows["output"]]
    table = [[*values, output] for values, output in zip(rows.select(names).iter_rows(), outputs, strict=True)]
    return Rows([*(name.removeprefix(lake.INPUT) for name in names), "output"], table, rows["id"].to_list())


def tail(rows: pl.DataFrame) -> Tail:
    """The newest rows for the panel."""
    names = _inputs(rows)
    bare = [name.removeprefix(lake.INPUT) for name in names]
    captured = [
        CapturedRow(
            id=row["id"],
            at_ms=row["at_ms"],
            variant=row["variant"],
            version=row["version"],
            latency_ms=row["latency_ms"],
            status=row["status"],
            inputs={short: row[name] for short, name in zip(bare, names, strict=True)},
            output=msgspec.json.decode(row["output"]),
        )
        for row in rows.iter_rows(named=True)
    ]
    return Tail(bare, captured)


def run(root: Path, baseline: Path | None, id: str, after: int, version: int, threshold: float) -> Result:
    """Everything; writes the tail and the windows' rows, returns what the server needs to know."""
    sample = reference.read_baseline(baseline) if baseline is not None else None
    found, fresh = collect(root, sample.columns if sample is not None else [])
    if fresh or not (root / "tail.json").exists():
        _write(root / "tail.json", tail(lake.newest(found, TAIL_ROWS)))
    last = found[-1].last if found else 0
    # Without a baseline no window is made, and nothing must be read again and again.
    rows = lake.after(found, after if sample is not None else last)
    rows = rows.filter((pl.col("version") == version) & (pl.col("status") < 400))
    made: list[Window] = []
    if sample is not None:
        references = [reference.learn(column) for column in sample]
        start = 0
        for number, size in enumerate(windows(len(rows))):
            window, table = check(rows.slice(start, size), references, threshold, f"{id}-{number}", version)
            _write(root / "windows" / f"{window.id}.json", table)
            made.append(window)
            start += size
    lake.tidy(root / "parquet", found, time.time_ns() // 1_000_000)
    _forget_windows(root / "windows")
    return Result(
        run=id,
        collected=fresh,
        last_seq=last,
        # What waits for a full window is looked at again; what no window will take is not.
        to_seq=int(rows["seq"][0]) - 1 if len(rows) and not made else last,
        pending=0 if made else len(rows),
        baseline_rows=len(sample) if sample is not None else 0,
        windows=made,
    )


def _forget_windows(folder: Path) -> None:
    for path in sorted(folder.glob("*.json"), key=lambda path: path.stat().st_mtime)[:-KEPT_WINDOWS]:
        path.unlink(missing_ok=True)


def _write(path: Path, value: msgspec.Struct) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    with temporary.open("wb") as file:
        file.write(msgspec.json.encode(value))
        file.flush()
        os.fsync(file.fileno())
    temporary.rename(path)


def main() -> int:
    """0, with `results/<run>.json` written; also when something went wrong, which is then said in it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--root", type=Path, required=True)
    parser.add_argument("--baseline", type=Path)
    parser.add_argument("--run", required=True)
    parser.add_argument("--after", type=int, required=True)
    parser.add_argument("--version", type=int, required=True)
    parser.add_argument("--threshold", type=float, required=True)
    given = parser.parse_args()
    try:
        result = run(given.root, given.baseline, given.run, given.after, given.version, given.threshold)
    except Exception as error:
        traceback.print_exc()
        said = f"{type(error).__name__}: {error}"[:2000]
        result = Result(given.run, 0, 0, given.after, 0, 0, [], said)
    _write(given.root / "results" / f"{given.run}.json", result)
    return 0


if __name__ == "__main__":
    sys.exit(main())
