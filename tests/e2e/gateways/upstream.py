"""The stand-in for the server or a lab behind a gateway: it answers with what it was asked."""

import contextlib
import hashlib
import json
import socket
import socketserver
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any


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
