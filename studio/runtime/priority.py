"""Who gives way when there are more processes than processors: nice values (setpriority(2), capabilities(7))."""

import os
from contextlib import suppress
from pathlib import Path

_CAP_SYS_NICE = 23


def lower(pid: int, nice: int) -> None:
    """Gives way from now on, with every thread and process that it starts; nothing happens if it is gone."""
    with suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, pid, nice)


def restore(pid: int) -> None:
    """Back to the usual priority, thread by thread: on Linux each has its own."""
    with suppress(OSError):
        for thread in Path(f"/proc/{pid}/task").iterdir():
            os.setpriority(os.PRIO_PROCESS, int(thread.name), 0)


def can_restore() -> bool:
    """Whether this process may undo `lower`: an ordinary user may not."""
    try:
        status = Path("/proc/self/status").read_text()
    except OSError:
        return False
    held = next((line.split()[1] for line in status.splitlines() if line.startswith("CapEff:")), "0")
    return bool(int(held, 16) >> _CAP_SYS_NICE & 1)
