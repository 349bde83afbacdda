"""What a job printed: a file in the home's logs that the supervisor opened, out of reach of the job's code."""

from pathlib import Path

from studio.errors import NotFound
from studio.jobs.jobs import Job
from studio.runtime import logs
from studio.runtime.logs import Tail


def read(root: Path, job: Job, offset: int) -> Tail:
    """Text from byte `offset` on; nothing (yet) of a job whose process was never there. `root`: the home's logs."""
    try:
        return logs.tail(root, f"{job.sandbox}/{job.id}.log", offset)
    except NotFound:
        return Tail("", 0, 0)
