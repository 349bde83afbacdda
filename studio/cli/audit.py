"""`studio audit`: who did what, and what was refused."""

import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from studio.cli.output import AsJson, out, show_json, show_rows
from studio.cli.session import rest
from studio.errors import Invalid

audit = typer.Typer(help="The audit log: who did what, and what was refused.", no_args_is_help=True)
OneDomain = Annotated[str | None, typer.Option("--domain", "-d", help="Of one domain; without: the installation's.")]
User = Annotated[str, typer.Option(help="Of one person.")]
Action = Annotated[str, typer.Option(help="May have *: jobs.*")]
Resource = Annotated[str, typer.Option(help="May have *: endpoint/prod-*")]
Outcome = Annotated[str, typer.Option(help="done or denied.")]
Since = Annotated[str, typer.Option(help="From then on: 2026-11-01 or 2026-11-01T08:00.")]
Until = Annotated[str, typer.Option(help="Before then.")]
_SHOWN = ["seq", "at_ms", "user", "kind", "action", "resource", "outcome", "detail"]


@audit.command("list")
def list_audit(
    domain: OneDomain = None,
    user: User = "",
    action: Action = "",
    resource: Resource = "",
    outcome: Outcome = "",
    since: Since = "",
    until: Until = "",
    limit: Annotated[int, typer.Option(min=1, max=500, help="At most so many.")] = 50,
    before: Annotated[int | None, typer.Option(help="Only rows with smaller numbers: the next page.")] = None,
    as_json: AsJson = False,
) -> None:
    """Rows of the log, newest first."""
    asked = _asked(user, action, resource, outcome, since, until)
    with rest() as api:
        page = api.get(_path(domain, ""), limit=limit, before=before, **asked)
    if as_json:
        show_json(page)
        return
    columns = _SHOWN if domain else [*_SHOWN[:4], "domain", *_SHOWN[4:]]
    show_rows(page["rows"], columns, False, "Nothing was found.")
    if page["next"]:
        out.print(f"More: --before {page['next']}")


@audit.command("export")
def export_audit(
    file: Annotated[str, typer.Argument(help="Where to; - is standard output.")] = "-",
    form: Annotated[Literal["jsonl", "csv"], typer.Option("--format", help="JSON lines or CSV.")] = "jsonl",
    domain: OneDomain = None,
    user: User = "",
    action: Action = "",
    resource: Resource = "",
    outcome: Outcome = "",
    since: Since = "",
    until: Until = "",
) -> None:
    """Everything that matches, as JSON lines or CSV."""
    asked = _asked(user, action, resource, outcome, since, until) | {"format": form}
    with rest() as api:
        if file == "-":
            api.download(_path(domain, "/export"), sys.stdout.buffer, **asked)
            return
        with Path(file).open("wb") as target:
            api.download(_path(domain, "/export"), target, **asked)
    out.print(f"Written to {file}.")


@audit.command("verify")
def verify_audit(as_json: AsJson = False) -> None:
    """Whether every row is as it was written. Exit code 1: one is not."""
    with rest(timeout=3600.0) as api:
        found = api.get("audit/verify")
    if as_json:
        show_json(found)
    elif found["broken"] is None:
        out.print(f"{found['rows']} rows are as they were written. Newest: {found['last']} {found['head']}")
    else:
        out.print(f"[bold red]Row {found['broken']} is not as it was written[/], or one before it is missing.")
    if found["broken"] is not None:
        raise typer.Exit(1)


def _path(domain: str | None, rest_of_it: str) -> str:
    return f"domains/{domain}/audit{rest_of_it}" if domain else f"audit{rest_of_it}"


def _asked(user: str, action: str, resource: str, outcome: str, since: str, until: str) -> dict[str, Any]:
    asked: dict[str, Any] = {"user": user, "action": action, "resource": resource, "outcome": outcome}
    asked |= {"since_ms": _ms("--since", since), "until_ms": _ms("--until", until)}
    return {name: value for name, value in asked.items() if value not in ("", None)}


def _ms(option: str, text: str) -> int | None:
    if not text:
        return None
    try:
        return int(datetime.fromisoformat(text).timestamp() * 1000)
    except ValueError as error:
        raise Invalid(
            f"{option} {text[:40]!r} is no time.", "Write it as in 2026-11-01 or 2026-11-01T08:00."
        ) from error
