"""in/hello.sock of one sandbox: where children ask to be let in, and where ends are reported.

Anything inside may connect and say anything. Who is speaking the kernel tells (SO_PEERCRED), not the message."""

import asyncio
import json
import logging
import os
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from msgspec import Struct

from studio.errors import StudioError
from studio.runtime import sockets

_log = logging.getLogger("supervisor")
_LINE_LIMIT = 64 * 1024
_AT_ONCE = 256
_NOTE = 400


class Admission(Struct):
    """The answer to a hello: go with this log, or why not. `adopts`: no cgroup holds what the child starts, so it is to
    keep its orphans and to end them."""

    go: bool
    why: str = ""
    log: int | None = None
    adopts: bool = False


class Door:
    """Listens on `path`; each connection is one message and one answer."""

    def __init__(
        self,
        path: Path,
        *,
        hello: Callable[[int, str, str], Awaitable[Admission]],
        ready: Callable[[int, str, str, bool], None],
        exited: Callable[[int, dict[str, Any]], None],
        forking: Callable[[int, str], None],
    ) -> None:
        self._path = path
        self._hello, self._ready, self._exited, self._forking = hello, ready, exited, forking
        self._server: socket.socket | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def open(self) -> None:
        """Begins to listen."""
        self._server = sockets.listen(self._path)
        self._go(self._accept(self._server))

    def close(self) -> None:
        """No more answers; the socket's file is removed."""
        for task in self._tasks:
            task.cancel()
        if self._server is not None:
            self._server.close()
        self._path.unlink(missing_ok=True)

    def _go(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _accept(self, server: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            connection, _ = await loop.sock_accept(server)
            connection.setblocking(False)
            if len(self._tasks) > _AT_ONCE:
                connection.close()
            else:
                self._go(self._serve(connection))

    async def _serve(self, connection: socket.socket) -> None:
        with connection:
            try:
                pid, uid = sockets.peer(connection)
                if uid != os.geteuid():
                    return
                line = await asyncio.wait_for(self._line(connection), 5.0)
                await self._answer(connection, pid, json.loads(line))
            except (OSError, ValueError, KeyError, TypeError, StudioError) as error:
                _log.warning("a message at %s was not understood: %s", self._path.parent.parent.name, error)

    async def _line(self, connection: socket.socket) -> bytes:
        data = b""
        while not data.endswith(b"\n"):
            piece = await asyncio.get_running_loop().sock_recv(connection, 4096)
            data += piece
            if not piece or len(data) > _LINE_LIMIT:
                raise ValueError("no whole line")
        return data

    async def _answer(self, connection: socket.socket, pid: int, message: dict[str, Any]) -> None:
        loop = asyncio.get_running_loop()
        if "forking" in message:
            self._forking(pid, str(message["forking"]))  # nobody waits for an answer
        elif "exited" in message:
            self._exited(pid, message["exited"])
            await loop.sock_sendall(connection, b'{"ok":true}\n')
        elif "ready" in message:
            note, is_warm = str(message.get("note", ""))[:_NOTE], message.get("warm") is True
            self._ready(pid, str(message["ready"]), note, is_warm)
            await loop.sock_sendall(connection, b'{"ok":true}\n')
        else:
            admission = await self._hello(pid, str(message["name"]), str(message["kind"]))
            let_in = {"go": True, "adopts": admission.adopts}
            answer = json.dumps(let_in if admission.go else {"go": False, "why": admission.why}).encode() + b"\n"
            if admission.log is None:
                await loop.sock_sendall(connection, answer)
                return
            try:
                # Short enough for an empty socket buffer: it goes out at once or the peer is gone.
                socket.send_fds(connection, [answer], [admission.log])
            finally:
                os.close(admission.log)
