"""The command: its groups, and how errors are shown."""

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from studio import __version__
from studio.cli import (
    async_invocations,
    audit,
    backups,
    batch,
    captures,
    domain_settings,
    endpoint_export,
    endpoints,
    environments,
    installation,
    keys,
    people,
    policy,
    sessions,
    storage,
    work,
)
from studio.cli.demo.command import demo
from studio.cli.instance_types import instance_type
from studio.cli.output import err
from studio.cli.session import use_home
from studio.cli.transfer.command import exporting, importing
from studio.errors import StudioError

app = typer.Typer(
    help="Studio: a machine-learning studio in the browser, on hardware you own.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def common(
    home: Annotated[Path | None, typer.Option(help="Folder that holds everything.", envvar="STUDIO_HOME")] = None,
    _wanted: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True)] = False,
) -> None:
    """Options of every command."""
    use_home(home)


app.command("up")(installation.up)
app.command("down")(installation.down)
app.command("status")(installation.status)
app.command("doctor")(installation.doctor)
app.command("logs")(installation.logs)
app.command("backup")(backups.backup)
app.command("restore")(backups.restore)
app.command("signin")(people.signin)
app.command("run")(work.run)
app.command("batch")(batch.batch)
app.command("deploy")(endpoints.deploy)
app.command("exits")(work.exits)
app.command("captures")(captures.captures)
app.command("ground-truth")(captures.ground_truth)
app.command("quality")(captures.quality)
app.command("demo")(demo)
app.add_typer(domain_settings.group, name="domain")
app.add_typer(environments.env, name="env")
app.add_typer(people.user, name="user")
app.add_typer(people.member, name="member")
app.add_typer(keys.key, name="key")
app.add_typer(sessions.session, name="session")
endpoints.endpoint.command("export")(endpoint_export.export_endpoint)
app.add_typer(endpoints.endpoint, name="endpoint")
app.add_typer(async_invocations.group, name="async")
app.add_typer(policy.policy, name="policy")
app.add_typer(audit.audit, name="audit")
app.add_typer(storage.volume, name="volume")
app.add_typer(storage.snapshot, name="snapshot")
app.add_typer(storage.space, name="space")
app.add_typer(instance_type, name="instance-type")
app.add_typer(importing, name="import")
app.add_typer(exporting, name="export")


def main() -> None:
    """Entry point; an error of ours is two lines and exit code 1, never a traceback."""
    try:
        app()
    except StudioError as error:
        # Not wrapped: a command in it is to be copied.
        err.print(f"[bold red]{error.code}[/] {escape(error.message)}", highlight=False, soft_wrap=True)
        if error.hint:
            err.print(escape(error.hint), highlight=False, soft_wrap=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
