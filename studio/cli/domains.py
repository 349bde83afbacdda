"""`studio domain`."""

from typing import Annotated

import typer

from studio.cli.isolation import show_report
from studio.cli.output import AsJson, show_fields, show_json, show_rows
from studio.cli.session import rest

domain = typer.Typer(help="Domains: isolated places of a project or team.", no_args_is_help=True)


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
        found = api.get(f"domains/{name}") | {"settings": api.get(f"domains/{name}/settings")}
        report = api.get(f"domains/{name}/isolation")
    if as_json:
        show_json(found | {"isolation_report": report})
        return
    show_fields(found, False)
    show_report(report)
