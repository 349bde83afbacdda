"""`studio user`, `studio member`, `studio key`, `studio signin`."""

from typing import Annotated

import typer

from studio.cli.output import AsJson, Domain, out, show_fields, show_json, show_rows
from studio.cli.session import rest

user = typer.Typer(help="People.", no_args_is_help=True)
member = typer.Typer(help="Who belongs to a domain, and as what.", no_args_is_help=True)
key = typer.Typer(help="Access keys for programs.", no_args_is_help=True)


@user.command("create")
def create_user(name: str, as_json: AsJson = False) -> None:
    """Adds a person; give them a role with `studio member add`."""
    with rest() as api:
        show_fields(api.post("users", {"name": name}), as_json)


@user.command("list")
def list_users(as_json: AsJson = False) -> None:
    """Everybody."""
    with rest() as api:
        show_rows(api.get("users"), ["name", "created_ms"], as_json, "Nobody yet: studio user create NAME")


@member.command("add")
def add_member(
    user_name: Annotated[str, typer.Argument(metavar="USER")],
    role: Annotated[str, typer.Option(help="admin, editor or viewer.")] = "editor",
    domain: Domain = "demo",
    as_json: AsJson = False,
) -> None:
    """Makes a person a member of a domain, or changes their role."""
    with rest() as api:
        show_fields(api.post(f"domains/{domain}/members", {"user": user_name, "role": role}), as_json)


@member.command("remove")
def remove_member(user_name: Annotated[str, typer.Argument(metavar="USER")], domain: Domain = "demo") -> None:
    """Ends a membership: their pages, keys and sandbox of this domain end too."""
    with rest() as api:
        api.delete(f"domains/{domain}/members/{user_name}")
    out.print(f"{user_name} is no member of {domain} any more.")


@key.command("create")
def create_key(
    user_name: Annotated[str, typer.Option("--user", "-u", help="Whose key it is; it acts with their role.")],
    domain: Domain = "demo",
    title: Annotated[str, typer.Option(help="What it is for.")] = "",
    days: Annotated[int | None, typer.Option(help="Expires after so many days.")] = None,
    as_json: AsJson = False,
) -> None:
    """Makes an access key; its secret is shown this once."""
    with rest() as api:
        made = api.post(f"domains/{domain}/keys", {"user": user_name, "name": title, "expires_days": days})
    if as_json:
        show_json(made)
        return
    out.print(f"Key [bold]{made['id']}[/] for {user_name} in {domain}. Shown only now:\n")
    for name, value in made["env"].items():
        typer.echo(f"export {name}={value}")
    typer.echo(f"\n{made['curl']}")


@key.command("list")
def list_keys(domain: Domain = "demo", as_json: AsJson = False) -> None:
    """The keys of a domain, without their secrets."""
    with rest() as api:
        columns = ["id", "user", "name", "created_ms", "expires_ms"]
        show_rows(api.get(f"domains/{domain}/keys"), columns, as_json, "None yet: studio key create --user NAME")


@key.command("revoke")
def revoke_key(key_id: Annotated[str, typer.Argument(metavar="KEY")], domain: Domain = "demo") -> None:
    """Ends a key at once."""
    with rest() as api:
        api.delete(f"domains/{domain}/keys/{key_id}")
    out.print(f"{key_id} is revoked.")


def signin(
    user_name: Annotated[str | None, typer.Option("--user", "-u", help="For whom; default: you.")] = None,
    as_json: AsJson = False,
) -> None:
    """Prints a sign-in link: it works once, for ten minutes."""
    with rest() as api:
        link = api.post("signin-links", {"user": user_name})
    if as_json:
        show_json(link)
    else:
        typer.echo(link["url"])
