"""Captured rows as Parquet, by hour: `parquet/<YYYY-MM-DDTHH>/<from>-<to>.parquet`, rows numbered without gaps.

A part is written under another name, synced and renamed; the segments it came from are named in it, so that a job that
was killed before it could delete them does not take them in twice.
"""

import json
import os
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl

INPUT = "input."
KEPT_DAYS = 30
MANY = 16  # parts of a finished hour, above which they are made one
_META = ("seq", "id", "at_ms", "variant", "version", "status", "latency_ms", "output")


@dataclass(frozen=True, slots=True)
class Part:
    """Rows `first` to `last` of the endpoint."""

    path: Path
    first: int
    last: int


def parts(root: Path) -> list[Part]:
    """All parts below `root`, by number; one that a larger one contains is a left-over and is removed."""
    found: list[Part] = []
    for path in root.glob("*/*.parquet"):
        first, _, last = path.stem.partition("-")
        if first.isdigit() and last.isdigit():
            found.append(Part(path, int(first), int(last)))
    found.sort(key=lambda part: (part.first, -part.last))
    kept: list[Part] = []
    for part in found:
        if kept and part.last <= kept[-1].last:
            part.path.unlink(missing_ok=True)
        else:
            kept.append(part)
    return kept


def segments_in(part: Part) -> set[str]:
    """The spool segments that the rows of `part` came from."""
    named = pl.read_parquet_metadata(part.path).get("segments", "[]")
    return set(json.loads(named))


def hour(at_ms: int) -> str:
    """The folder of a time, in UTC."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%dT%H")


def frame(rows: list[dict[str, Any]]) -> pl.DataFrame:
    """Rows with keys of `_META` and `inputs`; a column with values of several types becomes text."""
    names = dict.fromkeys(name for row in rows for name in row["inputs"])
    columns = [pl.Series(name, [row[name] for row in rows], strict=False) for name in _META]
    columns += [pl.Series(INPUT + name, [row["inputs"].get(name) for row in rows], strict=False) for name in names]
    return pl.DataFrame(columns)


def append(root: Path, rows: list[dict[str, Any]], first: int, segments: Iterable[str]) -> Part:
    """Writes `rows` (already numbered from `first`) as one part in the hour of the first of them."""
    part = Part(root / hour(rows[0]["at_ms"]) / f"{first:012d}-{first + len(rows) - 1:012d}.parquet", first, 0)
    _write(frame(rows), part.path, list(segments))
    return Part(part.path, first, first + len(rows) - 1)


def _write(table: pl.DataFrame, path: Path, segments: list[str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".making")
    table.write_parquet(temporary, metadata={"segments": json.dumps(segments)})
    with temporary.open("rb") as file:
        os.fsync(file.fileno())
    temporary.rename(path)


def after(found: list[Part], seq: int) -> pl.DataFrame:
    """Rows numbered above `seq`; columns that a part lacks are null there."""
    tables = [pl.read_parquet(part.path) for part in found if part.last > seq]
    if not tables:
        return pl.DataFrame(schema={"seq": pl.Int64, "version": pl.Int64, "status": pl.Int64})
    return pl.concat(tables, how="diagonal_relaxed").filter(pl.col("seq") > seq).sort("seq")


def newest(found: list[Part], count: int) -> pl.DataFrame:
    """The last `count` rows."""
    return after(found, found[-1].last - count) if found else after([], 0)


def tidy(root: Path, found: list[Part], now_ms: int) -> None:
    """Drops hours older than 30 days; makes the many parts of a finished hour one."""
    oldest, current = hour(now_ms - KEPT_DAYS * 86_400_000), hour(now_ms)
    by_hour: dict[str, list[Part]] = {}
    for part in found:
        by_hour.setdefault(part.path.parent.name, []).append(part)
    for name, mine in by_hour.items():
        if name < oldest:
            shutil.rmtree(root / name, ignore_errors=True)
        elif (
            name < current
            and len(mine) > MANY
            and mine[-1].last - mine[0].first + 1 == sum(part.last - part.first + 1 for part in mine)
        ):
            merged = root / name / f"{mine[0].first:012d}-{mine[-1].last:012d}.parquet"
            table = pl.concat([pl.read_parquet(part.path) for part in mine], how="diagonal_relaxed")
            _write(table, merged, sorted(segments_in(mine[-1])))
            for part in mine:
                part.path.unlink()
