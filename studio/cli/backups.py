"""`studio backup`, `studio restore`: the whole installation, on this host."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.progress import DownloadColumn, Progress, TextColumn, TimeElapsedColumn

from studio.cli.output import AsJson, err, out, show_json
from studio.cli.session import settings
from studio.supervisor import backup as making
from studio.supervisor import restoring


def backup(
    target: Annotated[Path, typer.Argument(help="A new folder, or a file ending in .tar, .tar.gz or .tgz.")],
    environments: Annotated[
        bool, typer.Option("--environments/--no-environments", help="Built environments too; else they are built anew.")
    ] = True,
    as_json: AsJson = False,
) -> None:
    """Backs up the whole home, while Studio runs or not, and reads the backup back. The keys are in it."""
    with _progress("Backing up") as progress:
        done = making.backup(settings(), target, environments=environments, progress=progress)
    if as_json:
        show_json(msgspec.to_builtins(done))
        return
    out.print(f"{done.path}: {done.files} files, {done.bytes >> 20} MiB, read back whole.", highlight=False)
    for note in done.notes:
        out.print(note, highlight=False)


def restore(
    source: Annotated[Path, typer.Argument(help="A backup: the folder or the tar file.")],
    force: Annotated[bool, typer.Option("--force", help="Move a home that is there aside.")] = False,
    as_json: AsJson = False,
) -> None:
    """Makes the home (--home) from a backup: as a whole, or not at all."""
    with _progress("Restoring") as progress:
        done = restoring.restore(settings(), source, force=force, progress=progress)
    if as_json:
        show_json(msgspec.to_builtins(done))
        return
    out.print(f"{done.home}: {done.files} files. Start it with `studio up`.", highlight=False)
    for note in [*done.notes, *([f"What was there before is in {done.aside}."] if done.aside else [])]:
        out.print(note, highlight=False)


@contextmanager
def _progress(what: str) -> Iterator[Callable[[int], None]]:
    columns = (TextColumn("{task.description}"), DownloadColumn(), TimeElapsedColumn())
    with Progress(*columns, console=err, transient=True) as progress:
        bar = progress.add_task(what, total=None)
        yield lambda size: progress.advance(bar, size)
