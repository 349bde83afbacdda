"""`studio import mlflow PATH`, `studio export mlflow PATH`."""

import shutil
import tempfile
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from studio.cli.output import AsJson, Domain, err, out, show_json
from studio.cli.session import rest
from studio.cli.transfer.database import Database
from studio.cli.transfer.files import Tree
from studio.cli.transfer.folder import Folder
from studio.cli.transfer.records import Source
from studio.cli.transfer.sending import Outcome, Sender
from studio.cli.transfer.writing import Taken, Writer
from studio.errors import Invalid, NotFound, Timeout, Unavailable

importing = typer.Typer(help="Bring what another tool has.", no_args_is_help=True)
exporting = typer.Typer(help="Take what is here to another tool.", no_args_is_help=True)
_COLUMNS = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())


@importing.callback()
def _importing() -> None:
    """So that the tool's name stays a word of the command, though there is only one yet."""


@exporting.callback()
def _exporting() -> None:
    """As above."""


@importing.command("mlflow")
def import_mlflow(
    path: Annotated[Path, typer.Argument(help="A mlruns folder, or a mlflow.db.")],
    domain: Domain = "demo",
    artifacts: Annotated[list[Path], typer.Option(help="Folder with the files, if it is not beside the source.")] = [],  # noqa: B006
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would come.")] = False,
    as_json: AsJson = False,
) -> None:
    """Brings experiments, runs, models and their files. Doing it again brings what has changed since."""
    source = _open(path)
    roots = [Tree(folder) for folder in [*source.roots, *artifacts]]
    try:
        with rest() as api, Progress(*_COLUMNS, console=err, transient=True) as progress:
            task = progress.add_task("Runs", total=None)

            def told(name: str, total: int, done: int) -> None:
                progress.update(task, total=total, completed=done, description=escape(name))

            outcome = Sender(api, domain, source, roots, told, is_dry=dry_run).send()
    except (Unavailable, Timeout) as error:
        raise type(error)(error.message, f"{error.hint} Then run the same command again: it goes on.") from error
    finally:
        source.close()
    _show(outcome, as_json=as_json, is_dry=dry_run)
    if outcome.skipped:
        raise typer.Exit(1)


@exporting.command("mlflow")
def export_mlflow(
    path: Annotated[Path, typer.Argument(help="A folder that is not there yet, such as ./mlruns.")],
    domain: Domain = "demo",
    experiment: Annotated[str | None, typer.Option(help="Only this one, and the models of its runs.")] = None,
    as_json: AsJson = False,
) -> None:
    """Writes experiments, runs, models and their files as MLflow's own folder, whole or not at all."""
    final = path.absolute()
    if final.exists() and (not final.is_dir() or any(final.iterdir())):
        raise Invalid(f"{path} is there already.", "Name a folder that is not there yet.")
    final.parent.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(prefix=f".{final.name}-", dir=final.parent))
    try:
        with rest() as api, Progress(*_COLUMNS[:1], TextColumn("{task.completed} runs"), console=err) as progress:
            task = progress.add_task("Experiments", total=None)

            def told(name: str, done: int) -> None:
                progress.update(task, completed=done, description=escape(name))

            taken = Writer(api, domain, partial, final, told).write(experiment)
        if experiment is not None and not taken.experiments:
            raise NotFound(f"There is no experiment {experiment!r} in {domain}.", "Give its whole name.")
        partial.chmod(0o755)
        partial.replace(final)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    _show_taken(taken, path, as_json=as_json)
    if taken.skipped:
        raise typer.Exit(1)


def _open(path: Path) -> Source:
    if path.is_dir():
        return Folder(path)
    if path.is_file():
        return Database(path)
    raise Invalid(f"{path} is neither a folder nor a file.", "Give MLflow's mlruns folder, or its mlflow.db.")


def _show(outcome: Outcome, *, as_json: bool, is_dry: bool) -> None:
    if as_json:
        show_json(msgspec.to_builtins(outcome))
        return
    verb = "Would come" if is_dry else "Came"
    out.print(
        f"{verb}: {outcome.experiments} experiments, {outcome.runs} runs ({outcome.changed} more had changed,"
        f" {outcome.same} were here already), {outcome.logged_models} logged models,"
        f" {outcome.registered_models} registered models with {outcome.versions} versions,"
        f" {outcome.files} files ({outcome.bytes / 1e6:.1f} MB)."
    )
    for name in outcome.merged:
        err.print(f"The experiment {name!r} was here already: its runs were added to it.", markup=False)
    for note in outcome.notes:
        err.print(note, markup=False, highlight=False)
    if outcome.skipped:
        err.print(f"\nSkipped ({len(outcome.skipped)}):", markup=False)
    for line in outcome.skipped:
        err.print(f"  {line}", markup=False, highlight=False)


def _show_taken(taken: Taken, path: Path, *, as_json: bool) -> None:
    if as_json:
        show_json(msgspec.to_builtins(taken))
        return
    out.print(
        f"{path}: {taken.experiments} experiments, {taken.runs} runs, {taken.logged_models} logged models,"
        f" {taken.registered_models} registered models with {taken.versions} versions, {taken.files} files.",
        markup=False,
    )
    err.print(
        f"MLflow 2 reads it as it is. For MLflow 3 make a database of it: mlflow migrate-filestore --source {path}"
        " --target sqlite:///mlflow.db (or set MLFLOW_ALLOW_FILE_STORE=true).",
        markup=False,
        highlight=False,
    )
    for line in taken.skipped:
        err.print(f"Skipped: {line}", markup=False, highlight=False)
