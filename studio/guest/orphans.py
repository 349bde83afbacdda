"""Processes that lost their parent: adopted, so that a double fork is no way out (Linux: PR_SET_CHILD_SUBREAPER)."""

import contextlib
import os
import signal
import sys
import time
from pathlib import Path

_PR_SET_CHILD_SUBREAPER = 36


def adopt() -> None:
    """Makes this process the parent of all orphans below it (elsewhere than on Linux: nothing)."""
    if not sys.platform.startswith("linux"):
        return
    import ctypes

    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def end(within_s: float = 5.0) -> None:
    """Kills until no descendant is left: each dead one hands its children up to this process."""
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        pids = _children()
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        try:
            os.waitpid(-1, 0 if pids else os.WNOHANG)
        except ChildProcessError:
            return


def _children() -> list[int]:
    """Of all threads: each has children of its own."""
    found: list[int] = []
    for task in Path("/proc/self/task").glob("*/children"):
        with contextlib.suppress(OSError):
            found += map(int, task.read_text().split())
    return found
