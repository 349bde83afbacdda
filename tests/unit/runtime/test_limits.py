"""Which cgroups are used, and how: on folders like the kernel's, and on the kernel's own where this host lets us."""

import os
import subprocess
from pathlib import Path

import pytest

from studio.runtime import limits, process
from studio.runtime.specs import Limits


def _v2(root: Path, controllers: str = "cpu memory pids") -> tuple[str, str]:
    """(mounts, own) of a host whose version 2 group of this process is `root`."""
    (root / "cgroup.controllers").write_text(controllers)
    (root / "cgroup.subtree_control").write_text("")
    (root / "cgroup.procs").write_text(f"{os.getpid()}\n")
    return f"cgroup2 {root} cgroup2 rw 0 0\n", "0::/\n"


def test_version_2_is_used_when_the_group_is_ours_alone(tmp_path: Path) -> None:
    mounts, own = _v2(tmp_path)
    found = limits.detect("studio-x", mounts, own)
    assert (found.kind, found.detail) == ("v2", "cgroup v2: memory, pids, cpu")
    # The supervisor has moved to a leaf, so that its group may hand controllers down.
    assert (tmp_path / "studio-supervisor" / "cgroup.procs").read_text() == str(os.getpid())
    group = limits.make(found, "alpha.ann", Limits(cpu=1.5, memory_mb=64, pids=20))
    folder = tmp_path / "studio-x" / "alpha.ann"
    assert (folder / "memory.max").read_text() == str(64 << 20)
    assert (folder / "memory.swap.max").read_text() == "0"
    assert (folder / "pids.max").read_text() == "20"
    assert (folder / "cpu.max").read_text() == "150000 100000"
    child = limits.make(found, "job-1", Limits(memory_mb=32), group)
    limits.enter(group, 1234)
    limits.enter(child, 5678)
    assert (folder / "main" / "cgroup.procs").read_text() == "1234"
    assert (folder / "@job-1" / "cgroup.procs").read_text() == "5678"


def test_version_2_with_strangers_in_the_group_is_left_alone(tmp_path: Path) -> None:
    mounts, own = _v2(tmp_path)
    (tmp_path / "cgroup.procs").write_text(f"{os.getpid()}\n1\n")
    found = limits.detect("studio-x", mounts, own)
    assert found.kind == "none" and "systemd-run" in found.cure
    assert not (tmp_path / "studio-supervisor").exists()


def test_no_memory_controller_is_no_limit(tmp_path: Path) -> None:
    found = limits.detect("studio-x", *_v2(tmp_path, "cpu"))
    assert found.kind == "none" and not found.roots
    group = limits.make(found, "alpha.ann", Limits(memory_mb=64))
    assert group.folders == {} and limits.memory(group) == limits.MemoryUse()
    limits.enter(group, os.getpid())
    assert limits.remove(group)


def test_memory_of_version_2_is_read(tmp_path: Path) -> None:
    for name, text in (("current", "5\n"), ("peak", "9\n"), ("max", "max\n"), ("events", "oom 1\noom_kill 2\n")):
        (tmp_path / f"memory.{name}").write_text(text)
    group = limits.Group("v2", {"memory": str(tmp_path)})
    assert limits.memory(group) == limits.MemoryUse(5, 9, 0, 2)


def test_version_2_is_changed_and_says_what_it_holds(tmp_path: Path) -> None:
    folders = dict.fromkeys(("memory", "pids", "cpu"), str(tmp_path))
    group = limits.Group("v2", folders, Limits())
    assert limits.held(group) == Limits()  # nothing says anything yet
    group = limits.change(group, Limits(cpu=0.5, memory_mb=64, pids=20))
    assert limits.held(group) == group.limits == Limits(cpu=0.5, memory_mb=64, pids=20)
    assert (tmp_path / "memory.swap.max").read_text() == "0"
    (tmp_path / "memory.current").write_text(str(40 << 20))
    # What is used already stays allowed; the rest changes, and what was asked for is remembered.
    group = limits.change(group, Limits(memory_mb=32, pids=10))
    assert limits.held(group) == Limits(memory_mb=64, pids=10) and group.limits.memory_mb == 32
    group = limits.change(group, Limits())
    assert limits.held(group) == Limits() and (tmp_path / "memory.swap.max").read_text() == "max"


def test_the_kernels_limits_are_raised_cut_and_taken_away() -> None:
    hierarchy = limits.detect(f"studio-test-change-{os.getpid()}")
    if hierarchy.kind == "none":
        pytest.skip("no cgroup that this user may write")
    try:
        assert limits.tried(hierarchy).memory_mb == 64
        group = limits.make(hierarchy, "alpha.ann", Limits(memory_mb=64, pids=20, cpu=1))
        for wanted in (Limits(2.0, 512, 500), Limits(0.5, 32, 10), Limits(), Limits(1.5, 128, 40)):
            group = limits.change(group, wanted)
            assert limits.held(group) == wanted
    finally:
        limits.sweep(hierarchy, set())
        limits.close(hierarchy)


def test_what_a_crashed_supervisor_left_is_swept() -> None:
    hierarchy = limits.detect(f"studio-test-{os.getpid()}")
    if hierarchy.kind == "none":
        pytest.skip("no cgroup that this user may write")
    try:
        group = limits.make(hierarchy, "alpha.ann", Limits(memory_mb=64, pids=20, cpu=1))
        kept = limits.make(hierarchy, "beta.bob", Limits())
        child = limits.make(hierarchy, "job-1", Limits(memory_mb=32), group)
        sleeper = subprocess.Popen(["sleep", "600"], start_new_session=True)
        limits.enter(child, sleeper.pid)
        assert limits.pids(group) == limits.pids(child) == [sleeper.pid]
        assert limits.memory(child).limit == 32 << 20
        assert limits.sweep(hierarchy, {"beta.bob"}) == ["alpha.ann"]
        assert sleeper.wait(10) == -9 and process.handle(sleeper.pid) is None
        assert not group.folder("memory").exists() and kept.folder("memory").exists()  # type: ignore[union-attr]
    finally:
        limits.sweep(hierarchy, set())
        limits.close(hierarchy)
    assert not any(Path(folder).exists() for folder in hierarchy.roots.values())
