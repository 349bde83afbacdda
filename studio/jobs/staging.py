"""The script's file in its owner's folder, written from the host without following links."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from studio.data import files

FOLDER = (".studio", "jobs")


def parts(job_id: str, script: str) -> tuple[str, ...]:
    """The script's path below its owner's folder."""
    return (*FOLDER, job_id, script)


@contextmanager
def staged(home: Path, job_id: str, script: str, text: str) -> Iterator[None]:
    """Writes the script below `home`; removes it if what is done meanwhile fails, so that nothing is half-created."""
    where = parts(job_id, script)
    home.mkdir(parents=True, exist_ok=True)
    files.write_beneath(home, where, text.encode("utf-8", "surrogatepass"))
    try:
        yield
    except BaseException:
        remove(home, job_id, script)
        raise


def remove(home: Path, job_id: str, script: str) -> None:
    """Removes what `staged` wrote."""
    where = parts(job_id, script)
    files.remove_beneath(home, where)
    files.remove_beneath(home, where[:-1])
