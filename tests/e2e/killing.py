"""kill -9 of the server, and its return."""

import contextlib
import os
import signal
import socket
from collections.abc import Iterator
from typing import Any

from studio.runtime.supervising import call_once
from tests.live import Live, until


def state(live: Live) -> Any:
    """What the supervisor says; the server is not asked."""
    return call_once(live.settings.paths.sockets / "supervisor.sock", "state")


def children(live: Live) -> dict[str, Any]:
    """Kernels, jobs and replicas by name."""
    return {child["name"]: child for box in state(live)["sandboxes"] for child in box["children"]}


def kill_server(live: Live) -> None:
    """Kills the server and returns when the next one answers."""
    gone = state(live)["server"]["pid"]
    os.kill(gone, signal.SIGKILL)
    until(lambda: state(live)["server"]["pid"] not in (0, gone), "the server's restart", 30)
    until(lambda: _listens(live), "the server's answer", 30)


@contextlib.contextmanager
def frozen_server(live: Live) -> Iterator[None]:
    """The server sees nothing of what happens in the block; afterwards it is killed."""
    os.kill(state(live)["server"]["pid"], signal.SIGSTOP)
    try:
        yield
    finally:
        kill_server(live)


def _listens(live: Live) -> bool:
    # Not through httpx: it leaves the sockets of refused connections open.
    with socket.socket(socket.AF_UNIX) as client:
        return client.connect_ex(str(live.settings.paths.sockets / "operator.sock")) == 0
