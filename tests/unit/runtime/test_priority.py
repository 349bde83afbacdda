"""Giving way to others, and back."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from studio.runtime import priority

_THREADED = "import threading, sys; threading.Thread(target=sys.stdin.read).start(); print(1, flush=True)"


@pytest.fixture
def child() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen([sys.executable, "-c", _THREADED], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as made:
        yield made


def test_it_gives_way_and_comes_back_with_all_its_threads(child: "subprocess.Popen[bytes]") -> None:
    priority.lower(child.pid, 7)
    assert os.getpriority(os.PRIO_PROCESS, child.pid) == 7
    assert child.stdout is not None
    child.stdout.readline()  # its thread has begun
    priority.restore(child.pid)
    threads = [int(task.name) for task in Path(f"/proc/{child.pid}/task").iterdir()]
    assert len(threads) == 2
    expected = {0} if priority.can_restore() else {7}
    assert {os.getpriority(os.PRIO_PROCESS, thread) for thread in threads} <= expected | {0}
    assert os.getpriority(os.PRIO_PROCESS, child.pid) in expected


def test_who_is_gone_is_no_error() -> None:
    done = subprocess.Popen([sys.executable, "-c", ""])
    done.wait()
    priority.lower(done.pid, 7)
    priority.restore(done.pid)
