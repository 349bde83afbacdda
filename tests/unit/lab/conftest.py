"""A lab as Studio starts it, without the sandbox around it: own process, own fork server, own socket folder."""

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

SECRET = "s" * 43
HOST = "demo.localhost:8600"
GATEWAY = {"host": HOST, "x-studio-lab": SECRET, "x-studio-user": "ada", "x-studio-role": "editor"}
DEADLINE_S = 120.0


class Hello(threading.Thread):
    """The supervisor's part of a child's first moment: everything that says hello may go."""

    def __init__(self, path: Path) -> None:
        super().__init__(daemon=True)
        self.server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.server.bind(str(path))
        self.server.listen(32)
        self.messages: list[dict[str, Any]] = []

    def run(self) -> None:
        """Answers until the socket is closed."""
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.server.accept()
                with client:
                    self.messages.append(json.loads(client.recv(65536)))
                    with contextlib.suppress(OSError):  # who only announces a fork waits for no answer
                        client.sendall(b'{"go": true}\n')


class Box:
    """The folders of a sandbox and the processes in it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.inside, self.outside, self.volume = root / "in", root / "out", root / "volume"
        self.home = self.volume / "ada"
        for folder in (self.inside / "kernels" / "sklearn", self.outside, self.home, self.volume / "shared"):
            folder.mkdir(parents=True)
        spec = {
            "argv": ["python"],
            "display_name": "sklearn",
            "language": "python",
            "metadata": {"kernel_provisioner": {"provisioner_name": "studio-fork"}},
        }
        (self.inside / "kernels" / "sklearn" / "kernel.json").write_text(json.dumps(spec))
        self.hello = Hello(self.inside / "hello.sock")
        self.hello.start()
        self.processes: list[subprocess.Popen[bytes]] = []
        self.log = (root / "log").open("ab")
        self.env = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.home),
            "STUDIO_IN": str(self.inside),
            "STUDIO_OUT": str(self.outside),
            "STUDIO_DOMAIN": "demo",
            "STUDIO_USER": "ada",
            "STUDIO_SANDBOX": "demo.ada",
            "PYTHONPATH": str(Path(__file__).resolve().parents[3]),
            "JE_ARROW_MALLOC_CONF": "background_thread:false",
            "OMP_NUM_THREADS": "1",
            "OPENBLAS_NUM_THREADS": "1",
        }

    @property
    def socket(self) -> Path:
        """Where the lab listens."""
        return self.outside / "lab.sock"

    def spawn(self, *argv: str, **env: str) -> subprocess.Popen[bytes]:
        """A process of this sandbox."""
        process = subprocess.Popen(
            [sys.executable, *argv], env=self.env | env, cwd=self.root, stdout=self.log, stderr=self.log
        )
        self.processes.append(process)
        return process

    def fork_server(self, preload: str = "") -> subprocess.Popen[bytes]:
        """The environment's fork server, answering."""
        process = self.spawn("-m", "studio.guest.forkserver", "--name", "sklearn", "--preload", preload)
        self.until((self.outside / "fork-sklearn.sock").exists, "the fork server")
        return process

    def lab(self, role: str = "editor", **env: str) -> subprocess.Popen[bytes]:
        """The lab, answering."""
        config = {
            "socket": str(self.socket),
            "secret": SECRET,
            "domain": "demo",
            "user": "ada",
            "role": role,
            "origin": f"http://{HOST}",
            "root_dir": str(self.volume),
            "address": "http://127.0.0.1:8600",
        }
        (self.inside / "lab.json").write_text(json.dumps(config))
        process = self.spawn("-m", "studio.lab", "--config", str(self.inside / "lab.json"), **env)
        self.until(self._answers, "the lab")
        return process

    def _answers(self) -> bool:
        # httpx leaks the socket of a connect that fails.
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            probe.connect(str(self.socket))
            with self.client() as client:
                return client.get("/api").status_code == 200
        return False

    def until(self, condition: Any, what: str) -> None:
        """Waits for `condition`; shows the processes' output when it does not come."""
        deadline = time.monotonic() + DEADLINE_S
        while not condition():
            assert time.monotonic() < deadline, f"{what} did not come:\n{(self.root / 'log').read_text()[-6000:]}"
            time.sleep(0.02)

    def client(self, **headers: str) -> httpx.Client:
        """A client that speaks as the gateway does; `headers` replace or add."""
        transport = httpx.HTTPTransport(uds=str(self.socket))
        wanted = {key: value for key, value in (GATEWAY | headers).items() if value}
        return httpx.Client(transport=transport, base_url=f"http://{HOST}", headers=wanted, timeout=30)

    def page(self, **headers: str) -> httpx.Client:
        """The same with the XSRF cookie that a page has."""
        client = self.client(**headers)
        client.get("/lab")
        client.headers["x-xsrftoken"] = client.cookies.get("_xsrf", "")
        return client

    def end(self) -> None:
        """Ends what was started here, kernels first."""
        for process in reversed(self.processes):
            if process.poll() is None:
                process.terminate()
        for process in self.processes:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.hello.server.close()
        self.log.close()
        shutil.rmtree(self.root)


@pytest.fixture(scope="module")
def box() -> Iterator[Box]:
    """A sandbox's folders, with a short path: unix sockets end at 107 bytes."""
    found = Box(Path(tempfile.mkdtemp(prefix="lab-", dir="/tmp")))
    try:
        yield found
    finally:
        found.end()


class Channels:
    """A page's websocket to one kernel (Jupyter messaging 5.3, JSON frames)."""

    def __init__(self, box: Box, kernel_id: str) -> None:
        from websockets.sync.client import unix_connect
        from websockets.typing import Origin

        headers = {key: value for key, value in GATEWAY.items() if key != "host"}
        self._connection = unix_connect(
            str(box.socket),
            f"ws://{HOST}/api/kernels/{kernel_id}/channels?session_id=test",
            origin=Origin(f"http://{HOST}"),
            additional_headers=headers,
            max_size=None,
        )
        self.socket = self._connection.__enter__()
        self.shown: list[dict[str, Any]] = []

    def send(self, code: str) -> str:
        """Begins a cell; the id of its request."""
        header = {
            "msg_id": os.urandom(8).hex(),
            "msg_type": "execute_request",
            "session": "test",
            "username": "",
            "version": "5.3",
        }
        content = {"code": code, "silent": False, "stop_on_error": True}
        message = {
            "header": header,
            "parent_header": {},
            "metadata": {},
            "content": content,
            "channel": "shell",
            "buffers": [],
        }
        self.socket.send(json.dumps(message))
        return str(header["msg_id"])

    def execute(self, code: str, timeout_s: float = 60.0) -> tuple[str, str]:
        """(what it printed and gave, its error's name); what it displayed is in `shown`."""
        number = self.send(code)
        text, error, seen = "", "", set()
        self.shown = []
        while seen != {"idle", "reply"}:
            answer = json.loads(self.socket.recv(timeout=timeout_s))
            if answer["parent_header"].get("msg_id") != number:
                continue
            kind, found = answer["msg_type"], answer["content"]
            if kind == "execute_reply":
                seen.add("reply")
            elif kind == "status" and found["execution_state"] == "idle":
                seen.add("idle")
            elif kind == "stream":
                text += found["text"]
            elif kind == "execute_result":
                text += found["data"]["text/plain"]
            elif kind == "display_data":
                self.shown.append(found["data"])
            elif kind == "error":
                error = found["ename"]
                text += found["evalue"]
        return text, error

    def close(self) -> None:
        """Leaves the kernel."""
        self._connection.__exit__(None, None, None)
