"""One real gateway process, its table pushed by the test."""

import contextlib
import hashlib
import http.client
import json
import secrets
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.e2e.gateways.forker import Forker
from tests.e2e.gateways.processes import environment, until


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
        self.secret_of_key = secrets.token_urlsafe(32)
        self.token = f"studio_key-test_{self.secret_of_key}"
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
                "keys/key-test": {"digest": digest, "user": user, "domain": domain, "expires_ms": None}
                | {"secret": self.secret_of_key},
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

    def endpoint(
        self, name: str, variants: list[tuple[str, float, list[Path]]], shadows: tuple[str, ...] = (), **more: Any
    ) -> None:
        """Sets an endpoint; a variant "v7" serves version 7 of the model."""
        rows = [
            {
                "name": label,
                "weight": weight,
                "version": label.removeprefix("v"),
                "shadow": label in shadows,
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
