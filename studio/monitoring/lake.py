"""Captured rows as Parquet, by hour: `parquet/<YYYY-MM-DDTHH>/<from>-<to>.parquet`, rows numbered without gaps.

A part is written under another name, synced and renamed; the segments it came from are named in it, so that a job that
was killed before it could delete them does not take them in twice.
"""

import itertools
import json
import os
import shutil
from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl

INPUT = "input."
MOST_COLUMNS = 5000  # of inputs, in one part
MANY = 16  # parts of a finished hour, above which they are made one
_META = {
    "seq": pl.Int64,
    "id": pl.String,
    "at_ms": pl.Int64,
    "variant": pl.String,
    "version": pl.Int64,
    "status": pl.Int64,
    "latency_ms": pl.Float64,
    "output": pl.String,
    "shadow": pl.Boolean,
    "redacted": pl.String,  # JSON: columns whose values were not kept; empty for none
}


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
    names = itertools.islice(dict.fromkeys(name for row in rows for name in row["inputs"]), MOST_COLUMNS)
    columns = [pl.Series(name, [row[name] for row in rows], kind) for name, kind in _META.items()]
    columns += [pl.Series(INPUT + name, [row["inputs"].get(name) for row in rows], strict=False) for name in names]
    return pl.DataFrame(columns)


def append(root: Path, table: pl.DataFrame, at_ms: int, segments: Iterable[str]) -> Part:
    """Writes `table`, whose `seq` goes on where the last part ended, as one part in the hour of `at_ms`."""
    first, last = int(table["seq"][0]), int(table["seq"][-1])
    path = root / hour(at_ms) / f"{first:012d}-{last:012d}.parquet"
    _write(table, path, list(segments))
    return Part(path, first, last)


def _write(table: pl.DataFrame, path: Path, segments: list[str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".making")
    table.write_parquet(temporary, metadata={"segments": json.dumps(segments)})
    with temporary.open("rb") as file:
        os.fsync(file.fileno())
    temporary.rename(path)


def after(found: list[Part], seq: int) -> pl.DataFrame:
    """Rows numbered above `seq`; columns that a part lacks are null there."""
    return _whole(pl.read_parquet(part.path) for part in found if part.last > seq).filter(pl.col("seq") > seq)


def newest(found: list[Part], count: int) -> pl.DataFrame:
    """The last `count` rows."""
    return after(found, found[-1].last - count) if found else after([], 0)


def numbered(found: list[Part], seqs: Iterable[int]) -> pl.DataFrame:
    """The rows with these numbers, whole."""
    wanted = sorted(seqs)
    tables = []
    for part in found:
        mine = wanted[bisect_left(wanted, part.first) : bisect_right(wanted, part.last)]
        if mine:
            tables.append(pl.read_parquet(part.path).filter(pl.col("seq").is_in(mine)))
    return _whole(tables)


def _whole(tables: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """Rows of several parts in order, with all columns of `_META` also where parts were written before there were."""
    return pl.concat([pl.DataFrame(schema=_META), *tables], how="diagonal_relaxed").sort("seq")


def prune(root: Path, found: list[Part], days: int, now_ms: int) -> list[Part]:
    """Drops the hours that ended more than `days` days ago; the parts that are left."""
    oldest = hour(now_ms - days * 86_400_000)
    for name in {part.path.parent.name for part in found if part.path.parent.name < oldest}:
        shutil.rmtree(root / name, ignore_errors=True)
    return [part for part in found if part.path.parent.name >= oldest]


def merge(root: Path, found: list[Part], now_ms: int) -> None:
    """Makes the many parts of a finished hour one."""
    by_hour: dict[str, list[Part]] = {}
    for part in found:
        by_hour.setdefault(part.path.parent.name, []).append(part)
    for name, mine in by_hour.items():
        if (
            name < hour(now_ms)
            and len(mine) > MANY
            and mine[-1].last - mine[0].first + 1 == sum(part.last - part.first + 1 for part in mine)
        ):
            merged = root / name / f"{mine[0].first:012d}-{mine[-1].last:012d}.parquet"
            table = pl.concat([pl.read_parquet(part.path) for part in mine], how="diagonal_relaxed")
            _write(table, merged, sorted(segments_in(mine[-1])))
            for part in mine:
                part.path.unlink()
