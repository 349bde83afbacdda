"""`studio async`: predictions that are made later."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from studio.cli.output import AsJson, Domain, err, out, show_fields, show_json, show_rows
from studio.cli.session import rest
from studio.client import Rest
from studio.errors import Invalid, StudioError

group = typer.Typer(help="Predictions that are made later: bodies of any size, answers in files.", no_args_is_help=True)
Endpoint = Annotated[str, typer.Argument(help="The endpoint.")]
Id = Annotated[str, typer.Argument(help="As `studio async list` shows it.")]
Output = Annotated[Path | None, typer.Option("-o", "--output", help="File for the answer; default: print it.")]
_TYPES = {".json": "application/json", ".csv": "text/csv"}
_COLUMNS = ["id", "state", "owner", "attempts", "size", "answer_size", "reason"]


def _path(domain: str, endpoint: str, id: str = "") -> str:
    return f"domains/{domain}/endpoints/{endpoint}/async-invocations" + (f"/{id}" if id else "")


@group.command("invoke")
def invoke(
    endpoint: Endpoint,
    file: Annotated[Path, typer.Argument(help="The body, as for /invocations: .json or .csv.")],
    output: Output = None,
    detach: Annotated[bool, typer.Option(help="Return when it is queued.")] = False,
    domain: Domain = "demo",
    as_json: AsJson = False,
) -> None:
    """Has a file's rows predicted; waits, and prints the answer. Exits with 1 if there is none."""
    kind = _TYPES.get(file.suffix.lower())
    if kind is None or not file.is_file():
        raise Invalid(f"{file} is no body of a prediction.", "Name a .json or .csv file.")
    with rest() as api:
        with file.open("rb") as body:
            made = api.send(_path(domain, endpoint), body, kind)
        while not detach and made["state"] in ("Queued", "Running"):
            made = api.get(_path(domain, endpoint, made["id"]), wait_s=20)
        if as_json:
            show_json(made)
        elif detach:
            out.print(f"{made['id']} {made['state']}")
        elif made["state"] == "Done":
            _fetch(api, _path(domain, endpoint, made["id"]), output)
        else:
            raise StudioError(f"{made['id']} {made['state']}: {made['reason']}", "Mend the input, and ask again.")


@group.command("list")
def list_invocations(endpoint: Endpoint, domain: Domain = "demo", as_json: AsJson = False) -> None:
    """Those of an endpoint, newest first."""
    with rest() as api:
        rows = api.get(_path(domain, endpoint))
    show_rows(rows, _COLUMNS, as_json, "None: studio async invoke NAME FILE")


@group.command("show")
def show(endpoint: Endpoint, id: Id, domain: Domain = "demo", as_json: AsJson = False) -> None:
    """What became of one."""
    with rest() as api:
        show_fields(api.get(_path(domain, endpoint, id)), as_json)


@group.command("result")
def result(endpoint: Endpoint, id: Id, output: Output = None, domain: Domain = "demo") -> None:
    """The answer of one that is Done."""
    with rest() as api:
        _fetch(api, _path(domain, endpoint, id), output)


@group.command("delete")
def delete(endpoint: Endpoint, id: Id, domain: Domain = "demo") -> None:
    """Forgets one, with its body and answer; one that has not ended is not made."""
    with rest() as api:
        api.delete(_path(domain, endpoint, id))
    err.print(f"{id} is forgotten.")


def _fetch(api: Rest, path: str, output: Path | None) -> None:
    if output is None:
        sys.stdout.flush()
        api.download(f"{path}/result", sys.stdout.buffer)
        return
    part = output.with_name(f".{output.name}.part")
    try:
        with part.open("wb") as file:
            api.download(f"{path}/result", file)
        part.replace(output)
    finally:
        part.unlink(missing_ok=True)
