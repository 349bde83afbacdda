"""127.0.0.1:PORT inside a sandbox → the unix socket on which Studio's API knows this sandbox.

Run as `python -I -S …/forwarder.py --port 8500 --to /studio/in/api.sock`. Passes bytes and nothing else. While the
server restarts, a new connection waits up to ten seconds, so that a client sees a slow answer instead of an error."""

import argparse
import asyncio
import contextlib
import socket

_PATIENCE_S = 10.0
_HIGH_WATER = 1 << 20


class Pipe(asyncio.Protocol):
    """One direction's reader; pauses it while the other end's writer is full."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport
        self.other: Pipe | None = None
        self.early: list[bytes] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Both ends have no Nagle delay; the write buffer is bounded."""
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        transport.set_write_buffer_limits(high=_HIGH_WATER)
        sock = transport.get_extra_info("socket")
        if sock is not None and sock.family == socket.AF_INET:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def data_received(self, data: bytes) -> None:
        """Bytes go to the other end, or wait until it is there."""
        if self.other is None:
            self.early.append(data)
        else:
            self.other.transport.write(data)

    def join(self, other: "Pipe") -> None:
        """From now on bytes pass between the two."""
        self.other, other.other = other, self
        for data in self.early:
            other.transport.write(data)
        self.early.clear()

    def pause_writing(self) -> None:
        """This end is full: its peer reads no more."""
        if self.other is not None:
            self.other.transport.pause_reading()

    def resume_writing(self) -> None:
        """This end has drained."""
        if self.other is not None and not self.other.transport.is_closing():
            self.other.transport.resume_reading()

    def eof_received(self) -> bool:
        """A half-closed connection stays open in the other direction."""
        if self.other is not None and not self.other.transport.is_closing():
            # The other end may be gone by now, and not every transport can be closed by half: then both close together.
            with contextlib.suppress(OSError, NotImplementedError):
                self.other.transport.write_eof()
        return True

    def connection_lost(self, error: Exception | None) -> None:
        """One end gone, both gone."""
        if self.other is not None and not self.other.transport.is_closing():
            self.other.transport.close()


class Door(Pipe):
    """The TCP end: finds its unix end, patiently."""

    def __init__(self, target: str, waiting: set[asyncio.Task[None]]) -> None:
        super().__init__()
        self._target = target
        self._waiting = waiting

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Starts to look for the server; reads no more than one buffer until it is found."""
        super().connection_made(transport)
        self.transport.pause_reading()
        task = asyncio.get_running_loop().create_task(self._connect())
        self._waiting.add(task)
        task.add_done_callback(self._waiting.discard)

    async def _connect(self) -> None:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + _PATIENCE_S
        while not self.transport.is_closing():
            try:
                _, inner = await loop.create_unix_connection(Pipe, self._target)
            except OSError:
                if loop.time() > deadline:
                    self.transport.abort()
                    return
                await asyncio.sleep(0.05)
                continue
            if self.transport.is_closing():
                inner.transport.abort()
                return
            self.join(inner)
            self.transport.resume_reading()
            return


async def serve(port: int, target: str) -> None:
    """Serves for ever."""
    waiting: set[asyncio.Task[None]] = set()
    server = await asyncio.get_running_loop().create_server(
        lambda: Door(target, waiting), "127.0.0.1", port, backlog=512
    )
    await server.serve_forever()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--to", required=True)
    options = parser.parse_args()
    asyncio.run(serve(options.port, options.to))
