"""What tests of files have in common: large bodies, senders that die, what is half here."""

import hashlib
import socket
from collections.abc import Iterator
from pathlib import Path

import httpx

from tests.live import until
from tests.protocol.conftest import Running

BASE = "/api/2.0/mlflow-artifacts/"
FILES = f"{BASE}artifacts/"
MIB = 1 << 20


def blocks(size: int, seed: int = 0) -> Iterator[bytes]:
    """`size` bytes that no disk or wire compresses, in pieces."""
    for at in range(0, size, MIB):
        block = hashlib.shake_128(f"{seed} {at}".encode()).digest(1024) * 1024
        yield block[: min(MIB, size - at)]


def digest(parts: Iterator[bytes]) -> str:
    found = hashlib.sha256()
    for part in parts:
        found.update(part)
    return found.hexdigest()


def peak_mib(running: Running) -> int:
    """The most memory that the server ever had, in MiB."""
    assert running.process is not None
    lines = Path(f"/proc/{running.process.pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) >> 10


def uploads(running: Running) -> list[Path]:
    """Everything that is half here."""
    return [path for path in (running.home / "artifacts" / ".uploads").rglob("*") if path.is_file()]


def listed(http: httpx.Client, path: str) -> list[str]:
    found = http.get(FILES[:-1], params={"path": path}).json()
    return [item["path"] for item in found.get("files", [])]


def _halves(running: Running) -> int:
    return sum(path.stat().st_size >= 2 * MIB for path in uploads(running))


class Sender:
    """A client that has sent half a file and holds still."""

    def __init__(self, running: Running, path: str, token: str = "ann") -> None:
        before = _halves(running)
        self.connection = socket.create_connection(("127.0.0.1", running.port))
        head = f"PUT {path} HTTP/1.1\r\nhost: 127.0.0.1:{running.port}\r\ncontent-length: {8 * MIB}\r\n"
        self.connection.sendall(f"{head}authorization: Bearer {running.token(token)}\r\n\r\n".encode() + b"x" * 4 * MIB)
        until(lambda: _halves(running) > before, "half of the file on the disk")

    def end(self) -> None:
        self.connection.close()
