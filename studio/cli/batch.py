"""`studio batch`: a file scored with a model version, as a job."""

from pathlib import Path
from typing import Annotated

import typer

from studio.cli.output import AsJson, Domain
from studio.cli.session import rest, settings
from studio.cli.work import follow, show_job


def batch(
    model: Annotated[str, typer.Argument(help="models:/NAME@alias or models:/NAME/3")],
    input: Annotated[
        str, typer.Argument(help="A file of the volume (shared/rows.csv), or a data set: NAME, NAME@HASH")
    ],
    output: Annotated[str, typer.Option("-o", "--output", help="Where the rows go; default: beside the input.")] = "",
    dataset: Annotated[str, typer.Option(help="Registers the output as a version of this data set.")] = "",
    format: Annotated[str, typer.Option(help="Of the input: csv, tsv, jsonl, parquet; default: by its name.")] = "",
    chunk_rows: Annotated[int, typer.Option(help="Rows that are in memory at once.")] = 10_000,
    environment: Annotated[str, typer.Option("--env", help="Default: the one that the model was trained in.")] = "",
    instance_type: Annotated[str, typer.Option("--instance", help="std.small, std.medium, …")] = "",
    domain: Domain = "demo",
    detach: Annotated[bool, typer.Option(help="Return when it is queued.")] = False,
    as_json: AsJson = False,
) -> None:
    """Scores a file with a model version as a job in your sandbox; exits with 1 if it failed."""
    body = {"model": model, "input": _in_volume(input, domain), "chunk_rows": chunk_rows, "dataset": dataset}
    body |= {"output": _in_volume(output, domain), "format": format}
    body |= {"environment": environment, "instance_type": instance_type}
    with rest() as api:
        job = api.post(f"domains/{domain}/batch", body)
        if not detach:
            job = follow(api, domain, job["id"])
    show_job(job, as_json)


def _in_volume(given: str, domain: str) -> str:
    """A path of this host that lies in the domain's volume, as Studio names it; anything else as it is."""
    paths = settings().paths
    absolute = Path(given).absolute()
    shared, users = paths.shared(domain), paths.domain(domain) / "users"
    if given and absolute.is_relative_to(shared):
        return f"shared/{absolute.relative_to(shared).as_posix()}"
    if given and absolute.is_relative_to(users):
        return absolute.relative_to(users).as_posix()
    return given
