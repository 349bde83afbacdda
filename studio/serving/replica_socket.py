"""Asking a replica how it is, over its unix socket. What it says comes out of a sandbox and is checked."""

import asyncio
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from studio.errors import NotFound, StudioError
from studio.guest import frames
from studio.runtime import beneath, sockets

STATUS_BYTES = 1 << 20


class SignatureColumn(msgspec.Struct, frozen=True):
    """An input column as the model declares it."""

    name: str
    type: str
    required: bool = True


class Loaded(msgspec.Struct, frozen=True):
    """`fast_path`: "exact", "off" or why the model has none; `rows_batched`: requests are predicted together."""

    flavor: Annotated[str, Meta(max_length=80)] = ""
    fast_path: Annotated[str, Meta(max_length=500)] = ""
    rows_batched: bool = False
    load_ms: float = 0.0


class Status(msgspec.Struct, frozen=True):
    """What a replica wrote about itself. `state`: Ready or Failed; `checked`: it has predicted a logged example;
    `loaded`: how it loaded the model."""

    state: str = ""
    message: str = ""
    hint: str = ""
    traceback: str = ""
    flavor: str = ""
    checked: bool = False
    load_ms: float = 0.0
    signature: list[SignatureColumn] = []
    loaded: Loaded = Loaded()


def status(root: Path, socket: str) -> Status | None:
    """The status file beside the socket, if there is a valid one. `root`: the sandbox's `out`."""
    try:
        return msgspec.json.decode(beneath.read(root, beneath.parts_of(f"{socket}.json"), STATUS_BYTES), type=Status)
    except (NotFound, msgspec.DecodeError):
        return None


async def is_ready(root: Path, socket: str, pid: int, timeout_s: float = 5.0) -> bool:
    """Whether it says hello as ready: it does so only after it has predicted its example."""
    try:
        client = sockets.connect_beneath(root, socket, expect_pid=pid, timeout_s=1.0)
        client.setblocking(False)
        reader, writer = await asyncio.open_unix_connection(sock=client)
    except (StudioError, OSError):
        return False
    try:
        async with asyncio.timeout(timeout_s):
            frame = await _hello(reader, frames.Decoder(1 << 20))
        return frame is not None and msgspec.json.decode(frame.header, type=Status).state == "Ready"
    except (OSError, TimeoutError, frames.FrameError, msgspec.DecodeError):
        return False
    finally:
        writer.close()


async def _hello(reader: asyncio.StreamReader, decoder: frames.Decoder) -> frames.Frame | None:
    """The first frame, if it is a hello."""
    while data := await reader.read(1 << 16):
        for frame in decoder.feed(data):
            return frame if frame.kind == frames.HELLO else None
    return None
