"""Handles: a pid counts only with its start time."""

import os
import signal
import subprocess
import sys
import time

from studio.runtime import process


def _python(source: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", source], stdin=subprocess.PIPE, stdout=subprocess.PIPE)


def test_reused_pid_is_not_signalled() -> None:
    own = process.handle(os.getpid())
    assert own is not None and process.is_alive(own)
    stranger = process.Handle(own.pid, own.start_time - 1)
    assert not process.is_alive(stranger) and process.send(stranger, signal.SIGKILL) is False


async def test_end_of_any_process_is_seen_and_a_zombie_is_dead() -> None:
    child = _python("input()")
    found = process.handle(child.pid)
    assert found is not None and not await process.wait_end(found, 0.01)
    child.communicate(b"\n")
    assert await process.wait_end(found, 5) and process.handle(child.pid) is None
    assert await process.wait_end(process.Handle(child.pid, 1))


async def test_stop_goes_from_interrupt_to_kill() -> None:
    stubborn = (
        "import signal, time\nfor n in (2, 15): signal.signal(n, signal.SIG_IGN)\nprint(flush=True)\ntime.sleep(60)"
    )
    child = _python(stubborn)
    with child:
        assert child.stdout is not None
        child.stdout.readline()
        found = process.handle(child.pid)
        assert found is not None
        began = time.monotonic()
        await process.stop(found, 0.2, interrupt=True)
        assert child.wait(5) == -signal.SIGKILL and time.monotonic() - began < 3


def test_memory_and_descendants_are_told() -> None:
    assert process.memory_bytes(os.getpid()) > 1 << 20 and process.cpu_ms(os.getpid()) >= 0
    with subprocess.Popen(
        ["sh", "-c", "sleep 60 & echo; wait"], stdout=subprocess.PIPE, start_new_session=True
    ) as child:
        assert child.stdout is not None
        child.stdout.readline()
        assert len(process.descendants(child.pid)) == 1
        os.killpg(child.pid, signal.SIGKILL)
    assert process.memory_bytes(child.pid) == 0
