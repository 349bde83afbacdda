"""`studio domain set|isolation|delete`."""

from typing import Annotated, Any

import typer

from studio.cli.domains import domain
from studio.cli.isolation import show_report
from studio.cli.output import AsJson, out, show_fields, show_json
from studio.cli.session import rest
from studio.errors import Invalid

group = domain  # with what this file adds to it


@domain.command("set")
def set_domain(
    name: str,
    title: Annotated[str | None, typer.Option(help="What people see.")] = None,
    network: Annotated[str | None, typer.Option(help="open, studio or none.")] = None,
    memory: Annotated[str | None, typer.Option(help="MiB of each sandbox; `none`, or `default` for this host.")] = None,
    cpu: Annotated[str | None, typer.Option(help="Cores of each sandbox; `none` or `default`.")] = None,
    processes: Annotated[str | None, typer.Option(help="Processes and threads; `none` or `default`.")] = None,
    require_isolation: Annotated[str | None, typer.Option(help="none, sandbox, limits or full.")] = None,
    idle_minutes: Annotated[int | None, typer.Option(help="An unused sandbox ends after so long; 0: never.")] = None,
    restart: Annotated[bool, typer.Option("--restart", help="End what runs, where it cannot change.")] = False,
    as_json: AsJson = False,
) -> None:
    """Changes what a domain allows; says what holds at once and what from a sandbox's next start."""
    given = {"title": title, "network_mode": network, "required_isolation": require_isolation}
    body: dict[str, Any] = {key: value for key, value in given.items() if value is not None}
    for key, text in (("memory_mb", memory), ("cpu", cpu), ("processes", processes)):
        if text is not None:
            body[key] = _number(key, text)
    if idle_minutes is not None:
        body["idle_minutes"] = idle_minutes
    with rest() as api:
        show_fields(api.patch(f"domains/{name}", body | {"restart": restart}), as_json)


def _number(key: str, text: str) -> float | None:
    if text in ("none", "default"):
        return 0 if text == "none" else None
    try:
        return float(text) if key == "cpu" else int(text)
    except ValueError:
        raise Invalid(f"{text!r} is no number.", "Give a number, `none` for no limit, or `default`.") from None


@domain.command("isolation")
def show_isolation(name: str, as_json: AsJson = False) -> None:
    """What keeps a domain's code in on this host, wall by wall, and what to do where one is missing."""
    with rest() as api:
        report = api.get(f"domains/{name}/isolation")
    if as_json:
        show_json(report)
    else:
        show_report(report)


@domain.command("delete")
def delete_domain(
    name: str,
    confirm: Annotated[str | None, typer.Option(help="Its name once more, instead of being asked.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Also if endpoints serve in it.")] = False,
    as_json: AsJson = False,
) -> None:
    """Ends all that runs in a domain and removes it; its files are moved aside, not deleted."""
    said = confirm if confirm is not None else typer.prompt(f"To remove the domain, type its name ({name})")
    with rest() as api:
        found = api.delete(f"domains/{name}", confirm=said, force=force)
    if as_json:
        show_json(found)
    else:
        out.print(f"The domain {name} is removed. Its files lie in {found['kept']}.", highlight=False)
