"""`studio session`."""

from typing import Annotated
from urllib.parse import quote

import typer

from studio.cli.output import AsJson, out, show_rows
from studio.cli.session import rest
from studio.errors import Invalid

session = typer.Typer(help="Browsers that are signed in.", no_args_is_help=True)
User = Annotated[str | None, typer.Option("--user", "-u", help="Only of this person.")]


@session.command("list")
def list_sessions(user_name: User = None, as_json: AsJson = False) -> None:
    """Who is signed in, how, from where, and when they were last seen."""
    with rest() as api:
        columns = ["id", "user", "via", "agent", "address", "domains", "created_ms", "seen_ms"]
        show_rows(api.get("sessions", user=user_name), columns, as_json, "Nobody is signed in: studio signin")


@session.command("revoke")
def revoke_session(
    session_id: Annotated[str | None, typer.Argument(metavar="SESSION")] = None,
    user_name: Annotated[str | None, typer.Option("--user", "-u", help="All of this person.")] = None,
) -> None:
    """Signs a browser out, or a person everywhere; pages and websockets end at once."""
    if (session_id is None) == (user_name is None):
        raise Invalid("Say which session, or whose.", "studio session revoke SESSION, or --user NAME.")
    with rest() as api:
        if session_id is not None:
            api.delete(f"sessions/{quote(session_id, safe='')}")
            out.print(f"{session_id} has ended.")
        else:
            ended = api.delete(f"sessions?user={quote(str(user_name), safe='')}")["ended"]
            out.print(f"{user_name} is signed out of {ended} browser{'' if ended == 1 else 's'}.")
