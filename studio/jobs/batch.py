"""Batch jobs: a file scored with a model version by Studio's own program, as a job of its owner's."""

from dataclasses import dataclass
from pathlib import PurePosixPath

from studio.data import paths
from studio.errors import Invalid
from studio.guest.batch.tables import FORMATS
from studio.jobs.jobs import Wanted

SCRIPT_NAME = "batch.py"
SCRIPT = '''"""Scores a file with a model version; the arguments are this job's parameters."""

from studio.guest.batch.main import main

main()
'''
KIND = "batch"
MOST_ROWS = 1_000_000
_KNOWN = tuple(dict.fromkeys(FORMATS.values()))


@dataclass(frozen=True, slots=True)
class Scoring:
    """What is to be scored: `input` and `output` as Studio names files (shared/…); `hash`: SHA-256 that the input must
    have, "" for any; `format`: of the input, "" by its name; `dataset`: name under which the output is registered."""

    model: str
    version: int
    input: str
    output: str
    hash: str = ""
    format: str = ""
    chunk_rows: int = 10_000
    dataset: str = ""


def wanted(scoring: Scoring, owner: str, name: str, environment: str, instance_type: str) -> Wanted:
    """The job that does it; `Invalid` or `Denied` for files that `owner` cannot score or write."""
    source, target = paths.parse(scoring.input, owner), paths.parse(scoring.output, owner)
    if source == target:
        raise Invalid("The output would take the input's place.", "Name another file.")
    if any(part == ".studio" for part in target.parts):
        raise Invalid(f"{scoring.output!r} lies in Studio's own folder.", "Name a file elsewhere.")
    if scoring.format and scoring.format not in _KNOWN:
        raise Invalid(f"{scoring.format[:40]!r} is no format that is scored.", f"Choose one of {', '.join(_KNOWN)}.")
    for path, given in ((scoring.input, scoring.format), (scoring.output, "")):
        if not given and PurePosixPath(path).suffix.lower() not in FORMATS:
            raise Invalid(
                f"The format of {path!r} is not known.", f"Use a name that ends in one of {', '.join(FORMATS)}."
            )
    if not 1 <= scoring.chunk_rows <= MOST_ROWS:
        raise Invalid("That is no number of rows for a chunk.", f"Choose 1 to {MOST_ROWS}.")
    params = {
        "model": scoring.model,
        "version": str(scoring.version),
        "input": scoring.input.removeprefix("/volume/"),
        "output": scoring.output.removeprefix("/volume/"),
        "chunk-rows": str(scoring.chunk_rows),
    }
    params |= {key: value for key in ("hash", "format", "dataset") if (value := str(getattr(scoring, key)))}
    title = name.strip() or f"{scoring.model} {scoring.version} on {PurePosixPath(scoring.input).name}"[:200]
    return Wanted(title, SCRIPT_NAME, params, environment, instance_type, kind=KIND)


def beside(path: str) -> str:
    """Where predictions go if nobody says: `shared/rows.csv` → `shared/rows-predictions.csv`."""
    found = PurePosixPath(path)
    return str(found.with_name(f"{found.stem}-predictions{found.suffix}"))
