"""Handles on processes that survive a restart of whoever holds them: a pid counts only with its start time."""

import asyncio
import os
import signal
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import psutil
from msgspec import Struct

_CLOCK_TICKS = os.sysconf("SC_CLK_TCK")


class Handle(Struct, frozen=True):
    """A process of this host. `start_time` is in clock ticks after boot (Linux) or hundredths since 1970 (elsewhere);
    a reused pid has another one."""

    pid: int
    start_time: int


def start_time(pid: int) -> int:
    """Start time of `pid`, 0 if there is no such process or only its zombie."""
    try:
        # The command's name, field 2, may contain spaces and brackets: what follows the last ')' is regular.
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return 0 if Path("/proc/self/stat").exists() else _start_time_elsewhere(pid)
    return 0 if fields[0] in "ZX" else int(fields[19])


def _start_time_elsewhere(pid: int) -> int:
    try:
        process = psutil.Process(pid)
        return 0 if process.status() == psutil.STATUS_ZOMBIE else int(process.create_time() * 100)
    except psutil.Error:
        return 0


def handle(pid: int) -> Handle | None:
    """A handle on the living process `pid`, or None."""
    started = start_time(pid)
    return Handle(pid, started) if started else None


def is_alive(process: Handle) -> bool:
    """Whether exactly this process lives (a zombie does not)."""
    return start_time(process.pid) == process.start_time


def send(process: Handle, number: int) -> bool:
    """Signals exactly this process; False if it is gone. With a pidfd the check and the signal cannot be raced."""
    try:
        descriptor = os.pidfd_open(process.pid)
    except ProcessLookupError:
        return False
    except (AttributeError, OSError):
        if is_alive(process):
            with suppress(ProcessLookupError):
                os.kill(process.pid, number)
                return True
        return False
    try:
        if not is_alive(process):
            return False
        signal.pidfd_send_signal(descriptor, number)
    except ProcessLookupError:
        return False
    finally:
        os.close(descriptor)
    return True


async def wait_end(process: Handle, timeout_s: float | None = None) -> bool:
    """Waits until the process has ended, whether or not it is a child; False after `timeout_s`."""
    try:
        descriptor = os.pidfd_open(process.pid)
    except ProcessLookupError:
        return True
    except (AttributeError, OSError):
        return await _poll_end(process, timeout_s)
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    try:
        if not is_alive(process):
            return True
        loop.add_reader(descriptor, ended.set)
        await asyncio.wait_for(ended.wait(), timeout_s)
    except TimeoutError:
        return False
    finally:
        loop.remove_reader(descriptor)
        os.close(descriptor)
    return True


async def _poll_end(process: Handle, timeout_s: float | None) -> bool:
    loop = asyncio.get_running_loop()
    deadline = loop.time() + timeout_s if timeout_s is not None else None
    while is_alive(process):
        if deadline is not None and loop.time() >= deadline:
            return False
        await asyncio.sleep(0.05)
    return True


def spawn_detached(
    argv: Sequence[str],
    *,
    env: dict[str, str],
    log: int | None = None,
    cwd: str | Path = "/",
    keep: Sequence[int] = (),
) -> subprocess.Popen[bytes]:
    """Starts a process in its own session with nothing on 0 and `log` (a descriptor) on 1 and 2, so that neither
    Ctrl-C nor the end of its parent reaches it. `keep`: descriptors that it inherits."""
    out = log if log is not None else subprocess.DEVNULL
    return subprocess.Popen(
        list(argv),
        env=env,
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=out,
        stderr=out,
        pass_fds=tuple(keep),
        start_new_session=True,
    )


def reap(pid: int) -> tuple[int | None, int | None] | None:
    """(code, signal) of an ended child of this process; None if it lives on, (None, None) if it is not our child."""
    try:
        found, status = os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return None, None
    if found == 0:
        return None
    return (None, os.WTERMSIG(status)) if os.WIFSIGNALED(status) else (os.WEXITSTATUS(status), None)


async def stop(process: Handle, grace_s: float = 5.0, *, interrupt: bool = False) -> None:
    """INT (if asked) → TERM → KILL, each with an equal part of `grace_s`; returns when the process has ended."""
    steps = [signal.SIGINT, signal.SIGTERM] if interrupt else [signal.SIGTERM]
    for number in steps:
        if grace_s <= 0:
            break
        if not send(process, number) or await wait_end(process, grace_s / len(steps)):
            return
    send(process, signal.SIGKILL)
    await wait_end(process, 5.0)


def inside_pid(pid: int) -> int:
    """The pid that host process `pid` has in its innermost pid namespace; 0 if unknown."""
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("NSpid:"):
                return int(line.split()[-1])
    return 0


def is_filtered(pid: int) -> bool:
    """Whether the kernel filters the system calls of `pid` (mode 2 in its status)."""
    with suppress(OSError):
        return "\nSeccomp:\t2\n" in Path(f"/proc/{pid}/status").read_text()
    return False


def children(pid: int) -> list[int]:
    """Host pids of the direct children of `pid`."""
    with suppress(OSError):
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    with suppress(psutil.Error):
        return [child.pid for child in psutil.Process(pid).children()]
    return []


def descendants(pid: int) -> list[int]:
    """Host pids of all descendants of `pid`, nearest first."""
    found: list[int] = []
    level = [pid]
    while level:
        level = [child for parent in level for child in children(parent)]
        found += level
    return found


def memory_bytes(pid: int) -> int:
    """Resident memory of one process that is its own or shared, 0 if it is gone."""
    with suppress(OSError, IndexError, ValueError):
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    with suppress(psutil.Error):
        return int(psutil.Process(pid).memory_info().rss)
    return 0


def cpu_ms(pid: int) -> int:
    """Processor time that `pid` and its ended children have used, in ms; 0 if it is gone."""
    with suppress(OSError, IndexError, ValueError):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return sum(map(int, fields[11:15])) * 1000 // _CLOCK_TICKS
    return 0
