"""Has a lab end one of its kernels: a kernel that only vanished would be started again by its lab."""

import asyncio
import re
import socket

from studio.domains import sandboxes
from studio.errors import StudioError
from studio.loops import placing
from studio.loops.context import LoopContext
from studio.runtime import sockets
from studio.runtime.specs import State

_ID = re.compile(r"kernel-([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(?:-\d+)?")
ANSWER_S = 12.0  # Jupyter gives a kernel five seconds to end by itself


async def shut_down(context: LoopContext, state: State, sandbox: str, name: str) -> bool:
    """Asks the lab of `sandbox` for the end of the kernel that the supervisor knows as `name`. False if there is no
    lab, it does not know the kernel, or does not answer: then the supervisor has to end it."""
    found = _ID.fullmatch(name)
    lab = placing.service(state, sandbox, "lab")
    if found is None or lab is None or not lab.pid:
        return False
    wanted = await context.store.read(lambda db: sandboxes.get(db, sandbox))
    folder = context.layout(wanted.domain, wanted.owner).host_out
    request = _request(wanted.domain, wanted.owner, wanted.lab_secret(context.secret), found.group(1))
    try:
        # What lies in that folder is the sandbox's: the secret goes to the lab's own process or nowhere.
        connected = await asyncio.to_thread(sockets.connect_beneath, folder, "lab.sock", expect_pid=lab.pid)
        connected.setblocking(False)
        return await asyncio.wait_for(_ask(connected, request), ANSWER_S)
    except (StudioError, OSError, TimeoutError):
        return False


def _request(domain: str, owner: str, secret: str, kernel_id: str) -> bytes:
    # Cookie and header of the same value are what Jupyter's check of forged requests asks for; nobody is forged here.
    lines = (
        f"DELETE /api/kernels/{kernel_id} HTTP/1.1",
        f"Host: {domain}.localhost",
        f"x-studio-lab: {secret}",
        f"x-studio-user: {owner}",
        "x-studio-role: editor",
        "Cookie: _xsrf=studio",
        "X-XSRFToken: studio",
        "Connection: close",
    )
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


async def _ask(connected: socket.socket, request: bytes) -> bool:
    reader, writer = await asyncio.open_unix_connection(sock=connected)
    try:
        writer.write(request)
        status = await reader.readline()
    finally:
        writer.close()
    return status.split(b" ")[1:2] == [b"204"]
