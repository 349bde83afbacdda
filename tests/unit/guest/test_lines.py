"""Lines between processes that have one thread, and reports that wait for their reader."""

import json
import os
import socket
import threading
from pathlib import Path

import pytest

from studio.guest import forkserver
from studio.guest.lines import Reporter, admit
from studio.runtime import sockets


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("in", "out"):
        (tmp_path / name).mkdir()
        monkeypatch.setenv(f"STUDIO_{name.upper()}", str(tmp_path / name))
    return tmp_path


def _hear(
    folder: Path, answer: bytes, count: int = 1, descriptor: int | None = None
) -> tuple[threading.Thread, list[dict[str, object]]]:
    server = sockets.listen(folder / "in" / "hello.sock")
    server.setblocking(True)
    heard: list[dict[str, object]] = []

    def serve() -> None:
        with server:
            for _ in range(count):
                connection, _ = server.accept()
                with connection:
                    heard.append(json.loads(connection.recv(65536)))
                    socket.send_fds(connection, [answer], [descriptor] if descriptor is not None else [])

    thread = threading.Thread(target=serve)
    thread.start()
    return thread, heard


def test_reports_wait_for_the_supervisor_and_survive_the_reporter(folder: Path) -> None:
    first = Reporter("fork-a")
    first.exited("job-1", 12, 3 << 8)
    first.exited("job-2", 13, 9)
    assert not first.flush()
    again = Reporter("fork-a")
    thread, heard = _hear(folder, b'{"ok":true}\n', count=3)
    again.ready()
    thread.join()
    ended = [message["exited"] for message in heard[:2]]
    assert [(e["name"], e["code"], e["signal"]) for e in ended] == [("job-1", 3, None), ("job-2", None, 9)]  # type: ignore[index]
    assert heard[2] == {"ready": "fork-a", "note": "", "warm": False}
    assert (folder / "out" / "exits-fork-a.jsonl").read_text() == ""


def test_admission_brings_the_log_or_a_refusal(folder: Path) -> None:
    log = os.open(folder / "log", os.O_WRONLY | os.O_CREAT)
    thread, heard = _hear(folder, b'{"go":true}\n', descriptor=log)
    answer, descriptor = admit("job-1", "job")
    thread.join()
    assert answer == {"go": True} and heard == [{"name": "job-1", "kind": "job"}]
    assert descriptor is not None
    os.write(descriptor, b"through")
    os.close(descriptor)
    os.close(log)
    assert (folder / "log").read_text() == "through"
    thread, _ = _hear(folder, b'{"go":false,"why":"full"}\n')
    with pytest.raises(PermissionError, match="full"):
        admit("job-1", "job")
    thread.join()
    with pytest.raises(TimeoutError):
        admit("job-1", "job", timeout_s=0.05)


def test_broken_module_costs_only_itself() -> None:
    preload = forkserver.Preload()
    preload.take(["json", "no_such_module_here"])
    assert (preload.imported, list(preload.failed), preload.threaded) == (["json"], ["no_such_module_here"], [])
    assert forkserver.threads() >= 1
