"""The supervisor's socket: JSON lines, each call a task of its own, errors as code, message and hint."""

import asyncio
import logging
import os
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec

from studio.errors import Invalid, StudioError
from studio.runtime import sockets
from studio.supervisor.events import Bus

_log = logging.getLogger("supervisor")
LINE_LIMIT = 16 * 1024 * 1024
Method = Callable[[dict[str, Any]], Awaitable[Any]]


class Wire:
    """Serves `methods` on a unix socket of this user alone."""

    def __init__(self, path: Path, methods: dict[str, Method], bus: Bus) -> None:
        self._path, self._methods, self._bus = path, methods, bus
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        """Begins to listen."""
        listener = sockets.listen(self._path)
        self._server = await asyncio.start_unix_server(self._serve, sock=listener, limit=LINE_LIMIT)

    async def close(self) -> None:
        """Ends all connections and removes the socket."""
        if self._server is not None:
            self._server.close()
        for task in list(self._tasks):
            task.cancel()
        for writer in list(self._writers):
            writer.close()
        self._path.unlink(missing_ok=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            if not _is_same_user(writer.get_extra_info("socket")):
                return
            while line := await reader.readline():
                task = asyncio.create_task(self._call(line, writer))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
        except asyncio.CancelledError:
            # The supervisor's own end. asyncio's streams of Python 3.11 log a cancelled server task as an error.
            return
        except OSError:
            return  # The caller has gone; a command line does that as soon as it has its answer.
        except ValueError as error:
            _log.warning("a connection was dropped: %s", error)
        finally:
            self._writers.discard(writer)
            writer.close()

    async def _call(self, line: bytes, writer: asyncio.StreamWriter) -> None:
        number: Any = 0
        try:
            message = msgspec.json.decode(line)
            number = message["id"]
            method = message["method"]
            params = message.get("params") or {}
            if method == "subscribe":
                await self._subscribe(number, writer)
                return
            if method not in self._methods:
                raise Invalid(
                    f"The supervisor has no method {method!r}.", "Is it of the same version? Run studio down, up."
                )
            answer = {"id": number, "result": await self._methods[method](params)}
        except StudioError as error:
            answer = {"id": number, "error": {"code": error.code, "message": error.message, "hint": error.hint}}
        except (msgspec.MsgspecError, KeyError, TypeError) as error:
            said = f"The call was not understood: {error}."
            answer = {"id": number, "error": {"code": Invalid.code, "message": said, "hint": ""}}
        except Exception as error:
            # The one place where everything that was not foreseen ends: the caller hears it, the supervisor lives on.
            _log.exception("a call failed")
            said = f"{type(error).__name__}: {error}"
            answer = {"id": number, "error": {"code": "INTERNAL", "message": said, "hint": "Look into supervisor.log."}}
        await _send(writer, answer)

    async def _subscribe(self, number: Any, writer: asyncio.StreamWriter) -> None:
        queue = self._bus.subscribe()
        try:
            await _send(writer, {"id": number, "result": {}})
            while (event := await queue.get()) is not None and not writer.is_closing():
                await _send(writer, {"event": event})
        finally:
            self._bus.unsubscribe(queue)
            writer.close()


async def _send(writer: asyncio.StreamWriter, message: Any) -> None:
    try:
        writer.write(msgspec.json.encode(message) + b"\n")
        await writer.drain()
    except OSError:
        writer.close()


def _is_same_user(connection: Any) -> bool:
    # asyncio's wrapper of the socket offers getsockopt, which is all that `peer` needs.
    wrapped: socket.socket = connection
    return sockets.peer(wrapped)[1] == os.geteuid()
