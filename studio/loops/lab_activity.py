"""What a lab says about its kernels and terminals: who is executing, and when each was last used."""

import asyncio
import json
import socket
from datetime import datetime
from typing import Any

from studio.domains.idling import Activity
from studio.domains.sandboxes import Sandbox
from studio.errors import Unavailable
from studio.loops.context import LoopContext
from studio.runtime import sockets

ANSWER_S = 5.0
_MOST = 4 * 1024 * 1024


async def read(context: LoopContext, box: Sandbox, lab_pid: int) -> Activity:
    """Asks the lab whose process is `lab_pid`; `Unavailable` if it does not answer as a lab does."""
    kernels = await _get(context, box, lab_pid, "/api/kernels")
    terminals = await _get(context, box, lab_pid, "/api/terminals")
    busy = sum(kernel.get("execution_state") not in ("idle", None) for kernel in kernels)
    return Activity(busy=busy, last_ms=max([0, *(_last_ms(item) for item in (*kernels, *terminals))]))


def _last_ms(item: dict[str, Any]) -> int:
    try:
        return int(datetime.fromisoformat(str(item.get("last_activity"))).timestamp() * 1000)
    except ValueError:
        return 0


async def _get(context: LoopContext, box: Sandbox, lab_pid: int, path: str) -> list[dict[str, Any]]:
    folder = context.layout(box.domain, box.owner).host_out
    request = _request(box.domain, box.owner, box.lab_secret(context.secret), path)
    try:
        # What lies in that folder is the sandbox's: the secret goes to the lab's own process or nowhere.
        connected = await asyncio.to_thread(sockets.connect_beneath, folder, "lab.sock", expect_pid=lab_pid)
        connected.setblocking(False)
        answer = await asyncio.wait_for(_ask(connected, request), ANSWER_S)
        head, _, body = answer.partition(b"\r\n\r\n")
        found = json.loads(body) if head.split(b" ")[1:2] == [b"200"] else None
    except (OSError, ValueError, TimeoutError) as error:
        raise Unavailable(f"The lab of {box.id} does not answer: {error}.") from error
    if not isinstance(found, list):
        raise Unavailable(f"The lab of {box.id} answers {path} with something odd.")
    return [item for item in found if isinstance(item, dict)]


def _request(domain: str, owner: str, secret: str, path: str) -> bytes:
    lines = (
        f"GET {path}?no_track_activity=1 HTTP/1.1",
        f"Host: {domain}.localhost",
        f"x-studio-lab: {secret}",
        f"x-studio-user: {owner}",
        "x-studio-role: viewer",
        "Connection: close",
    )
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


async def _ask(connected: socket.socket, request: bytes) -> bytes:
    reader, writer = await asyncio.open_unix_connection(sock=connected)
    try:
        writer.write(request)
        answer = b""
        while len(answer) < _MOST and (piece := await reader.read(1 << 16)):
            answer += piece
        return answer
    finally:
        writer.close()
