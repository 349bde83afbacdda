"""`studio user`, `studio member`, `studio signin`."""

import sys
from typing import Annotated
from urllib.parse import quote

import typer

from studio.cli.output import AsJson, Domain, out, show_fields, show_json, show_rows
from studio.cli.session import rest

user = typer.Typer(help="People.", no_args_is_help=True)
member = typer.Typer(help="Who belongs to a domain, and as what.", no_args_is_help=True)


@user.command("create")
def create_user(name: str, as_json: AsJson = False) -> None:
    """Adds a person; give them a role with `studio member add`."""
    with rest() as api:
        show_fields(api.post("users", {"name": name}), as_json)


@user.command("list")
def list_users(as_json: AsJson = False) -> None:
    """Everybody."""
    with rest() as api:
        columns = ["name", "has_password", "created_ms"]
        show_rows(api.get("users"), columns, as_json, "Nobody yet: studio user create NAME")


@user.command("show")
def show_user(name: str, as_json: AsJson = False) -> None:
    """A person's domains and roles, whether they have a password, how many browsers and keys of theirs there are."""
    with rest() as api:
        show_fields(api.get(f"users/{quote(name, safe='')}"), as_json)


@user.command("remove")
def remove_user(name: str, as_json: AsJson = False) -> None:
    """Ends everything of a person: memberships, keys, pages, sandboxes. Their files stay."""
    with rest() as api:
        removed = api.delete(f"users/{quote(name, safe='')}")
    if as_json:
        show_json(removed)
        return
    out.print(f"{name} is removed, and signed out everywhere.")
    if removed["folders"]:
        out.print("Their files stay; whoever is called so next gets them with a domain, so move them away before:")
        for folder in removed["folders"]:
            typer.echo(f"  {folder}")


@user.command("password")
def set_password(
    name: str, clear: Annotated[bool, typer.Option("--clear", help="Take the password away instead.")] = False
) -> None:
    """Asks for a new password of a person (or reads it from standard input); signs out who came with the old one."""
    path = f"users/{quote(name, safe='')}/password"
    with rest() as api:
        if clear:
            api.delete(path)
        else:
            # Never an argument: those are in the shell's history, and every account of the host sees them.
            is_asked = sys.stdin.isatty()
            password = (
                typer.prompt("New password", hide_input=True, confirmation_prompt="Once more", err=True)
                if is_asked
                else sys.stdin.readline().rstrip("\r\n")
            )
            api.put(path, {"password": password})
    out.print(f"{name} has no password any more." if clear else f"The password of {name} is set.")


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
