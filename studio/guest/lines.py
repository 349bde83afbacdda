"""JSON lines over unix sockets for processes that must stay single-threaded: one selector, no event loop.

Standard library only, and nothing heavy: pid 1 of a sandbox imports this too."""

import contextlib
import json
import os
import selectors
import signal
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

Message = dict[str, Any]
MAX_LINE = 4 * 1024 * 1024


class LineServer:
    """Answers each line with `handle(message, descriptors)`; calls `on_children` when a child may have ended and
    `on_tick` about twice a second."""

    def __init__(
        self,
        path: Path,
        handle: Callable[[Message, list[int]], Message],
        on_children: Callable[[], object],
        on_tick: Callable[[], object],
    ) -> None:
        self._handle, self._on_children, self._on_tick = handle, on_children, on_tick
        self._selector = selectors.DefaultSelector()
        self._connections: dict[socket.socket, tuple[bytearray, list[int]]] = {}
        path.unlink(missing_ok=True)
        self._server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._server.bind(str(path))
        path.chmod(0o600)
        self._server.listen(64)
        self._server.setblocking(False)
        self._selector.register(self._server, selectors.EVENT_READ, self._accept)
        self._awake, self._wake = socket.socketpair()
        for end in (self._awake, self._wake):
            end.setblocking(False)
        self._selector.register(self._awake, selectors.EVENT_READ, self._woken)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self._wake.fileno(), warn_on_full_buffer=False)

    def run(self) -> None:
        """Serves for ever; only an exception of a handler (a fork's child, an ordered end) leaves it."""
        self._on_children()
        due = time.monotonic()
        while True:
            for key, _ in self._selector.select(max(0.0, due - time.monotonic())):
                key.data(key.fileobj)
            if time.monotonic() >= due:
                due = time.monotonic() + 0.5
                self._on_tick()

    def look(self) -> None:
        """Answers what is there now."""
        while found := self._selector.select(0.0):
            for key, _ in found:
                key.data(key.fileobj)

    def close(self) -> None:
        """Lets go of every descriptor, in a fork's child; the parent's sockets go on."""
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        self._selector.close()
        for held in (self._server, self._awake, self._wake, *self._connections):
            held.close()
        self._connections.clear()

    def _woken(self, end: socket.socket) -> None:
        with contextlib.suppress(BlockingIOError):
            while end.recv(4096):
                pass
        self._on_children()

    def _accept(self, server: socket.socket) -> None:
        with contextlib.suppress(BlockingIOError, ConnectionError):
            connection, _ = server.accept()
            connection.setblocking(False)
            self._connections[connection] = (bytearray(), [])
            self._selector.register(connection, selectors.EVENT_READ, self._read)

    def _drop(self, connection: socket.socket) -> None:
        _, descriptors = self._connections.pop(connection)
        self._selector.unregister(connection)
        connection.close()
        for descriptor in descriptors:
            os.close(descriptor)

    def _read(self, connection: socket.socket) -> None:
        buffer, descriptors = self._connections[connection]
        try:
            data, received, _, _ = socket.recv_fds(connection, 1 << 16, 4)
        except BlockingIOError:
            return
        except OSError:
            data, received = b"", []
        descriptors += received
        buffer += data
        if not data or len(buffer) > MAX_LINE:
            self._drop(connection)
            return
        while b"\n" in buffer:
            line, _, rest = bytes(buffer).partition(b"\n")
            buffer[:] = rest
            passed, descriptors[:] = list(descriptors), []
            try:
                answer = self._answer(line, passed)
            finally:
                for descriptor in passed:
                    os.close(descriptor)
            try:
                connection.sendall(json.dumps(answer).encode() + b"\n")
            except OSError:
                # A peer that does not read its answers loses its connection, never holds up the others.
                self._drop(connection)
                return

    def _answer(self, line: bytes, descriptors: list[int]) -> Message:
        try:
            message = json.loads(line)
            if not isinstance(message, dict):
                raise ValueError("a line holds one object")
            return self._handle(message, descriptors)
        except (ValueError, KeyError, TypeError, OSError) as error:
            return {"ok": False, "error": f"{type(error).__name__}: {error}"}


class Reporter:
    """Tells the supervisor who ended. What it has not confirmed lies in a file and is sent again: it may be away."""

    def __init__(self, who: str) -> None:
        self._who = who
        self._hello = str(Path(os.environ["STUDIO_IN"], "hello.sock"))
        self._spool = Path(os.environ["STUDIO_OUT"], f"exits-{who}.jsonl")
        self._pending: list[Message] = []
        self._ready = self._warm = False
        self._note = ""
        with contextlib.suppress(OSError, ValueError), self._spool.open() as file:
            self._pending = [json.loads(line) for line in file]

    def exited(self, name: str, pid: int, status: int, *, asked: bool = False) -> None:
        """Reports one ended process from its wait status; `asked`: somebody inside had it ended."""
        by_signal = os.WIFSIGNALED(status)
        code = None if by_signal else os.WEXITSTATUS(status)
        number = os.WTERMSIG(status) if by_signal else None
        report = {"name": name, "pid": pid, "code": code, "signal": number, "at_ms": time.time_ns() // 1_000_000}
        report["asked"] = asked
        self._pending.append({"exited": report, "from": self._who})
        self._save()
        self.flush()

    def forking(self, name: str) -> None:
        """Says that a child of that name is about to be forked. It only saves time: nothing is waited for."""
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
            client.setblocking(False)
            client.connect(self._hello)
            client.send(json.dumps({"forking": name}).encode() + b"\n")

    def ready(self, note: str = "") -> None:
        """Says that this process serves now, and what people should know of it; repeated with the next flush if nobody
        heard it."""
        self._ready, self._note = True, note or self._note
        self.flush()

    def warm(self) -> None:
        """Says that all it has to import is there."""
        self._warm = True
        self.ready()

    def flush(self) -> bool:
        """Sends what is pending; True if nothing is left."""
        while self._pending or self._ready:
            ready = {"ready": self._who, "note": self._note, "warm": self._warm}
            message = self._pending[0] if self._pending else ready
            if not self._send(message):
                return False
            if self._pending:
                self._pending.pop(0)
                self._save()
            else:
                self._ready = False
        return True

    def _send(self, message: Message) -> bool:
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
                client.settimeout(0.5)
                client.connect(self._hello)
                client.sendall(json.dumps(message).encode() + b"\n")
                return bool(client.recv(4096))
        except OSError:
            return False

    def _save(self) -> None:
        fresh = self._spool.with_suffix(".new")
        try:
            with fresh.open("w") as file:
                file.writelines(json.dumps(message) + "\n" for message in self._pending)
            fresh.replace(self._spool)
        except OSError:
            # A full disk: the report is still in memory and goes out with the next flush.
            return


def admit(name: str, kind: str, timeout_s: float = 15.0) -> tuple[Message, int | None]:
    """A child's hello: waits until the supervisor has put it under its limits and says go.

    Returns (answer, descriptor of its log or None). Raises `PermissionError` if refused, `TimeoutError` if nobody
    answered; the supervisor may be restarting, so the connect is tried again until then."""
    path = str(Path(os.environ["STUDIO_IN"], "hello.sock"))
    deadline = time.monotonic() + timeout_s
    hello = json.dumps({"name": name, "kind": kind}).encode() + b"\n"
    while True:
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
                client.settimeout(max(0.1, deadline - time.monotonic()))
                client.connect(path)
                client.sendall(hello)
                data, descriptors, _, _ = socket.recv_fds(client, 1 << 16, 4)
                while data and not data.endswith(b"\n"):
                    data += client.recv(1 << 16)
            if data:
                answer = json.loads(data)
                if not answer.get("go"):
                    raise PermissionError(answer.get("why", "refused"))
                return answer, (descriptors[0] if descriptors else None)
        except (ConnectionError, FileNotFoundError, TimeoutError):
            pass  # Nobody there yet: tried again below until the deadline.
        if time.monotonic() >= deadline:
            raise TimeoutError(f"no answer from the supervisor in {timeout_s} s")
        time.sleep(0.02)
