"""What a Studio left behind: processes, sockets, cgroups and mounts that name its home or its sockets' folder, in the
namespaces of sandboxes too.

Used at the end of tests: `leaks.check(settings)` waits a little and fails with a list. `leaks.table(settings)` is the
name → pid table while it runs."""

import os
import time
from pathlib import Path

import psutil

from studio.runtime import limits, supervising
from studio.settings import Settings


def table(settings: Settings) -> dict[str, int]:
    """Name → host pid of everything that the running supervisor shows."""
    state = supervising.call_once(settings.paths.sockets / "supervisor.sock", "state")
    found = {"supervisor": state["supervisor"]["pid"]}
    found |= {name: state[name]["pid"] for name in ("gateway", "server")}
    for sandbox in state["sandboxes"]:
        found[sandbox["id"]] = sandbox["pid"]
        for part in (*sandbox["services"], *sandbox["children"]):
            found[f"{sandbox['id']}/{part['name']}"] = part["pid"]
    return {name: pid for name, pid in found.items() if pid}


def find(settings: Settings, pids: dict[str, int] | None = None) -> list[str]:
    """Everything that is left, in words. `pids`: what was recorded with `table` and must have ended."""
    paths = settings.paths
    marks = (str(paths.home), str(paths.sockets))
    left = [f"process {name} ({pid})" for name, pid in (pids or {}).items() if _lives(pid)]
    for process in psutil.process_iter():
        try:
            words = " ".join(process.cmdline())
            variables = process.environ()
        except psutil.Error:
            continue
        named = any(mark in words for mark in marks) or variables.get("STUDIO_HOME") == marks[0]
        if named and process.pid != psutil.Process().pid and "pytest" not in words:
            left.append(f"process {process.pid}: {words[:200]}")
        elif _is_inside(process.pid, marks):
            left.append(f"process {process.pid} in a sandbox: {words[:200]}")
    left += [f"socket {path}" for path in paths.sockets.rglob("*")] if paths.sockets.exists() else []
    left += [f"listener {line}" for line in _lines("/proc/net/unix") if any(mark in line for mark in marks)]
    left += [f"mount {line}" for line in _lines("/proc/self/mounts") if any(mark in line for mark in marks)]
    return left + _groups(settings)


def _lives(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text().splitlines()
    except OSError:
        return []


def _is_inside(pid: int, marks: tuple[str, ...]) -> bool:
    """Whether a process with mounts of its own sees one of the folders: inside, neither command nor variables tell."""
    try:
        if Path(f"/proc/{pid}/ns/mnt").readlink() == Path("/proc/self/ns/mnt").readlink():
            return False
    except OSError:
        return False
    # Fields 3 and 4 are the file system and the place within it, which may itself be mounted somewhere.
    fields = [line.split() for line in _lines(f"/proc/{pid}/mountinfo")]
    places = [_place(mark) for mark in marks]
    return any(
        device == field[2] and place in field[3] for device, place in places for field in fields if len(field) > 3
    )


def _place(folder: str) -> tuple[str, str]:
    """The file system of `folder`, and `folder` as that calls it."""
    path = Path(folder)
    while not path.exists():
        path = path.parent
    device = path.stat().st_dev
    while not path.is_mount():
        path = path.parent
    return f"{os.major(device)}:{os.minor(device)}", "/" + str(Path(folder).relative_to(path))


def _groups(settings: Settings) -> list[str]:
    name = limits.name_of(settings.paths.home)
    root = Path("/sys/fs/cgroup")
    return [f"cgroup {path}" for path in root.rglob(name)] if root.is_dir() else []


def check(settings: Settings, pids: dict[str, int] | None = None, within_s: float = 5.0) -> None:
    """Fails if anything is left after `within_s` seconds."""
    deadline = time.monotonic() + within_s
    while left := find(settings, pids):
        assert time.monotonic() < deadline, "left behind:\n" + "\n".join(left)
        time.sleep(0.05)
