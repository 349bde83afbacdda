"""Windows of captured rows: how many, each compared with the training data, and their rows as files for the server."""

import os
import time
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import polars as pl

from studio.monitoring import lake, reference
from studio.monitoring.redaction import OUTPUT, shown
from studio.monitoring.results import ROWS_BYTES, WINDOW_LEAST, WINDOW_MOST, CapturedRow, Rows, Tail, Window

KEPT_WINDOWS = 200


def sizes(pending: int) -> list[int]:
    """Sizes of the windows that `pending` rows make: all of them, none below 200 or above 2,000 rows."""
    if pending < WINDOW_LEAST:
        return []
    count = -(-pending // WINDOW_MOST)
    return [len(part) for part in np.array_split(np.arange(pending), count)]


def check(rows: pl.DataFrame, references: list[reference.Reference], threshold: float, id: str, version: int) -> Window:
    """One window against the training data, worst columns first."""
    columns = []
    for known in references:
        name = lake.INPUT + known.name
        column = rows[name] if name in rows.columns else pl.Series(name, [None] * len(rows), dtype=pl.String)
        columns.append(reference.compare(known, column, threshold))
    columns.sort(key=lambda column: (not column.drifted, -column.psi))
    return Window(
        id=id,
        version=version,
        from_seq=int(rows["seq"][0]),
        to_seq=int(rows["seq"][-1]),
        from_ms=int(rows["at_ms"].min()),  # type: ignore[arg-type]  # polars: any value
        to_ms=int(rows["at_ms"].max()),  # type: ignore[arg-type]  # polars: any value
        rows=len(rows),
        columns=columns,
    )


def table(rows: pl.DataFrame, redact: Collection[str], labels: Mapping[str, Any]) -> Rows:
    """The rows of a window, as its file has them; columns in `redact` also where they were kept once."""
    found = tail(rows, redact, labels)
    lines = [[*(row.inputs[name] for name in found.columns), row.output] for row in found.rows]
    return Rows(
        columns=[*found.columns, OUTPUT],
        rows=lines,
        row_ids=[row.id for row in found.rows],
        truth=[row.truth for row in found.rows],
    )


def tail(rows: pl.DataFrame, redact: Collection[str], labels: Mapping[str, Any]) -> Tail:
    """Rows for readers, with the columns that any of them has; `labels` by row id."""
    hidden = [_hidden(text) | set(redact) for text in rows["redacted"]]
    named = set().union(*hidden)
    bare = [name.removeprefix(lake.INPUT) for name in rows.columns if name.startswith(lake.INPUT)]
    # What no row has and none hides is a column of other rows.
    bare = [name for name in bare if name in named or rows[lake.INPUT + name].null_count() < len(rows)]
    captured = []
    for row, mine in zip(rows.iter_rows(named=True), hidden, strict=True):
        inputs, output = shown(
            {name: row[lake.INPUT + name] for name in bare}, msgspec.json.decode(row["output"]), mine
        )
        captured.append(
            CapturedRow(
                id=row["id"],
                at_ms=row["at_ms"],
                variant=row["variant"],
                version=row["version"],
                latency_ms=row["latency_ms"],
                status=row["status"],
                inputs=inputs,
                output=output,
                truth=labels.get(row["id"]),
                shadow=bool(row["shadow"]),
            )
        )
    return Tail(bare, captured)


def _hidden(text: str | None) -> set[str]:
    return set(msgspec.json.decode(text, type=list[str])) if text else set()


def write_tail(path: Path, found: Tail) -> None:
    """Writes the newest of the rows that a reader takes: half as many as long as they are too large."""
    while len(data := msgspec.json.encode(found)) > ROWS_BYTES:
        found = Tail(found.columns, found.rows[len(found.rows) // 2 + 1 :])
    write(path, data)


def write(path: Path, value: msgspec.Struct | bytes, at_ms: int = 0) -> None:
    """Writes the whole file or nothing. `at_ms`: the time that its age counts from; 0: now."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    with temporary.open("wb") as file:
        file.write(value if isinstance(value, bytes) else msgspec.json.encode(value))
        file.flush()
        os.fsync(file.fileno())
    if at_ms:
        os.utime(temporary, (at_ms / 1000, at_ms / 1000))
    temporary.rename(path)


def forget(folder: Path, days: int) -> None:
    """Keeps the newest 200 windows, of them those whose rows are all younger than `days` days."""
    oldest = time.time() - days * 86_400
    found = sorted(((path.stat().st_mtime, path) for path in folder.glob("*.json")), reverse=True)
    for at, (modified, path) in enumerate(found):
        if at >= KEPT_WINDOWS or modified < oldest:
            path.unlink(missing_ok=True)
