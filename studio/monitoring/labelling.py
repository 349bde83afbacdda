"""Joins labels with captured rows, when either brought something new: figures, labelled rows, and windows' labels."""

from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
import polars as pl

from studio.monitoring import labels, lake, windows
from studio.monitoring.quality import quality
from studio.monitoring.results import LABELLED_ROWS, Rows


class Seen(msgspec.Struct, frozen=True):
    """What the figures were made of: the last label, the captured rows that were there, the columns hidden."""

    label: int = 0
    first: int = 0
    last: int = 0
    redact: list[str] = []


class _Ids(msgspec.Struct):
    """Of a window's file, what joins it."""

    row_ids: list[str]
    truth: list[Any] = []


def update(root: Path, parts: list[lake.Part], truth: list[lake.Part], redact: Iterable[str]) -> pl.DataFrame:
    """Makes `quality.json`, `labelled.json` and the labels in `windows/` anew if they are not what they would be.
    Returns the known labels."""
    known = labels.known(truth)
    before, path = _seen(root), root / "truth" / "seen.json"
    now = Seen(
        label=truth[-1].last if truth else 0,
        first=parts[0].first if parts else 0,
        last=parts[-1].last if parts else 0,
        redact=sorted(redact),
    )
    if not truth and before == Seen():
        return known
    if (now.label, now.first, now.redact) != (before.label, before.first, before.redact) or _matches(
        [part for part in parts if part.last > before.last], known
    ):
        _make(root, parts, known, now.redact)
    if now != before:
        windows.write(path, now)
    return known


def _seen(root: Path) -> Seen:
    try:
        return msgspec.json.decode((root / "truth" / "seen.json").read_bytes(), type=Seen)
    except (OSError, msgspec.DecodeError):
        return Seen()


def _matches(parts: list[lake.Part], known: pl.DataFrame) -> bool:
    return any(
        not pl.read_parquet(part.path, columns=["id"]).join(known, on="id", how="semi").is_empty() for part in parts
    )


def _make(root: Path, parts: list[lake.Part], known: pl.DataFrame, redact: list[str]) -> None:
    found = labels.joined(parts, known)
    waiting = len(known) - found["id"].n_unique()
    windows.write(root / "quality.json", quality(found, waiting))
    newest = found.tail(LABELLED_ROWS)
    rows = lake.numbered(parts, newest["seq"])
    windows.write_tail(root / "labelled.json", windows.tail(rows, redact, labels.of(known, newest["id"])))
    _label_windows(root / "windows", known)


def _label_windows(folder: Path, known: pl.DataFrame) -> None:
    """Labels beside the rows of windows that were made before anybody knew."""
    found: dict[Path, _Ids] = {}
    for path in folder.glob("*.json"):
        with suppress(msgspec.DecodeError):
            found[path] = msgspec.json.decode(path.read_bytes(), type=_Ids)
    mine = labels.of(known, (id for ids in found.values() for id in ids.row_ids))
    for path, ids in found.items():
        truth = [mine.get(id) for id in ids.row_ids]
        if truth != (ids.truth or [None] * len(truth)):
            rows = msgspec.json.decode(path.read_bytes(), type=Rows)
            windows.write(path, msgspec.structs.replace(rows, truth=truth), int(path.stat().st_mtime * 1000))
