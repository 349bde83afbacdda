"""Batch: a file scored with a model version, as a job."""

import os
from pathlib import Path

from studio.guest.sdk.call import call, in_domain
from studio.guest.sdk.data import in_volume
from studio.guest.sdk.jobs import Job


def batch(
    model: str,
    input: str | os.PathLike[str],
    output: str | os.PathLike[str] | None = None,
    *,
    dataset: str = "",
    format: str = "",
    chunk_rows: int = 10_000,
    environment: str = "",
    instance_type: str = "",
    wait: bool = False,
) -> Job:
    """Scores the file `input` (or the data set NAME, NAME@HASH) with `model` and writes its rows with the predictions
    to `output`, by default beside the input; with `wait`, follows the job's log to its end."""
    body = {"model": model, "input": _named(input), "chunk_rows": chunk_rows}
    if output is not None:
        body["output"] = _named(output)
    given = {"dataset": dataset, "format": format, "environment": environment, "instance_type": instance_type}
    made = Job(call("POST", in_domain("batch"), body | {name: value for name, value in given.items() if value}))
    return made.wait() if wait else made


def _named(path: str | os.PathLike[str]) -> str:
    """As Studio names a file that is here, or that can be made here; else as it was given: shared/…, a data set."""
    here = Path(path)
    is_here = here.exists() or (bool(here.suffix) and here.parent.exists())
    return in_volume(here) if is_here else os.fspath(path)
