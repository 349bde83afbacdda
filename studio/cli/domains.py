"""`studio domain`, `studio env`."""

from typing import Annotated

import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from studio.cli.output import AsJson, err, out, show_fields, show_rows
from studio.cli.session import rest
from studio.client import Rest
from studio.clock import monotonic
from studio.errors import StudioError

domain = typer.Typer(help="Domains: isolated places of a project or team.", no_args_is_help=True)
env = typer.Typer(help="Environments: named Python environments.", no_args_is_help=True)


@domain.command("create")
def create_domain(
    name: str,
    title: str = "",
    network: Annotated[str, typer.Option(help="What its code reaches: studio, open or none.")] = "studio",
    member: Annotated[list[str], typer.Option(help="USER or USER:ROLE; the role is editor if none is said.")] = [],  # noqa: B006
    as_json: AsJson = False,
) -> None:
    """Makes a domain with a volume of its own; you become its admin."""
    pairs = [text.partition(":") for text in member]
    members = [{"user": user, "role": role or "editor"} for user, _, role in pairs]
    body = {"name": name, "title": title or name, "network_mode": network, "members": members}
    with rest() as api:
        show_fields(api.post("domains", body), as_json)


@domain.command("list")
def list_domains(as_json: AsJson = False) -> None:
    """All domains you can see."""
    with rest() as api:
        show_rows(api.get("domains"), ["name", "title", "role", "isolation", "address"], as_json, "No domain yet.")


@domain.command("show")
def show_domain(name: str, as_json: AsJson = False) -> None:
    """Members, isolation, volume of one domain."""
    with rest() as api:
        show_fields(api.get(f"domains/{name}"), as_json)


@env.command("list")
def list_environments(as_json: AsJson = False) -> None:
    """The environments and whether they are built."""
    with rest() as api:
        show_rows(api.get("environments"), ["name", "state", "python", "hash", "error"], as_json, "None defined.")


@env.command("build")
def build_environment(name: Annotated[str, typer.Argument()] = "sklearn") -> None:
    """Builds an environment and shows the progress; done at once if it is already there."""
    with rest() as api:
        api.post(f"environments/{name}/build")
        wait_for_environment(api, name)
    out.print(f"Environment [bold]{name}[/] is ready.")


def wait_for_environment(api: Rest, name: str, timeout_s: float = 1200.0) -> None:
    """Shows the build's progress on standard error until the environment is ready; raises what made it fail."""
    deadline = monotonic() + timeout_s
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[step]}"), TimeElapsedColumn())
    with Progress(*columns, console=err, transient=True) as progress:
        task = progress.add_task(f"Environment {name}", total=None, step="")
        while monotonic() < deadline:
            state = api.get(f"environments/{name}", wait_s=1)
            if state["state"] == "Ready":
                return
            if state["state"] == "Failed":
                raise StudioError(f"Environment {name} could not be built: {state['error']}", "See `studio logs`.")
            done = state.get("progress") or {}
            total = done.get("total") or None
            progress.update(task, completed=done.get("done"), total=total, step=done.get("text", ""))
    raise StudioError(f"Environment {name} is not ready after {timeout_s:.0f} s.", "See `studio env list`.")
