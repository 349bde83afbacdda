"""Hashes and profiles one file, inside its owner's sandbox: `python -m studio.data.profile --root R --path P --out O`.

The server never parses a file of a domain; it reads what this program leaves in `--out`, as untrusted input.
"""

import argparse
import hashlib
import os
from pathlib import Path

import polars as pl
from polars.exceptions import PolarsError

from studio.data import columns
from studio.data.reports import Profile, Report, encode
from studio.errors import Invalid, StudioError
from studio.runtime import beneath

FORMATS = {
    ".csv": "csv",
    ".tsv": "csv",
    ".txt": "csv",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
}
LARGE_BYTES = 256 * 1024 * 1024
SAMPLE_ROWS = 1_000_000
MISSING = ["", "NA", "N/A", "NaN", "nan", "null", "NULL", "None"]
_READABLE = "Studio reads CSV, Parquet and JSON lines; save it as one of these."


def look(root: Path, path: str) -> Report:
    """Hash, size and profile of the file; an error for people as `StudioError`."""
    descriptor = beneath.open_file(root, path.split("/"))
    try:
        before = os.fstat(descriptor)
        if before.st_size == 0:
            raise Invalid(f"{path!r} is empty.", "Put data in it first.")
        # The descriptor's name pins the file that was checked; a path could mean another one by now.
        name = f"/dev/fd/{descriptor}"
        with open(name, "rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        found = _profile(descriptor, path, before.st_size)
        after = os.fstat(descriptor)
    finally:
        os.close(descriptor)
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        raise Invalid(f"{path!r} changed while it was read.", "Register it again when nothing writes to it.")
    return Report(hash=digest, bytes=before.st_size, profile=found)


def _profile(descriptor: int, path: str, size: int) -> Profile:
    suffix = Path(path).suffix.lower()
    kind = FORMATS.get(suffix)
    if kind is None:
        raise Invalid(f"The format of {path!r} ({suffix or 'no suffix'}) is not read.", _READABLE)
    start = os.pread(descriptor, 65_536, 0)
    if (kind == "parquet") != start.startswith(b"PAR1") or (kind != "parquet" and b"\0" in start):
        raise Invalid(f"{path!r} is not {kind}, whatever its name says.", _READABLE)
    name = f"/dev/fd/{descriptor}"
    try:
        frame = _scan(name, kind, start, None if size <= LARGE_BYTES else 10_000)
        total = int(frame.select(pl.len()).collect(engine="streaming").item())
        read = frame.head(SAMPLE_ROWS) if size > LARGE_BYTES or total > 5 * SAMPLE_ROWS else frame
        return columns.profile(read.collect(), total)
    except (PolarsError, OSError, ValueError) as error:
        reason = str(error).strip().splitlines()[0][:300] if str(error).strip() else type(error).__name__
        raise Invalid(
            f"{path!r} cannot be read as {kind}: {reason.replace(name, path).rstrip('.')}.", _READABLE
        ) from error


def _scan(name: str, kind: str, start: bytes, inferred_rows: int | None) -> pl.LazyFrame:
    """`inferred_rows`: how many rows tell the columns' types; None = all."""
    if kind == "parquet":
        return pl.scan_parquet(name, glob=False)
    if kind == "jsonl":
        return pl.scan_ndjson(name, infer_schema_length=inferred_rows)
    line = start.split(b"\n", 1)[0]
    separator = max(",", ";", "\t", "|", key=lambda sign: line.count(sign.encode()))
    return pl.scan_csv(
        name,
        separator=separator,
        null_values=MISSING,
        try_parse_dates=True,
        infer_schema_length=inferred_rows,
        encoding="utf8-lossy",
        glob=False,
    )


def main() -> None:
    """Writes a report in every case that it can tell about; ends with 1 in none of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", required=True, type=Path, help="folder that the file must lie below")
    parser.add_argument("--path", required=True, help="file, relative to the root")
    parser.add_argument("--out", required=True, type=Path, help="file to write the report to")
    options = parser.parse_args()
    try:
        report = look(options.root, options.path)
    except StudioError as error:
        report = Report(error=str(error)[:2000])
    except MemoryError:
        report = Report(
            error=f"{options.path!r} needs more memory than its sandbox has. Split it, or save it as Parquet."
        )
    beneath.write(options.out.parent, [options.out.name], encode(report))


if __name__ == "__main__":
    main()
