"""A really started gateway, replicas and fork server for tests; small stand-ins for the server and labs behind it."""

import contextlib
import hashlib
import http.client
import json
import os
import secrets
import socket
import socketserver
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
# Imports what a fork server preloads, then forks replicas as the gateway asks.
_FORKER = """
import json, os, signal, socket, sys
import pandas, skops.io, sklearn.compose, sklearn.linear_model, sklearn.pipeline, sklearn.preprocessing, yaml, uvloop
from studio.guest.replica import main
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
listener = socket.socket(socket.AF_UNIX); listener.bind(sys.argv[1]); listener.listen(64)
print("ready", flush=True)
forks = 0
while True:
    connection, _ = listener.accept()
    for line in connection.makefile("rb"):
        request = json.loads(line)
        forks += 1
        print("fork", forks, flush=True)
        pid = os.fork()
        if pid == 0:
            listener.close(); connection.close()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            try:
                main(request["args"])
            finally:
                os._exit(0)
        print("pid", pid, flush=True)
        connection.sendall(json.dumps({"ok": True, "pid": pid}).encode() + b"\\n")
"""


def until(condition: Callable[[], Any], what: str, seconds: float = 60.0) -> Any:
    """The first true value of `condition`, or a failure naming `what`."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := condition():
            return found
        time.sleep(0.01)
    raise AssertionError(f"not within {seconds} s: {what}")


def environment() -> dict[str, str]:
    keep = {key: value for key, value in os.environ.items() if key in ("PATH", "HOME", "LANG", "VIRTUAL_ENV")}
    return keep | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


class Forker:
    """Stands for the fork server of an environment: imports once, forks replicas; `log` names each fork."""

    def __init__(self, folder: Path) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="fk-", dir="/tmp")
        self.socket = Path(self._folder.name) / "fork.sock"
        self.log = folder / "forker.log"
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-c", _FORKER, str(self.socket)], env=environment(), stdout=log, stderr=log
            )
        until(lambda: "ready" in self.log.read_text(), "the fork server", 90)

    def fork(self, args: dict[str, Any]) -> int:
        """The pid of a new replica."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(self.socket))
            connection.sendall(
                json.dumps({"op": "fork", "name": args["name"], "kind": "replica", "args": args}).encode() + b"\n"
            )
            return int(json.loads(connection.makefile("rb").readline())["pid"])

    def forks(self) -> list[int]:
        """The pids of all forks so far."""
        return [int(line.split()[1]) for line in self.log.read_text().splitlines() if line.startswith("pid ")]

    def end_all(self) -> None:
        """Kills every fork; waits until they are gone."""
        for pid in self.forks():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, 9)
        until(lambda: not any(alive(pid) for pid in self.forks()), "the replicas' end")

    def close(self) -> None:
        self.end_all()
        self._process.kill()
        self._process.wait(10)
        self._folder.cleanup()


def alive(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


class Gateway:
    """One gateway process on an inherited listening socket; `table` is what was pushed last."""

    def __init__(self, folder: Path, forker: "Forker | None" = None) -> None:
        self.forker = forker
        self.pids: dict[str, int] = {}
        self.home = folder / "home"
        (self.home / "keys").mkdir(parents=True)
        (self.home / "keys" / "gateway-secret").write_text(secrets.token_urlsafe(32))
        self._sockets = tempfile.TemporaryDirectory(prefix="gw-", dir="/tmp")
        self.sockets = Path(self._sockets.name)
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port: int = self.listener.getsockname()[1]
        self.table: dict[str, Any] = {}
        self.seq = 0
        self.options: dict[str, Any] = {}
        self.token = "studio_key-test_" + secrets.token_urlsafe(32)
        self.process: subprocess.Popen[bytes] | None = None
        self.log = folder / "gateway.log"

    @property
    def secret(self) -> str:
        return (self.home / "keys" / "gateway-secret").read_text()

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    def start(self) -> None:
        config = self.home / "gateway.json"
        config.write_text(
            json.dumps(
                {
                    "home": str(self.home),
                    "sockets": str(self.sockets),
                    "port": self.port,
                    "fds": [self.listener.fileno()],
                    "secret": str(self.home / "keys" / "gateway-secret"),
                }
                | self.options
            )
        )
        with contextlib.suppress(FileNotFoundError):
            (self.sockets / "gateway.sock").unlink()
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "studio.gateway", "--config", str(config)],
                pass_fds=[self.listener.fileno()],
                env=environment(),
                stdout=log,
                stderr=log,
            )
        until(self._answers, "the gateway's control socket")

    def _answers(self) -> bool:
        assert self.process is not None and self.process.poll() is None, self.log.read_text()
        try:
            return bool(self.ask({"op": "hello"}))
        except OSError:
            return False

    def ask(self, message: dict[str, Any]) -> dict[str, Any]:
        """One line to the control socket, and its answer."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(30)
            connection.connect(str(self.sockets / "gateway.sock"))
            connection.sendall(json.dumps(message).encode() + b"\n")
            answer = connection.makefile("rb").readline()
        found: dict[str, Any] = json.loads(answer)
        return found

    def push(self, **entries: Any) -> None:
        """Sets entries; `key__part` stands for `key/part`; None removes."""
        self.set({key.replace("__", "/"): value for key, value in entries.items()})

    def set(self, entries: dict[str, Any]) -> None:
        self.table = {key: value for key, value in (self.table | entries).items() if value is not None}
        self.seq += 1
        answer = self.ask({"seq": self.seq, "full": self.table})
        assert answer == {"ack": self.seq}, answer

    def member(self, user: str = "ann", domain: str = "demo") -> None:
        """A domain with one member, whose key is `token`."""
        digest = hashlib.sha256(self.token.encode()).hexdigest()
        self.set(
            {
                f"domains/{domain}": {"port": None},
                f"members/{domain}/{user}": {"role": "editor"},
                "keys/key-test": {"digest": digest, "user": user, "domain": domain, "expires_ms": None},
            }
        )

    def session(self, domain: str | None, user: str = "ann") -> tuple[str, str]:
        """(Cookie header, csrf) of a new session."""
        value, csrf = secrets.token_urlsafe(32), secrets.token_urlsafe(16)
        entry = {
            "id": "session-1",
            "user": user,
            "csrf": csrf,
            "expires_ms": int(time.time() * 1000) + 60_000,
            "domain": domain,
        }
        self.set({f"sessions/{hashlib.sha256(value.encode()).hexdigest()}": entry})
        return f"studio_{domain or 'session'}={value}", csrf

    def endpoint(self, name: str, variants: list[tuple[str, float, list[Path]]], **more: Any) -> None:
        rows = [
            {
                "name": label,
                "weight": weight,
                "version": label.removeprefix("v"),
                "replicas": [str(path) for path in replicas],
            }
            for label, weight, replicas in variants
        ]
        self.set(
            {
                f"endpoints/demo/{name}": {
                    "variants": rows,
                    "mode": "always",
                    "capture": None,
                    "wake": None,
                    "timeout_s": 30,
                }
                | more
            }
        )

    def replica(self, model: Path, name: str) -> Path:
        """Starts a replica of `model` by a fork; its socket, once it is ready."""
        path = self.replica_socket(name)
        assert self.forker is not None
        self.pids[name] = self.forker.fork({"socket": str(path), "model_dir": str(model), "name": name})
        until(path.exists, f"replica {name}", 60)
        return path

    def replica_socket(self, name: str) -> Path:
        folder = self.sockets / "b" / "demo.service" / "out" / "r"
        folder.mkdir(parents=True, exist_ok=True)
        return folder / f"{name}.sock"

    def request(
        self,
        method: str,
        path: str,
        body: bytes | str | None = None,
        *,
        host: str = "",
        key: bool = False,
        **headers: str,
    ) -> tuple[int, dict[str, str], bytes]:
        """One request on a connection of its own: (status, headers, body)."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if host:
            sent["Host"] = host
        if key:
            sent["Authorization"] = f"Bearer {self.token}"
        try:
            connection.request(method, path, body, sent)
            answer = connection.getresponse()
            return answer.status, {name.lower(): value for name, value in answer.headers.items()}, answer.read()
        finally:
            connection.close()

    def raw(self, data: bytes, *, half_close: bool = False, seconds: float = 10.0) -> bytes:
        """Everything the gateway answers to `data` until it closes (or the time is over)."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=seconds) as connection:
            connection.sendall(data)
            if half_close:
                connection.shutdown(socket.SHUT_WR)
            got = b""
            with contextlib.suppress(TimeoutError, ConnectionResetError):
                while part := connection.recv(65536):
                    got += part
        return got

    def predict(self, name: str, body: str, **headers: str) -> tuple[int, dict[str, str], Any]:
        status, found, answer = self.request(
            "POST", f"/endpoints/{name}/invocations", body, key=True, **({"Content_Type": "application/json"} | headers)
        )
        return status, found, json.loads(answer)

    def stop(self, *, kill: bool = False) -> None:
        if self.process is not None:
            (self.process.kill if kill else self.process.terminate)()
            self.process.wait(15)
            self.process = None

    def close(self) -> None:
        self.stop()
        if self.forker is not None:
            self.forker.end_all()
        self.listener.close()
        self._sockets.cleanup()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def _echo(self) -> None:
        length = self.headers.get("content-length")
        chunked = self.headers.get("transfer-encoding") == "chunked"
        digest, size = hashlib.sha256(), 0
        for part in self._chunks() if chunked else self._blocks(int(length or 0)):
            digest.update(part)
            size += len(part)
        self.server.seen.append(self.path)  # type: ignore[attr-defined]
        if self.path.startswith("/die"):
            self.close_connection = True
            return
        if self.path.startswith("/big"):
            self._big(int(self.path.rpartition("=")[2]))
            return
        body = json.dumps(
            {
                "method": self.command,
                "path": self.path,
                "headers": [[name.lower(), value] for name, value in self.headers.items()],
                "sha256": digest.hexdigest(),
                "size": size,
            }
        ).encode()
        self.send_response(204 if self.path == "/nothing" else 200)
        self.send_header("set-cookie", "studio_demo=evil; Path=/")
        self.send_header("set-cookie", "mine=1")
        self.send_header("set-cookie", "tossed=1; Domain=localhost")
        if self.path != "/nothing":
            self.send_header("content-length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD" and self.path != "/nothing":
            self.wfile.write(body)

    def _big(self, size: int) -> None:
        self.send_response(200)
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        block = bytes(range(256)) * 256
        for at in range(0, size, len(block)):
            part = block[: size - at]
            self.wfile.write(b"%x\r\n%b\r\n" % (len(part), part))
        self.wfile.write(b"0\r\n\r\n")

    def _blocks(self, left: int) -> Iterator[bytes]:
        while left:
            part = self.rfile.read(min(left, 65536))
            if not part:
                return
            left -= len(part)
            yield part

    def _chunks(self) -> Iterator[bytes]:
        while size := int(self.rfile.readline(), 16):
            yield self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("do_"):
            return self._echo
        raise AttributeError(name)

    def log_message(self, *args: Any) -> None:
        return

    def address_string(self) -> str:
        return "unix"


class Upstream(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    """Stands for the server or a lab: answers with what it was asked."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileNotFoundError):
            path.unlink()
        super().__init__(str(path), _Handler)
        self.path = path
        self.seen: list[str] = []
        self._open: set[socket.socket] = set()
        self._thread = threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def get_request(self) -> tuple[socket.socket, Any]:
        connection, _ = super().get_request()
        self._open.add(connection)
        return connection, ("unix", 0)

    def handle_error(self, request: Any, client_address: Any) -> None:
        return

    def close(self) -> None:
        """As a killed process: nobody listens, every connection is gone."""
        self.shutdown()
        self.server_close()
        self.path.unlink(missing_ok=True)
        for connection in self._open:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
                connection.close()
