"""Logs are kept to a size while they are written."""

import asyncio
import os
import threading
from pathlib import Path

from studio.runtime import logs
from studio.supervisor.log_caps import LogCaps
from tests.live import until

CAP = 8 << 20


def test_only_what_lives_is_looked_at_and_only_what_is_large_is_cut(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    for name, size in (("a/small.log", 100), ("a/large.log", CAP + 1), ("other.log", CAP + 1)):
        (tmp_path / name).write_bytes(b"x" * size)
    caps = LogCaps(tmp_path, set, CAP)
    assert caps.look({"a/small.log", "a/large.log", "a/absent.log"})
    assert logs.size_of(tmp_path, "a/small.log") == 100
    assert logs.size_of(tmp_path, "a/large.log") < CAP // 8 + 100
    assert logs.size_of(tmp_path, "other.log") == CAP + 1
    assert not caps.look({"a/small.log", "a/large.log", "a/absent.log"})


def test_what_grows_fast_is_looked_at_again_soon(tmp_path: Path) -> None:
    caps = LogCaps(tmp_path, set, CAP)
    log = tmp_path / "x.log"
    log.write_bytes(b"x")
    assert not caps.look({"x.log"})
    with log.open("ab") as file:
        file.write(b"x" * (2 << 20))
    assert caps.look({"x.log"})
    assert not caps.look({"x.log"})


def test_a_link_in_the_place_of_a_log_is_left_alone(tmp_path: Path) -> None:
    root = tmp_path / "logs"
    root.mkdir()
    (tmp_path / "secret").write_bytes(b"x" * (CAP + 1))
    (root / "link.log").symlink_to(tmp_path / "secret")
    LogCaps(root, set, 10).look({"link.log"})
    assert (tmp_path / "secret").stat().st_size == CAP + 1


def test_a_writer_without_end_never_has_much_more_than_the_cap(tmp_path: Path) -> None:
    """Somebody writes 40 MB, 20 of them a second; between two looks the log grows by what is written then."""
    ended = threading.Event()
    writer = logs.open_append(tmp_path, "wild.log")
    largest = 0

    def write() -> None:
        nonlocal largest
        for _ in range(40):
            os.write(writer, b"printed\n" * (1 << 17))
            largest = max(largest, logs.size_of(tmp_path, "wild.log"))
            ended.wait(0.05)  # 20 MB a second
        ended.set()

    async def run() -> None:
        looking = asyncio.create_task(LogCaps(tmp_path, lambda: {"wild.log"}, CAP).run())
        await asyncio.to_thread(write)
        await asyncio.to_thread(until, lambda: logs.size_of(tmp_path, "wild.log") <= CAP, "the last cut")
        looking.cancel()

    try:
        asyncio.run(run())
    finally:
        os.close(writer)
    # A second of a calm look, and then tenths of one.
    assert largest < CAP + (32 << 20)
