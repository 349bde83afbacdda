"""What replicas printed: files in the home's logs that the supervisor opened, out of reach of the models' code."""

from pathlib import Path

from studio.errors import NotFound
from studio.runtime import logs
from studio.serving.endpoints import Endpoint

BYTES = 64 * 1024


def tail(root: Path, endpoint: Endpoint, replica: str) -> str:
    """The last 64 KiB of what the replica printed; empty if its process was never there. `root`: the home's logs."""
    try:
        return logs.tail(root, f"{endpoint.sandbox}/{replica}.log", -BYTES).text
    except NotFound:
        return ""
