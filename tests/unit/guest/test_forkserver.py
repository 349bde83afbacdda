"""The fork server's start: it serves between imports, and leaves out what leaves threads behind."""

import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.live import until

ROOT = Path(__file__).resolve().parents[3]
WAITS = "import pathlib, time\nwhile not pathlib.Path({!r}).exists(): time.sleep(0.01)"
THREADED = "import threading, time\nthreading.Thread(target=time.sleep, args=(60,), daemon=True).start()"


@pytest.fixture
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Short, for the sockets in it."""
    with tempfile.TemporaryDirectory(prefix="fs-", dir="/tmp") as name:
        yield Path(name)


@contextmanager
def supervisor(folder: Path) -> Iterator[list[dict[str, Any]]]:
    """Answers on hello.sock; what it was told."""
    told: list[dict[str, Any]] = []
    server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    server.bind(str(folder / "hello.sock"))
    server.listen(8)

    def serve() -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            with connection, connection.makefile("rwb") as lines:
                if line := lines.readline():
                    told.append(json.loads(line))
                    lines.write(b'{"ok":true}\n')

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield told
    finally:
        server.shutdown(socket.SHUT_RDWR)
        server.close()
        thread.join()


@contextmanager
def running(folder: Path, preload: str, then: str) -> Iterator["subprocess.Popen[bytes]"]:
    env = {"STUDIO_IN": str(folder), "STUDIO_OUT": str(folder), "PYTHONPATH": f"{ROOT}:{folder}"}
    argv = [sys.executable, "-m", "studio.guest.forkserver", "--name", "x", "--preload", preload, "--then", then]
    with subprocess.Popen(argv, env=env | {"PATH": os.environ["PATH"]}, cwd="/") as process:
        try:
            yield process
        finally:
            process.kill()


def connect(folder: Path) -> socket.socket:
    client = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)

    def connected() -> bool:
        try:
            client.connect(str(folder / "fork-x.sock"))
        except OSError:
            return False
        return True

    until(connected, "the fork server")
    return client


def ping(client: socket.socket) -> dict[str, Any]:
    client.sendall(b'{"op": "ping"}\n')
    with client.makefile("rb") as lines:
        found: dict[str, Any] = json.loads(lines.readline())
    return found


def imported(folder: Path, name: str) -> dict[str, Any] | None:
    """What it says of itself once it has imported `name`. It may end under our hands, to begin anew."""
    try:
        with connect(folder) as client:
            found = ping(client)
    except (OSError, ValueError):
        return None
    return found if name in found["preloaded"] else None


def test_orders_are_taken_between_two_imports(folder: Path) -> None:
    for name in ("one", "two"):
        (folder / f"{name}.py").write_text(WAITS.format(str(folder / f"go-{name}")))
    with supervisor(folder) as told, running(folder, "json", "one,two"), connect(folder) as client:
        client.sendall(b'{"op": "ping"}\n')  # lies there while `one` is imported
        (folder / "go-one").touch()
        with client.makefile("rb") as lines:
            first = json.loads(lines.readline())
        assert first["ok"] and first["preloaded"] in (["json"], ["json", "one"])
        assert {"ready": "fork-x", "note": "", "warm": False} in told
        (folder / "go-two").touch()
        until(lambda: ping(client)["preloaded"] == ["json", "one", "two"], "both of them")


def test_what_leaves_threads_behind_is_left_out(folder: Path) -> None:
    (folder / "threaded.py").write_text(THREADED)
    for first, then in (("json,threaded", "bisect"), ("json", "threaded,bisect")):
        with supervisor(folder), running(folder, first, then):
            found = until(lambda: imported(folder, "bisect"), "the last of its modules")
            assert found["preloaded"] == ["json", "bisect"] and found["threads"] == 1
            assert "threads" in found["failed"]["threaded"]
        (folder / "fork-x.sock").unlink()
        (folder / "hello.sock").unlink()
