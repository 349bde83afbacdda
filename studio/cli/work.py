"""`studio run`, `studio exits`: processes that run to their end."""

from pathlib import Path
from typing import Annotated, Any

import typer

from studio.cli.output import AsJson, Domain, err, out, show_json, show_rows
from studio.cli.session import rest
from studio.client import Rest
from studio.errors import Invalid


def run(
    script: Annotated[Path, typer.Argument(help="A Python file.")],
    param: Annotated[list[str], typer.Option("-p", "--param", help="name=value; the script gets --name value.")] = [],  # noqa: B006
    name: Annotated[str | None, typer.Option(help="Name of the job; default: the script's.")] = None,
    environment: Annotated[str, typer.Option("--env", help="Environment it runs in; default: the domain's.")] = "",
    instance_type: Annotated[str | None, typer.Option("--instance", help="std.small, std.medium, …")] = None,
    domain: Domain = "demo",
    detach: Annotated[bool, typer.Option(help="Return when it is queued.")] = False,
    as_json: AsJson = False,
) -> None:
    """Runs a script as a job in your sandbox and follows its log; exits with 1 if it failed."""
    if not script.is_file():
        raise Invalid(f"{script} is not a file.", "Give the path of a Python script.")
    body = {
        "name": name or script.stem,
        "environment": environment,
        "script_name": script.name,
        "script": script.read_text(),
        "params": dict(_pair(item) for item in param),
        "instance_type": instance_type,
    }
    with rest() as api:
        job = api.post(f"domains/{domain}/jobs", {key: value for key, value in body.items() if value is not None})
        if not detach:
            job = follow(api, domain, job["id"])
    show_job(job, as_json)


def follow(api: Rest, domain: str, job: str) -> dict[str, Any]:
    """Prints the log of a job until its end; the job as it is then."""
    for text in api.follow(f"domains/{domain}/jobs/{job}/log"):
        err.print(text, end="", markup=False, highlight=False)
    ended: dict[str, Any] = api.get(f"domains/{domain}/jobs/{job}", wait_s=10)
    return ended


def show_job(job: dict[str, Any], as_json: bool) -> None:
    """Prints what became of a job; exits with 1 if it failed."""
    if as_json:
        show_json(job)
    else:
        out.print(f"{job['id']} {job['state']}" + (f": {job['reason']}" if job.get("reason") else ""))
    if job["state"] == "Failed":
        raise typer.Exit(1)


def _pair(item: str) -> tuple[str, str]:
    name, sign, value = item.partition("=")
    if not sign or not name:
        raise Invalid(f"{item!r} is no parameter.", "Write -p name=value.")
    return name, value


def exits(
    domain: Domain = "demo",
    name: Annotated[str, typer.Option(help="Of one process only: kernel-<id>, a job's id, a replica's name.")] = "",
    limit: Annotated[int, typer.Option(help="At most so many, the newest.")] = 20,
    as_json: AsJson = False,
) -> None:
    """How kernels, jobs, replicas and services ended, and what to do about it."""
    with rest() as api:
        rows = api.get(f"domains/{domain}/exits", name=name or None, limit=limit)["exits"]
    show_rows(rows, ["ended_ms", "owner", "kind", "name", "reason", "message"], as_json, "Nothing has ended yet.")
