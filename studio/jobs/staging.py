"""The script's file in its owner's folder, written from the host without following links."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from studio.runtime import beneath

FOLDER = (".studio", "jobs")


def parts(job_id: str, script: str) -> tuple[str, ...]:
    """The script's path below its owner's folder."""
    return (*FOLDER, job_id, script)


@asynccontextmanager
async def staged(home: Path, job_id: str, script: str, text: str) -> AsyncIterator[None]:
    """Writes the script below `home`; removes it if what is done meanwhile fails, so that nothing is half-created."""
    where = parts(job_id, script)
    data = text.encode("utf-8", "surrogatepass")
    await asyncio.to_thread(_write, home, where, data)
    try:
        yield
    except BaseException:
        await asyncio.to_thread(remove, home, job_id, script)
        raise


def _write(home: Path, where: tuple[str, ...], data: bytes) -> None:
    home.mkdir(parents=True, exist_ok=True)
    beneath.write(home, where, data)


def remove(home: Path, job_id: str, script: str) -> None:
    """Removes what `staged` wrote."""
    where = parts(job_id, script)
    beneath.remove(home, where)
    beneath.remove(home, where[:-1])
