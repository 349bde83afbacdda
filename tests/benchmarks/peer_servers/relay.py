"""The least that a relay in Python does: HTTP in, a frame to one replica, its answer out. No key, routes, weights,
limits, capture or figures; one writing a turn to the replica, as the gateway has it.

    python relay.py PORT REPLICA_SOCKET
"""

import asyncio
import sys
from typing import Any

import httptools
import uvloop

from studio.guest import frames


class Replica(asyncio.Protocol):
    """The one link; answers go to whoever asked."""

    def __init__(self) -> None:
        self.pending: dict[int, Caller] = {}
        self._decoder = frames.Decoder()
        self._next = 0
        self._out: list[bytes] = []
        self._transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def ask(self, caller: "Caller", body: bytes) -> None:
        """Sends `body` with the others of this turn."""
        self._next += 1
        self.pending[self._next] = caller
        if not self._out:
            asyncio.get_running_loop().call_soon(self._flush)
        self._out.append(frames.encode(frames.REQUEST, self._next, b"{}", body))

    def _flush(self) -> None:
        out, self._out = self._out, []
        self._transport.write(b"".join(out))

    def data_received(self, data: bytes) -> None:
        for frame in self._decoder.feed(data):
            if caller := self.pending.pop(frame.id, None):
                caller.answer(frame.body)


class Caller(asyncio.Protocol):
    """One connection."""

    def __init__(self, replica: Replica) -> None:
        self._replica = replica
        self._parser = httptools.HttpRequestParser(self)
        self._body = b""
        self._transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_body(self, chunk: bytes) -> None:
        """httptools' callback."""
        self._body += chunk

    def on_message_complete(self) -> None:
        """httptools' callback."""
        body, self._body = self._body, b""
        self._replica.ask(self, body)

    def answer(self, body: bytes) -> None:
        """Writes the answer."""
        head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(body)
        if self._transport is not None:
            self._transport.write(head + body)


async def serve(port: int, socket: str) -> None:
    """Until it is ended."""
    loop = asyncio.get_running_loop()
    _, replica = await loop.create_unix_connection(Replica, socket)
    server = await loop.create_server(lambda: Caller(replica), "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1]), sys.argv[2]))
