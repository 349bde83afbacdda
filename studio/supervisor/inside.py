"""Talking to pid 1 and the fork servers, from outside, without trusting what answers."""

import asyncio
import json
import socket
from pathlib import Path
from typing import Any

from studio.errors import Conflict, Unavailable
from studio.runtime import process, sockets

_LINE_LIMIT = 4 * 1024 * 1024


async def ask(
    root: Path, name: str, message: dict[str, Any], *, expect_pid: int, log: int | None = None, timeout_s: float = 5.0
) -> dict[str, Any]:
    """One line to the socket `name` below `root`, one line back; `log` is a descriptor that goes with it. In a thread:
    what is inside may accept and never answer."""
    return await asyncio.to_thread(_ask, root, name, message, expect_pid, log, timeout_s)


def _ask(
    root: Path, name: str, message: dict[str, Any], expect_pid: int, log: int | None, timeout_s: float
) -> dict[str, Any]:
    line = json.dumps(message).encode() + b"\n"
    with sockets.connect_beneath(root, name, expect_pid=expect_pid, timeout_s=timeout_s) as client:
        try:
            sent = socket.send_fds(client, [line], [log]) if log is not None else 0
            client.sendall(line[sent:])
            data = bytearray()
            while not data.endswith(b"\n"):
                piece = client.recv(1 << 16)
                if not piece or len(data) > _LINE_LIMIT:
                    raise Unavailable(f"{name} closed the connection.", "Restart the sandbox.")
                data += piece
            answer = json.loads(data)
        except (OSError, ValueError) as error:
            raise Unavailable(f"{name} did not answer: {error}.", "Restart the sandbox.") from error
    if isinstance(answer, dict) and answer.get("running"):
        raise Conflict(f"{name}: {answer.get('error')}.", "It was started by somebody else at the same moment.")
    if not isinstance(answer, dict) or not answer.get("ok"):
        said = answer.get("error") if isinstance(answer, dict) else answer
        raise Unavailable(f"{name} refused: {said}.", "Restart the sandbox if it stays so.")
    return answer


def host_pid(parent: int, inside: int) -> int:
    """Host pid of that child of host process `parent` which its own namespace calls `inside`; 0 if it is gone."""
    return next((pid for pid in process.children(parent) if process.inside_pid(pid) == inside), 0)


def parent_of(pid: int) -> int:
    """Host pid of the parent of `pid`, 0 if it is gone."""
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except (OSError, IndexError, ValueError):
        return 0
