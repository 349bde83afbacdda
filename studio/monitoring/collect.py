"""Studio's own job in the service sandbox: spool → Parquet, full windows → checks, labels → figures; what the server
needs of it as files.

    python -m studio.monitoring.collect --root /capture/ENDPOINT --baseline /models/DIGEST --run ID --after SEQ
        --version N --threshold 0.2 --days 30 --redact '["ssn"]' --models '{"3": "/models/DIGEST"}' --shadows '["v4"]'

It takes a second or less (some when many labels came), and may be killed at any moment and started again: rows are
neither lost nor doubled.
"""

import argparse
import sys
import time
import traceback
from pathlib import Path

import msgspec
import polars as pl

from studio.monitoring import intake, labelling, labels, lake, model_columns, reference, windows
from studio.monitoring.intake import Reading
from studio.monitoring.results import TAIL_ROWS, Result, Window


class Task(msgspec.Struct, frozen=True):
    """What one run is asked to do. `after`: the last captured row that a window took; `version`: whose windows are
    made; `days`: how long rows are kept; `redact`: columns whose values are not kept; `models`: folders of the versions
    that may have answered; `shadows`: variants that answer nobody."""

    root: Path
    run: str
    after: int = 0
    version: int = 1
    threshold: float = 0.2
    baseline: Path | None = None
    days: int = 30
    redact: frozenset[str] = frozenset()
    models: dict[int, Path] = {}
    shadows: frozenset[str] = frozenset()


def run(task: Task) -> Result:
    """Everything; writes what readers see, returns what the server needs to know."""
    root, now = task.root, time.time_ns() // 1_000_000
    sample = reference.read_baseline(task.baseline) if task.baseline is not None else None
    reading = Reading(
        columns={version: model_columns.read(folder) for version, folder in task.models.items()},
        baseline=sample.columns if sample is not None else [],
        redact=task.redact,
        shadows=task.shadows,
    )
    found, fresh = intake.collect(root, reading, task.after)
    found = lake.prune(root / "parquet", found, task.days, now)
    truth = lake.prune(root / "truth" / "parquet", labels.take_in(root / "truth"), task.days, now)
    known = labelling.update(root, found, truth, task.redact)
    newest = lake.newest(found, TAIL_ROWS)
    said = labels.of(known, newest["id"])
    windows.write_tail(root / "tail.json", windows.tail(newest, task.redact, said))
    last = found[-1].last if found else task.after
    # Without a baseline no window is made, and nothing must be read again and again.
    rows = lake.after(found, task.after if sample is not None else last)
    rows = rows.filter(
        (pl.col("version") == task.version) & (pl.col("status") < 400) & ~pl.col("shadow").fill_null(False)
    )
    made = _windows(task, rows, sample, known) if sample is not None else []
    lake.merge(root / "parquet", found, now)
    lake.merge(root / "truth" / "parquet", truth, now)
    windows.forget(root / "windows", task.days)
    return Result(
        run=task.run,
        collected=fresh,
        last_seq=last,
        # What waits for a full window is looked at again; what no window will take is not.
        to_seq=int(rows["seq"][0]) - 1 if len(rows) and not made else last,
        pending=0 if made else len(rows),
        baseline_rows=len(sample) if sample is not None else 0,
        windows=made,
    )


def _windows(task: Task, rows: pl.DataFrame, sample: pl.DataFrame, known: pl.DataFrame) -> list[Window]:
    """Checks of all pending rows; a column that is not kept cannot drift."""
    references = [reference.learn(column) for column in sample if column.name not in task.redact]
    made: list[Window] = []
    start = 0
    for number, size in enumerate(windows.sizes(len(rows))):
        mine = rows.slice(start, size)
        window = windows.check(mine, references, task.threshold, f"{task.run}-{number}", task.version)
        table = windows.table(mine, task.redact, labels.of(known, mine["id"]))
        # Its age counts from its oldest row.
        windows.write(task.root / "windows" / f"{window.id}.json", table, window.from_ms)
        made.append(window)
        start += size
    return made


def parse(argv: list[str]) -> Task:
    """The task in the command's words."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--root", type=Path, required=True)
    parser.add_argument("--baseline", type=Path)
    parser.add_argument("--run", required=True)
    parser.add_argument("--after", type=int, required=True)
    parser.add_argument("--version", type=int, required=True)
    parser.add_argument("--threshold", type=float, required=True)
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--redact", type=_json, default=[])
    parser.add_argument("--models", type=_json, default={})
    parser.add_argument("--shadows", type=_json, default=[])
    return msgspec.convert(vars(parser.parse_args(argv)), Task, strict=False, dec_hook=lambda kind, value: kind(value))


def _json(text: str) -> object:
    return msgspec.json.decode(text)


def main() -> int:
    """0, with `results/<run>.json` written; also when something went wrong, which is then said in it."""
    task = parse(sys.argv[1:])
    try:
        result = run(task)
    except Exception as error:
        said = f"{type(error).__name__}: {error}"[:2000]
        if task.redact:
            # An error's words may quote a value that is not kept.
            said = f"{type(error).__name__}, whose words are not kept since columns are redacted."
            traceback.print_tb(error.__traceback__)
        else:
            traceback.print_exc()
        result = Result(task.run, 0, 0, task.after, 0, 0, [], said)
    windows.write(task.root / "results" / f"{task.run}.json", result)
    return 0


if __name__ == "__main__":
    sys.exit(main())
