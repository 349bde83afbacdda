"""`studio env`: the catalogue's environments, and a domain's own."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from studio.cli.output import AsJson, Domain, err, out, show_fields, show_json, show_rows
from studio.cli.session import rest
from studio.client import Rest
from studio.clock import monotonic
from studio.errors import Conflict, Invalid, StudioError

env = typer.Typer(help="Environments: named Python environments with versions.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="Name of the environment.")]
Packages = Annotated[list[str], typer.Argument(help="Such as polars or 'pandas>=2.2'.")]
Detach = Annotated[bool, typer.Option(help="Return when the build is queued.")]
Number = Annotated[int, typer.Option("--version", help="Number of the version; default: the one in use.")]
_LISTED = ["name", "state", "version", "packages", "size", "used_by", "hash", "error"]


@env.command("list")
def list_environments(domain: Domain = "demo", as_json: AsJson = False) -> None:
    """What a domain may use: the catalogue's and its own (marked +); the one it begins with is marked *."""
    with rest() as api:
        found = api.get(f"domains/{domain}/environments")
    if as_json:
        show_json(found)
        return
    show_rows([_row(item) for item in found], _LISTED, False, "None: studio env create NAME PACKAGE…")


def _row(item: dict[str, Any]) -> dict[str, Any]:
    marks = ("+" if item["is_own"] else "") + ("*" if item["is_default"] else "")
    return item | {
        "name": f"{item['name']} {marks}".strip(),
        "version": item["current"],
        "packages": len(item["packages"]),
        "size": _size(item["size_bytes"]),
        "hash": item["hash"][:12],
        "error": item["error"][:80],
    }


def _size(size: int) -> str:
    return f"{size / 1e6:.0f} MB" if size else ""


@env.command("show")
def show_environment(name: Name, domain: Domain = "demo", as_json: AsJson = False) -> None:
    """One environment: packages, what uses it, its versions."""
    with rest() as api:
        found = api.get(f"domains/{domain}/environments/{name}")
    if as_json:
        show_json(found)
        return
    hidden = ("versions", "log", "progress", "uses", "packages", "preload")
    show_fields({key: value for key, value in found.items() if key not in hidden}, False)
    out.print(f"\n[dim]packages[/]  {escape(', '.join(found['packages']))}")
    used = ", ".join(f"{use['kind']} {use['name']}" for use in found["uses"]) or "nothing now"
    out.print(f"[dim]used by[/]   {escape(used)}")


@env.command("versions")
def list_versions(name: Name, domain: Domain = "demo", as_json: AsJson = False) -> None:
    """Its versions, newest first: what changed, by whom, and whether it is built."""
    with rest() as api:
        found = api.get(f"domains/{domain}/environments/{name}")["versions"]
    columns = ["number", "state", "note", "created_by", "created_ms", "hash"]
    show_rows(found, columns, as_json, "None.")


@env.command("create")
def create_environment(
    name: Name,
    packages: Annotated[list[str] | None, typer.Argument(help="Such as polars or 'pandas>=2.2'.")] = None,
    requirements: Annotated[Path | None, typer.Option("-r", help="A file with one package a line.")] = None,
    title: str = "",
    preload: Annotated[
        list[str] | None, typer.Option(help="Module that is imported before kernels are forked.")
    ] = None,
    python: Annotated[str, typer.Option(help="Such as 3.11; default: the one Studio runs on.")] = "",
    domain: Domain = "demo",
    detach: Detach = False,
    as_json: AsJson = False,
) -> None:
    """Makes an environment of the domain and builds it; wheels only, versions locked with their hashes."""
    lines = [*(packages or []), *(_lines(requirements) if requirements else [])]
    body = {"name": name, "title": title, "python": python, "packages": lines, "preload": preload or []}
    _change(f"domains/{domain}/environments", body, domain, detach, as_json)


@env.command("clone")
def clone_environment(
    source: Annotated[str, typer.Argument(help="An environment of the catalogue or of the domain.")],
    name: Annotated[str, typer.Argument(help="Name of the new one.")],
    version: Number = 0,
    add: Annotated[list[str], typer.Option(help="A package to add.")] = [],  # noqa: B006
    domain: Domain = "demo",
    detach: Detach = False,
    as_json: AsJson = False,
) -> None:
    """Makes one of the domain's own from another: a start to add packages to."""
    body = {"name": name, "source": source, "source_version": version, "add": add}
    _change(f"domains/{domain}/environments", body, domain, detach, as_json)


@env.command("add")
def add_packages(
    name: Name,
    packages: Packages,
    to: Annotated[str, typer.Option("--as", help="Name of the clone that one of the catalogue becomes.")] = "",
    domain: Domain = "demo",
    detach: Detach = False,
    as_json: AsJson = False,
) -> None:
    """Adds packages: a new version. One of the catalogue is cloned into the domain."""
    body = {"packages": packages, "name": to}
    _change(f"domains/{domain}/environments/{name}/packages", body, domain, detach, as_json)


@env.command("remove-packages")
def remove_packages(
    name: Name, packages: Packages, domain: Domain = "demo", detach: Detach = False, as_json: AsJson = False
) -> None:
    """Takes packages away that were asked for: a new version."""
    _change(f"domains/{domain}/environments/{name}/versions", {"remove": packages}, domain, detach, as_json)


@env.command("rollback")
def roll_back(
    name: Name,
    version: Annotated[int, typer.Argument(help="Number of the version to go back to.")],
    domain: Domain = "demo",
    detach: Detach = False,
    as_json: AsJson = False,
) -> None:
    """Goes back to what a version had, with the very same lock, as a new version."""
    _change(f"domains/{domain}/environments/{name}/rollback", {"number": version}, domain, detach, as_json)


@env.command("build")
def build_environment(
    name: Annotated[str, typer.Argument()] = "sklearn",
    domain: Domain = "demo",
    detach: Detach = False,
    as_json: AsJson = False,
) -> None:
    """Builds an environment and shows the progress; done at once if it is already there."""
    with rest() as api:
        is_shared = any(item["name"] == name for item in api.get("environments"))
        path = f"environments/{name}" if is_shared else f"domains/{domain}/environments/{name}"
        made = api.post(f"{path}/build")
        if not detach:
            made = wait_for_environment(api, path)
    _made(made, as_json)


@env.command("log")
def show_log(
    name: Name,
    version: Annotated[int, typer.Option("--version", help="Number of the version; default: the newest.")] = 0,
    domain: Domain = "demo",
) -> None:
    """What a build said; while it runs, until its end."""
    with rest() as api:
        own = f"domains/{domain}/environments/{name}"
        number = version or api.get(own)["newest"]
        for text in api.follow(f"{own}/versions/{number}/log"):
            typer.echo(text, nl=False)


@env.command("diff")
def show_difference(
    name: Name,
    version: Number = 0,
    against: Annotated[int, typer.Option(help="Number of the other version; default: the one before.")] = 0,
    domain: Domain = "demo",
    as_json: AsJson = False,
) -> None:
    """Which packages of the lock differ between two versions."""
    with rest() as api:
        own = f"domains/{domain}/environments/{name}"
        number = version or api.get(own)["newest"]
        found = api.get(f"{own}/versions/{number}", against=against or None)
    columns = ["name", "before", "version"]
    show_rows(found["changes"], columns, as_json, f"Version {number} has the packages of version {found['against']}.")


@env.command("export")
def export_environment(
    name: Name,
    toml: Annotated[bool, typer.Option(help="The definition, for a catalogue; else the lock with hashes.")] = False,
    version: Number = 0,
    to: Annotated[Path | None, typer.Option("--to", help="A file; default: standard output.")] = None,
    domain: Domain = "demo",
) -> None:
    """Writes a requirements file with hashes that makes the same environment elsewhere."""
    form = "toml" if toml else "requirements"
    with rest() as api:
        path = f"domains/{domain}/environments/{name}/export"
        if to is None:
            api.download(path, sys.stdout.buffer, form=form, version=version)
            return
        with to.open("wb") as file:
            api.download(path, file, form=form, version=version)


@env.command("default")
def set_default(name: Name, domain: Domain = "demo", as_json: AsJson = False) -> None:
    """Chooses what new notebooks, jobs and endpoints of the domain begin with."""
    with rest() as api:
        found = api.put(f"domains/{domain}/default-environment", {"name": name})
    if as_json:
        show_json(found)
    else:
        out.print(f"{domain} begins with [bold]{name}[/].")


@env.command("delete")
def delete_environment(name: Name, domain: Domain = "demo") -> None:
    """Forgets one of the domain's own; what runs from it goes on. Refused while a job or an endpoint needs it."""
    with rest() as api:
        api.delete(f"domains/{domain}/environments/{name}")
    out.print(f"{name} is deleted.")


@env.command("gc")
def collect_unused(
    days: Annotated[float, typer.Option(help="Only what was not used for so many days.")] = 0.0,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only says what would go.")] = False,
    shared: Annotated[bool, typer.Option("--shared", help="Also in a store that STUDIO_ENVIRONMENTS chose.")] = False,
    as_json: AsJson = False,
) -> None:
    """Removes built environments that no version in use and nothing that runs needs; their locks stay."""
    with rest(timeout=600) as api:
        found = api.post("environments/collect", {"days": days, "dry_run": dry_run, "shared": shared})
    if as_json:
        show_json(found)
        return
    verb = "would be removed" if dry_run else "removed"
    out.print(f"{len(found['hashes'])} {verb} ({found['bytes'] / 1e6:.0f} MB).", highlight=False)


def _lines(path: Path) -> list[str]:
    if not path.is_file():
        raise Invalid(f"{path} is not a file.", "Give the path of a text file with one package a line.")
    lines = (line.split(" #")[0].strip() for line in path.read_text().splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def _change(path: str, body: dict[str, Any], domain: str, detach: bool, as_json: bool) -> None:
    with rest() as api:
        made = api.post(path, body)
        if not detach:
            made = wait_for_environment(api, f"domains/{domain}/environments/{made['name']}")
    _made(made, as_json)


def _made(made: dict[str, Any], as_json: bool) -> None:
    if as_json:
        show_json(made)
        return
    state = "is ready" if made["state"] == "Ready" else f"is {made['state']}"
    out.print(f"Environment [bold]{made['name']}[/] {state} (version {made['newest']}).", highlight=False)


def wait_for_environment(api: Rest, path: str, timeout_s: float = 1800.0) -> dict[str, Any]:
    """Shows the build's progress on standard error until the environment at `path` is ready, and returns it; raises
    what made it fail."""
    deadline = monotonic() + timeout_s
    name = path.rpartition("/")[2]
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[step]}"), TimeElapsedColumn())
    with Progress(*columns, console=err, transient=True) as progress:
        task = progress.add_task(f"Environment {name}", total=None, step="")
        while monotonic() < deadline:
            state: dict[str, Any] = api.get(path, wait_s=1)
            if state["state"] == "Ready":
                return state
            if state["state"] == "Failed":
                raise Conflict(
                    f"Environment {name} could not be built: {state['error']}", f"All of it: `studio env log {name}`."
                )
            done = state.get("progress") or {}
            total = done.get("total") or None
            progress.update(task, completed=done.get("done"), total=total, step=escape(done.get("text", "")))
    raise StudioError(f"Environment {name} is not ready after {timeout_s:.0f} s.", "See `studio env list`.")
