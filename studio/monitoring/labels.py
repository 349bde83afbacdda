"""Labels in the job: taken in from calls to Parquet beside the captures, the last word on each row counts."""

import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec
import polars as pl

from studio.monitoring import lake
from studio.monitoring.results import TRUTH_BYTES, Truth

BATCH = 64  # calls (of at most 10,000 labels) in one part
MOST = 1_000_000  # the newest labels; older ones are dropped
_COLUMNS = {"seq": pl.Int64, "id": pl.String, "label": pl.String, "at_ms": pl.Int64}
_decode = msgspec.json.Decoder(Truth).decode


def take_in(folder: Path) -> list[lake.Part]:
    """Moves what calls left into Parquet; all parts of it. `folder`: `truth` of the endpoint."""
    store = folder / "parquet"
    found = lake.parts(store)
    done = lake.segments_in(found[-1]) if found else set()
    calls = _calls(folder / "spool")
    for start in range(0, len(calls), BATCH):
        batch = calls[start : start + BATCH]
        if rows := [row for path in batch if path.name not in done for row in _rows(path)]:
            first = found[-1].last + 1 if found else 1
            table = pl.DataFrame(rows, schema=_COLUMNS, orient="row")
            table = table.with_columns(seq=pl.int_range(first, first + len(rows), dtype=pl.Int64))
            found.append(lake.append(store, table, _came_ms(batch[-1]), [path.name for path in batch]))
        for path in batch:
            path.unlink(missing_ok=True)
    while len(found) > 1 and found[-1].last - found[0].last >= MOST:
        found.pop(0).path.unlink(missing_ok=True)
    return found


def _calls(spool: Path) -> list[Path]:
    """Files in the order of the calls: their names begin with the time in ms and a count."""

    def order(path: Path) -> tuple[int, int]:
        ms, _, n = path.stem.partition("-")
        return (int(ms) if ms.isdecimal() else 0, int(n) if n.isdecimal() else 0)

    found = (path for path in spool.glob("*.json") if path.is_file() and not path.is_symlink())
    return sorted(found, key=order)


def _came_ms(path: Path) -> int:
    ms = path.stem.partition("-")[0]
    now = time.time_ns() // 1_000_000
    return min(int(ms), now) if ms.isdecimal() else now


def _rows(path: Path) -> list[tuple[int, str, str, int | None]]:
    """None of a file that is no call: code in the sandbox can write here too."""
    with path.open("rb") as file:
        data = file.read(2 * TRUTH_BYTES)
    try:
        given = _decode(data).rows
    except (msgspec.DecodeError, ValueError, RecursionError):
        return []
    return [(0, f"{one.inference_id}.{one.row}", msgspec.json.encode(one.label).decode(), one.at_ms) for one in given]


def known(found: list[lake.Part]) -> pl.DataFrame:
    """`id` and `label` (JSON) of every row with a label: the last one that was said, unless it was taken back."""
    tables = [pl.read_parquet(part.path, columns=["seq", "id", "label"]) for part in found]
    if not tables:
        return pl.DataFrame(schema={"id": pl.String, "label": pl.String})
    last = pl.concat(tables).sort("seq").unique("id", keep="last", maintain_order=True)
    return last.filter(pl.col("label") != "null").select("id", "label")


def of(labels: pl.DataFrame, ids: Iterable[str]) -> dict[str, Any]:
    """Those of the labels, by row id."""
    mine = pl.DataFrame({"id": list(ids)}, schema={"id": pl.String}).unique().join(labels, on="id", how="inner")
    return {id: msgspec.json.decode(label) for id, label in mine.iter_rows()}


def joined(parts: list[lake.Part], labels: pl.DataFrame) -> pl.DataFrame:
    """Captured rows that were answered and have a label, in their order: `seq`, `id`, `at_ms`, `variant`, `version`,
    `output`, `label`."""
    columns = ["seq", "id", "at_ms", "variant", "version", "output"]
    found = [
        pl.scan_parquet(part.path)
        .filter(pl.col("status") < 400)
        .select(columns)
        .join(labels.lazy(), on="id", how="inner")
        .collect()
        for part in (parts if len(labels) else [])
    ]
    empty = lake.after([], 0).select(columns).with_columns(label=pl.lit("", pl.String))
    return pl.concat([empty, *found]).sort("seq")
