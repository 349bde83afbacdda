"""The job: brings the model, reads the input in chunks, writes predictions beside its columns.

What it is told comes as arguments, as of any job; what goes wrong is one message that says what to do, and exit code 1.
"""

import argparse
import hashlib
import os
import sys
import time
from io import BufferedReader
from pathlib import Path
from typing import BinaryIO

from studio.errors import Invalid, StudioError
from studio.guest.batch import fetching, scoring, tables
from studio.guest.sdk.data import on_disk, register_dataset
from studio.guest.serving.models import Model, load
from studio.guest.serving.problems import CannotLoad

TELL_S = 2.0


def main() -> None:
    """Runs with the arguments of this process."""
    wanted = _parser().parse_args()
    try:
        run(wanted)
    except CannotLoad as problem:
        sys.exit(f"{problem.details}\n{problem.message}\n{problem.hint}")
    except StudioError as error:
        sys.exit(str(error))
    except ModuleNotFoundError as error:
        sys.exit(f"The environment has no {error.name}, which this needs. Add it to the environment's packages.")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Scores a file with a model version.")
    parser.add_argument("--model", required=True)
    parser.add_argument("--version", required=True)
    parser.add_argument("--input", required=True, help="as Studio names it: shared/… or <user>/…")
    parser.add_argument("--output", required=True)
    parser.add_argument("--hash", default="", help="SHA-256 that the input must have")
    parser.add_argument("--format", default="")
    parser.add_argument("--chunk-rows", type=int, default=10_000)
    parser.add_argument("--dataset", default="", help="name under which the output is registered")
    return parser


def run(wanted: argparse.Namespace) -> int:
    """Scores the file and returns the number of rows."""
    source, target = on_disk(wanted.input), on_disk(wanted.output)
    kind = tables.format_of(source, wanted.format)
    print(f"Loading {wanted.model} version {wanted.version}.", flush=True)
    with fetching.fetched(wanted.model, wanted.version, Path(sys.argv[0]).absolute().parent) as folder:
        model = load(folder)
        job = os.environ.get("STUDIO_JOB_ID", str(os.getpid()))
        with tables.written(target, tables.format_of(target), job) as sink, tables.opened(source) as file:
            _check(file, wanted.hash, wanted.input)
            rows = score(model, file, kind, wanted.chunk_rows, sink)
    print(f"{rows} rows are scored: {wanted.output}", flush=True)
    if wanted.dataset:
        found = register_dataset(wanted.dataset, target, 600)
        print(f"They are version {found['version']} of the data set {wanted.dataset}.", flush=True)
    return rows


def score(model: Model, file: BinaryIO, kind: str, chunk_rows: int, sink: tables.Sink) -> int:
    """Writes all rows of `file` with their predictions to `sink`, telling now and then how far it is."""
    rows, told, begun = 0, 0.0, time.monotonic()
    for frame in tables.chunks(file, kind, chunk_rows, scoring.text_columns(model)):
        if frame.empty:
            continue  # a header alone
        sink.write(scoring.score(model, frame, rows + 1))
        rows += len(frame)
        now = time.monotonic()
        if now - told > TELL_S:
            told = now
            print(f"{rows} rows, {rows / max(now - begun, 1e-6):.0f} a second", flush=True)
    if not rows:
        raise Invalid("The input has no rows.", "Put some into it.")
    return rows


def _check(file: BufferedReader, wanted: str, name: str) -> None:
    """The input is still what the version of the data set was."""
    if wanted and hashlib.file_digest(file, "sha256").hexdigest() != wanted:
        raise Invalid(
            f"{name} has changed since this version of the data set was registered.",
            "Register it again, and name the version that it is then.",
        )
    file.seek(0)
