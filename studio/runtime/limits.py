"""Limits by cgroups: version 1 as root, version 2 where it is delegated, else nothing but a watchdog; says which.

Formats: https://docs.kernel.org/admin-guide/cgroup-v1/memory.html and cgroup-v2.html. One group per sandbox, below it
one per child; a group is a folder per controller (v1) or one folder (v2)."""

import hashlib
import logging
import os
import signal
import time
from contextlib import suppress
from pathlib import Path
from typing import Literal

from msgspec import Struct, field

from studio.runtime import process
from studio.runtime.specs import Limits

_log = logging.getLogger(__name__)
Kind = Literal["v1", "v2", "none"]
_CPU_PERIOD_US = 100_000
_V1_WANTED = ("memory", "pids", "cpu")
_UNLIMITED = 1 << 60  # version 1 writes no limit as a number of pages near 2**63


class Hierarchy(Struct, frozen=True):
    """What this host lets us use: `roots` maps controllers to the folder below which groups are made."""

    kind: Kind
    roots: dict[str, str] = field(default_factory=dict)
    detail: str = ""
    cure: str = ""

    def controls(self, controller: str) -> bool:
        """Whether `controller` (memory, pids, cpu) can be limited here."""
        return controller in self.roots


class Group(Struct, frozen=True):
    """One group: a folder per controller. Empty where there are no cgroups."""

    kind: Kind
    folders: dict[str, str] = field(default_factory=dict)
    limits: Limits = Limits()

    def folder(self, controller: str) -> Path | None:
        """Where `controller` of this group is set, None if it is not limited."""
        found = self.folders.get(controller)
        return Path(found) if found else None


class MemoryUse(Struct, frozen=True):
    """Bytes now and at most, the limit (0: none) and how many processes the kernel killed for memory."""

    now: int = 0
    peak: int = 0
    limit: int = 0
    kills: int = 0


def name_of(home: Path) -> str:
    """Name of the groups of one home, so that two homes on a machine never sweep each other's."""
    return "studio-" + hashlib.sha256(str(home).encode()).hexdigest()[:8]


def detect(name: str, mounts: str | None = None, own: str | None = None) -> Hierarchy:
    """Finds out by trying what can be used for groups called `name` (one per home)."""
    try:
        mounts = mounts if mounts is not None else Path("/proc/self/mounts").read_text()
        own = own if own is not None else Path("/proc/self/cgroup").read_text()
    except OSError:
        return Hierarchy("none", {}, "no cgroups on this system: memory is watched, not limited")
    v1, v2 = _mounted(mounts)
    places = _own(own)
    roots: dict[str, str] = {}
    for controller in _V1_WANTED:
        if controller in v1:
            base = Path(v1[controller]) / places.get(controller, "/").lstrip("/")
            if group := _try_folder(base if base.is_dir() else Path(v1[controller]), name):
                roots[controller] = str(group)
    if "memory" in roots:
        return Hierarchy("v1", roots, f"cgroup v1: {', '.join(roots)}")
    if v2 and (found := _detect_v2(Path(v2) / places.get("", "/").lstrip("/"), name)):
        return Hierarchy("v2", found, f"cgroup v2: {', '.join(found)}")
    for folder in roots.values():
        with suppress(OSError):
            Path(folder).rmdir()
    return Hierarchy(
        "none",
        {},
        "no cgroup that this user may write: memory is watched once a second, not limited by the kernel",
        "Start Studio with: systemd-run --user --scope -p Delegate=yes studio up",
    )


def _mounted(mounts: str) -> tuple[dict[str, str], str]:
    v1: dict[str, str] = {}
    v2 = ""
    for line in mounts.splitlines():
        _, place, kind, options, *_ = line.split()
        if kind == "cgroup":
            v1.update({option: place for option in options.split(",") if option in _V1_WANTED})
        elif kind == "cgroup2":
            v2 = place
    return v1, v2


def _own(text: str) -> dict[str, str]:
    places: dict[str, str] = {}
    for line in text.splitlines():
        _, controllers, place = line.split(":", 2)
        places.update(dict.fromkeys(controllers.split(","), place))
    return places


def _try_folder(base: Path, name: str) -> Path | None:
    group = base / name
    try:
        group.mkdir(exist_ok=True)
    except OSError:
        return None
    return group if os.access(group / "cgroup.procs", os.W_OK) else None


def _detect_v2(base: Path, name: str) -> dict[str, str]:
    """Controllers can be given to children only by a group without processes of its own, so the supervisor moves
    itself into a leaf; if others live in its group, it is not ours to rearrange."""
    try:
        offered = (base / "cgroup.controllers").read_text().split()
        wanted = [controller for controller in _V1_WANTED if controller in offered]
        if "memory" not in wanted or not os.access(base / "cgroup.procs", os.W_OK):
            return {}
        enabled = (base / "cgroup.subtree_control").read_text().split()
        if not set(wanted) <= set(enabled):
            inside = set(map(int, (base / "cgroup.procs").read_text().split()))
            if not inside <= {os.getpid()}:
                return {}
            leaf = base / "studio-supervisor"
            leaf.mkdir(exist_ok=True)
            (leaf / "cgroup.procs").write_text(str(os.getpid()))
            (base / "cgroup.subtree_control").write_text(" ".join(f"+{controller}" for controller in wanted))
        group = base / name
        group.mkdir(exist_ok=True)
        (group / "cgroup.subtree_control").write_text(" ".join(f"+{controller}" for controller in wanted))
    except OSError:
        return {}
    return {controller: str(group) for controller in wanted}


def make(hierarchy: Hierarchy, name: str, limits: Limits, parent: Group | None = None) -> Group:
    """Makes the group `name` (below `parent`) with `limits`; what the host cannot limit is left out."""
    folders: dict[str, str] = {}
    for controller, root in hierarchy.roots.items():
        base = Path(parent.folders.get(controller, root)) if parent else Path(root)
        folder = base / ("@" + name if parent else name)
        try:
            folder.mkdir(exist_ok=True)
        except OSError as error:
            _log.warning("%s of %s is not limited: %s", controller, name, error)
            continue
        folders[controller] = str(folder)
    group = Group(hierarchy.kind, folders, limits)
    if hierarchy.kind == "v2" and parent is None and folders:
        # Pid 1 and services live in a leaf, since a group with children may hold no process itself.
        _write(Path(next(iter(folders.values()))), "cgroup.subtree_control", " ".join(f"+{name}" for name in folders))
    _apply(group)
    return group


def _apply(group: Group) -> None:
    limits, modern = group.limits, group.kind == "v2"
    if folder := group.folder("memory"):
        size = str(limits.memory_mb << 20) if limits.memory_mb else "max" if modern else "-1"
        # Without a limit of swap a group over its limit swaps instead of ending, and the neighbours feel it.
        names = ("max", "swap.max") if modern else ("limit_in_bytes", "memsw.limit_in_bytes")
        swap = "0" if modern and limits.memory_mb else size
        # In version 1 the first may never be above the second: a raise needs the second first, a cut the other way.
        for name, text in ((names[0], size), (names[1], swap), (names[0], size)):
            _write(folder, f"memory.{name}", text)
    if folder := group.folder("pids"):
        _write(folder, "pids.max", str(limits.pids or "max"))
    if folder := group.folder("cpu"):
        quota = max(1000, int(limits.cpu * _CPU_PERIOD_US))
        if modern:
            _write(folder, "cpu.max", f"{quota if limits.cpu else 'max'} {_CPU_PERIOD_US}")
        else:
            _write(folder, "cpu.cfs_period_us", str(_CPU_PERIOD_US))
            _write(folder, "cpu.cfs_quota_us", str(quota if limits.cpu else -1))


def change(group: Group, limits: Limits) -> Group:
    """The group under other limits, as far as that ends nothing that runs: a memory limit below what is used stays as
    it was until the group is made anew. `held` says what is in force."""
    memory_mb = limits.memory_mb
    if memory_mb and memory(group).now > memory_mb << 20:
        memory_mb = held(group).memory_mb
    _apply(Group(group.kind, group.folders, Limits(limits.cpu, memory_mb, limits.pids)))
    return Group(group.kind, group.folders, limits)


def held(group: Group) -> Limits:
    """What the kernel says it holds the group to: 0 for what it does not limit."""
    modern = group.kind == "v2"
    size = pids = 0
    cpu = 0.0
    if folder := group.folder("memory"):
        size = _number(folder / ("memory.max" if modern else "memory.limit_in_bytes"))
    if folder := group.folder("pids"):
        pids = _number(folder / "pids.max")
    if folder := group.folder("cpu"):
        with suppress(OSError, ValueError):
            if modern:
                quota, period = (folder / "cpu.max").read_text().split()
            else:
                quota, period = ((folder / f"cpu.cfs_{name}_us").read_text() for name in ("quota", "period"))
            cpu = max(0.0, int(quota) / int(period))
    return Limits(cpu, 0 if size >= _UNLIMITED else size >> 20, pids)


def tried(hierarchy: Hierarchy) -> Limits:
    """Whether limits hold here, found out with a group made for it: 0 for what the kernel did not take."""
    group = make(hierarchy, f"trial-{os.getpid()}", Limits(cpu=1.0, memory_mb=64, pids=64))
    try:
        return held(group)
    finally:
        remove(group)


def _write(folder: Path, name: str, text: str) -> bool:
    try:
        (folder / name).write_text(text)
    except OSError:
        return False
    return True


def enter(group: Group, pid: int) -> None:
    """Puts host process `pid` and all that it starts from now on into the group; `OSError` if it is gone."""
    for folder in set(group.folders.values()):
        place = Path(folder)
        if group.kind == "v2" and (place / "cgroup.subtree_control").is_file() and _has_children(place):
            place = place / "main"
            place.mkdir(exist_ok=True)
        (place / "cgroup.procs").write_text(str(pid))


def _has_children(folder: Path) -> bool:
    return bool((folder / "cgroup.subtree_control").read_text().strip())


def memory(group: Group) -> MemoryUse:
    """What the kernel counted for the group; zeros where it counts nothing."""
    folder = group.folder("memory")
    if folder is None:
        return MemoryUse()
    if group.kind == "v2":
        names, events, key = ("memory.current", "memory.peak", "memory.max"), "memory.events", "oom_kill"
    else:
        names = ("memory.usage_in_bytes", "memory.max_usage_in_bytes", "memory.limit_in_bytes")
        events, key = "memory.oom_control", "oom_kill"
    now, peak, limit = (_number(folder / name) for name in names)
    kills = 0
    with suppress(OSError, ValueError):
        for line in (folder / events).read_text().splitlines():
            name, _, value = line.partition(" ")
            kills = int(value) if name == key else kills
    return MemoryUse(now, max(now, peak), 0 if limit >= _UNLIMITED else limit, kills)


def host_memory_mb() -> int:
    """What this host has, in MiB."""
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") >> 20


def _number(path: Path) -> int:
    with suppress(OSError, ValueError):
        return int(path.read_text())
    return 0


def pids(group: Group) -> list[int]:
    """Host pids of all processes in the group and below it."""
    found: set[int] = set()
    for folder in group.folders.values():
        for file in (Path(folder) / "cgroup.procs", *Path(folder).glob("**/cgroup.procs")):
            with suppress(OSError):
                found.update(map(int, file.read_text().split()))
    return sorted(found)


def kill(group: Group) -> None:
    """SIGKILL to everything in the group, survivors of a double fork included."""
    for _ in range(20):
        left = pids(group)
        if not left:
            return
        for pid in left:
            if found := process.handle(pid):
                process.send(found, signal.SIGKILL)


def remove(group: Group, timeout_s: float = 2.0) -> bool:
    """Removes the group's folders, deepest first; False if something still lives in one."""
    done = [_remove_folder(Path(folder), timeout_s) for folder in sorted(set(group.folders.values()))]
    return all(done)


def _remove_folder(folder: Path, timeout_s: float) -> bool:
    deadline = time.monotonic() + timeout_s
    while folder.exists():
        for inner in sorted(folder.glob("**/"), key=lambda path: -len(path.parts)):
            with suppress(OSError):
                inner.rmdir()
        if not folder.exists():
            break
        if time.monotonic() > deadline:
            return False
        # The kernel empties a group a little after its last process is reaped, and tells nobody.
        time.sleep(0.002)
    return True


def sweep(hierarchy: Hierarchy, keep: set[str]) -> list[str]:
    """Ends what a crashed supervisor left in this home's groups that are not in `keep`; the names removed."""
    removed: list[str] = []
    names = {child.name for root in hierarchy.roots.values() for child in Path(root).glob("*/")}
    for name in sorted(names - keep):
        folders = {key: str(Path(root, name)) for key, root in hierarchy.roots.items() if Path(root, name).is_dir()}
        left = Group(hierarchy.kind, folders)
        kill(left)
        remove(left)
        removed.append(name)
    return removed


def close(hierarchy: Hierarchy) -> None:
    """Removes the home's own group, when nothing is left in it."""
    remove(Group(hierarchy.kind, hierarchy.roots))
