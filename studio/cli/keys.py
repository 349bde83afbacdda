"""`studio key`."""

from typing import Annotated
from urllib.parse import quote

import typer

from studio.cli.output import AsJson, Domain, out, show_json, show_rows
from studio.cli.session import rest

key = typer.Typer(help="Access keys for programs.", no_args_is_help=True)


@key.command("create")
def create_key(
    user_name: Annotated[
        str | None, typer.Option("--user", "-u", help="Whose key it is; it acts with their role. Default: you.")
    ] = None,
    domain: Domain = "demo",
    title: Annotated[str, typer.Option(help="What it is for.")] = "",
    days: Annotated[int | None, typer.Option(help="Expires after so many days.")] = None,
    actions: Annotated[
        list[str] | None, typer.Option("--action", help="Only these actions, such as 'tracking.*'; several times.")
    ] = None,
    resources: Annotated[
        list[str] | None, typer.Option("--resource", help="Only these, such as 'experiment/7'; several times.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Makes an access key; its secret is shown this once. It never does more than its user may."""
    body = {"user": user_name, "name": title, "expires_days": days}
    with rest() as api:
        made = api.post(f"domains/{domain}/keys", body | {"actions": actions or [], "resources": resources or []})
    if as_json:
        show_json(made)
        return
    out.print(f"Key [bold]{made['id']}[/] for {made['user']} in {domain}. Shown only now:\n")
    for name, value in made["env"].items():
        typer.echo(f"export {name}={value}")
    typer.echo(f"\n{made['curl']}")


@key.command("list")
def list_keys(domain: Domain = "demo", as_json: AsJson = False) -> None:
    """The keys of a domain, without their secrets."""
    with rest() as api:
        columns = ["id", "user", "name", "actions", "resources", "created_ms", "expires_ms", "used_ms"]
        show_rows(api.get(f"domains/{domain}/keys"), columns, as_json, "None yet: studio key create --user NAME")


@key.command("revoke")
def revoke_key(key_id: Annotated[str, typer.Argument(metavar="KEY")], domain: Domain = "demo") -> None:
    """Ends a key at once."""
    with rest() as api:
        api.delete(f"domains/{domain}/keys/{quote(key_id, safe='')}")
    out.print(f"{key_id} is revoked.")
