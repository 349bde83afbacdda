"""Tables in files, a chunk of rows at a time: CSV, JSON lines, Parquet. What is written is seen whole or not at all."""

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from io import BufferedReader
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from studio.errors import Invalid, NotFound

FORMATS = {".csv": "csv", ".tsv": "tsv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".parquet": "parquet", ".pq": "parquet"}
_PART = ".part"


def format_of(path: str | Path, given: str = "") -> str:
    """csv, tsv, jsonl or parquet: as `given`, else by the name's end; `Invalid` for any other."""
    found = given or FORMATS.get(Path(path).suffix.lower(), "")
    if found not in FORMATS.values():
        raise Invalid(
            f"{(given or str(path))[:200]!r} is no format that is scored.",
            "Name a file that ends in .csv, .tsv, .jsonl or .parquet, or give --format.",
        )
    return found


@contextmanager
def opened(path: Path) -> Iterator[BufferedReader]:
    """The file, to be read; `Invalid` at the end if it was changed meanwhile: nothing may be made of half of each."""
    try:
        file = path.open("rb")
    except FileNotFoundError as error:
        raise NotFound(f"There is no {path}.", "Look for it in the file browser.") from error
    except OSError as error:
        raise Invalid(f"{path} cannot be read: {error.strerror}.", "Name a file.") from error
    with file:
        before = os.fstat(file.fileno())
        yield file
        after, now = os.fstat(file.fileno()), path.stat() if path.exists() else None
    is_same = now is not None and (now.st_dev, now.st_ino) == (before.st_dev, before.st_ino)
    if not is_same or (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        raise Invalid(f"{path} changed while it was read.", "Score it again when nothing writes to it.")


def chunks(file: BinaryIO, kind: str, rows: int, texts: Mapping[str, Any]) -> Iterator[Any]:
    """DataFrames of at most `rows` rows. `texts`: the columns that are text though they may look like numbers."""
    import pandas

    try:
        if kind == "parquet":
            from pyarrow import parquet

            for batch in parquet.ParquetFile(file).iter_batches(batch_size=rows):
                yield batch.to_pandas()
        elif kind == "jsonl":
            yield from _json_lines(file, rows)
        else:
            separator = "\t" if kind == "tsv" else ","
            yield from pandas.read_csv(file, sep=separator, chunksize=rows, dtype=dict(texts))
    except (ValueError, OSError) as error:  # those of pandas and pyarrow are ValueErrors
        raise Invalid(f"The input cannot be read as {kind}: {error}", "Mend the file, or give --format.") from error


def _json_lines(file: BinaryIO, rows: int) -> Iterator[Any]:
    """By hand: pandas would take texts for numbers. The first chunk's columns are those of all."""
    import pandas

    columns: Any = None
    numbered = enumerate((line for line in file if line.strip()), 1)
    while lines := list(islice(numbered, rows)):
        found = pandas.DataFrame.from_records([_record(line, number) for number, line in lines])
        columns = found.columns if columns is None else columns
        if new := [name for name in found.columns if name not in columns]:
            raise Invalid(
                f"Rows from {lines[0][0]} on have {new[0]!r}, which the first ones do not have.", "Use larger chunks."
            )
        yield found.reindex(columns=columns)


def _record(line: bytes, number: int) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise Invalid(f"Row {number} is not JSON: {error}.", "Write one JSON object in each line.") from error
    if not isinstance(found, dict):
        raise Invalid(f"Row {number} is a {type(found).__name__}.", "Write one JSON object in each line.")
    return found


class Sink(Protocol):
    """Where chunks go, in order."""

    def write(self, frame: Any) -> None:
        """Appends the rows of a DataFrame."""

    def close(self) -> None:
        """All has been written."""


class Lines:
    """CSV, TSV and JSON lines."""

    def __init__(self, file: BinaryIO, kind: str) -> None:
        self._file = file
        self._kind = kind
        self._is_first = True

    def write(self, frame: Any) -> None:
        if self._kind == "jsonl":
            text = frame.to_json(orient="records", lines=True, date_format="iso")
            text = text if text.endswith("\n") or not text else text + "\n"
        else:
            separator = "\t" if self._kind == "tsv" else ","
            text = frame.to_csv(index=False, header=self._is_first, sep=separator, lineterminator="\n")
        self._file.write(text.encode())
        self._is_first = False

    def close(self) -> None:
        """Nothing is held back."""


class Parquet:
    """One row group for each chunk; the first one's types hold for all."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._writer: Any = None

    def write(self, frame: Any) -> None:
        import pyarrow
        from pyarrow import parquet

        if self._writer is None:
            table = pyarrow.Table.from_pandas(frame, preserve_index=False)
            self._writer = parquet.ParquetWriter(self._file, table.schema)
        else:
            try:
                table = pyarrow.Table.from_pandas(frame, schema=self._writer.schema, preserve_index=False)
            except (ValueError, KeyError) as error:
                raise Invalid(
                    f"A later chunk has other types than the first one: {error}",
                    "Use larger chunks, or write .csv or .jsonl.",
                ) from error
        self._writer.write_table(table)

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()


@contextmanager
def written(path: Path, kind: str, job: str) -> Iterator[Sink]:
    """A file that appears under its name, instead of what had it, when all is in it and on the disk; if not, nothing of
    it stays, and what a killed one left is removed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    _remove_left(path)
    part = path.with_name(f".{path.name}.{job}{_PART}")
    with part.open("xb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        sink: Sink = Parquet(file) if kind == "parquet" else Lines(file, kind)
        try:
            yield sink
            sink.close()
            file.flush()
            os.fsync(file.fileno())
            part.replace(path)
        except BaseException:
            part.unlink(missing_ok=True)
            with suppress(ValueError, OSError):
                sink.close()
            raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _remove_left(path: Path) -> None:
    """Who still writes one holds its lock."""
    for left in path.parent.iterdir():
        if not (left.name.startswith(f".{path.name}.") and left.name.endswith(_PART)) or left.is_symlink():
            continue
        with suppress(OSError), left.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            left.unlink()
