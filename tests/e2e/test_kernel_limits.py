"""A kernel of the lab has the size of the smallest instance type, and what goes beyond it hurts nobody else."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from studio.cli.demo.kernel import Kernel
from studio.loops.sandboxes import KERNEL_PIDS
from studio.runtime.specs import ExitRecord
from studio.runtime.supervising import call_once
from tests.e2e.killing import children, state
from tests.live import Live, running, until


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    with running(tmp_path_factory.mktemp("limits")) as started:
        if not state(started)["supervisor"]["limits"].startswith("cgroup"):
            pytest.skip("no cgroup that this user may write")
        yield started


@pytest.fixture(scope="module")
def kernels(live: Live) -> Iterator[list[Kernel]]:
    """Two kernels in one lab."""
    with closing(live.person()) as visitor:
        origin = live.in_lab(visitor)
        found = [Kernel.start(visitor, origin, "sklearn", f"{n}.ipynb") for n in range(2)]
        yield found
        for kernel in found:
            kernel.disconnect()


def group(live: Live, kernel: Kernel, controller: str) -> Path:
    """The folder of the kernel's group, from the kernel's own word about the process."""
    pid = next(child["pid"] for name, child in children(live).items() if kernel.id in name)
    lines = Path(f"/proc/{pid}/cgroup").read_text().splitlines()
    for line in lines:
        _, controllers, place = line.split(":", 2)
        if controller in controllers.split(","):
            return Path("/sys/fs/cgroup") / controller / place.lstrip("/")
        if not controllers:
            modern = Path("/sys/fs/cgroup") / place.lstrip("/")
    return modern


def read(folder: Path, *names: str) -> int:
    """The number in the first of the files that is there (version 1 and 2 call it differently)."""
    return int(next(folder / name for name in names if (folder / name).exists()).read_text())


def test_a_kernel_is_put_under_the_smallest_instance_type(live: Live, kernels: list[Kernel]) -> None:
    assert kernels[0].value("1 + 1") == 2
    with live.operator() as api:
        smallest = api.get("instance-types")[0]
    memory = read(group(live, kernels[0], "memory"), "memory.limit_in_bytes", "memory.max")
    assert memory == smallest["memory_mb"] << 20
    assert read(group(live, kernels[0], "pids"), "pids.max") == KERNEL_PIDS


def test_a_kernel_cannot_start_threads_and_processes_without_end(kernels: list[Kernel]) -> None:
    # Threads, since they count as processes do and a thousand of them stay within the memory.
    bomb = f"""
import threading
done, threads, refused = threading.Event(), [], "never"
try:
    while len(threads) < {2 * KERNEL_PIDS}:
        threads.append(threading.Thread(target=done.wait))
        threads[-1].start()
except RuntimeError as error:
    refused = str(error)
    threads.pop()
done.set()
for thread in threads:
    thread.join()
"""
    kernels[1].run(bomb)
    assert "can't start new thread" in kernels[1].value("refused")
    assert KERNEL_PIDS // 2 < kernels[1].value("len(threads)") < KERNEL_PIDS


def test_a_kernel_over_its_memory_ends_alone(live: Live, kernels: list[Kernel]) -> None:
    greedy, neighbour = kernels
    neighbour.run("kept = 41 + 1")
    name = next(name for name in children(live) if greedy.id in name)
    # No answer comes from a process that the kernel of the host has ended.
    with pytest.raises(Exception, match=r"."):
        greedy.run("held = []\nwhile True: held.append(b'1' * (64 << 20))", timeout_s=10)

    def ended() -> ExitRecord | None:
        found = call_once(live.settings.paths.sockets / "supervisor.sock", "exits")
        return next((record for record in found if record["name"] == name), None)

    record = until(ended, "the end of the greedy kernel")
    assert record["reason"] == "out of memory", record
    assert neighbour.value("kept") == 42
