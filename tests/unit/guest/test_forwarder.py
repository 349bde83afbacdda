"""The forwarder as its own process: patience, bytes both ways, half-closed connections."""

import asyncio
import contextlib
import socket
import sys
from collections.abc import AsyncIterator
from pathlib import Path

from studio.guest import forwarder


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.asynccontextmanager
async def _running(target: Path) -> AsyncIterator[int]:
    port = _free_port()
    argv = [sys.executable, "-I", "-S", forwarder.__file__, "--port", str(port), "--to", str(target)]
    child = await asyncio.create_subprocess_exec(*argv)
    try:
        yield port
    finally:
        child.kill()
        await child.wait()


async def _connect(port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    for _ in range(500):
        with contextlib.suppress(OSError):
            return await asyncio.open_connection("127.0.0.1", port)
        await asyncio.sleep(0.01)
    raise AssertionError("the forwarder does not listen")


async def test_caller_waits_for_the_server_and_gets_every_byte(tmp_path: Path) -> None:
    size = 8 << 20

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # Answers only when the caller has said that it is done: half-closed ends must pass through.
        data = await reader.read()
        writer.write(b"%d" % len(data) + b"x" * size)
        await writer.drain()
        writer.close()

    path = tmp_path / "api.sock"
    async with _running(path) as port:
        reader, writer = await _connect(port)
        writer.write(b"y" * size)
        writer.write_eof()
        server = await asyncio.start_unix_server(echo, path=str(path))
        async with server:
            answer = await asyncio.wait_for(reader.read(), 20)
        assert answer[:7] == b"%d" % size and len(answer) == size + len(str(size))
        writer.close()
