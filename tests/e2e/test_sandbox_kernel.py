"""A Jupyter kernel forked in a sandbox, used over ipc from outside as a lab uses it from inside."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from jupyter_client.blocking import BlockingKernelClient
from jupyter_client.connect import write_connection_file

from studio.runtime import process
from studio.runtime.specs import ChildSpec
from tests.marks import needs_sandboxes
from tests.sandboxes import Box, connected, until

pytestmark = needs_sandboxes
_PORTS = dict(zip(("shell_port", "iopub_port", "stdin_port", "hb_port", "control_port"), range(1, 6), strict=True))


@contextmanager
def client(box: Box, name: str) -> Iterator[BlockingKernelClient]:
    """A client of the kernel `name`; its connection file is written first, with the name that the kernel sees."""
    folder, key = box.layout.host_out / "k", secrets.token_hex(16).encode()
    prefix = folder / name
    given: dict[str, Any] = {"key": key, "transport": "ipc", **_PORTS}
    write_connection_file(str(folder / f"{name}.json"), ip=box.layout.inside(prefix), **given)
    write_connection_file(str(folder / f"{name}.host.json"), ip=str(prefix), **given)
    found = BlockingKernelClient(connection_file=str(folder / f"{name}.host.json"))
    found.load_connection_file()
    try:
        yield found
    finally:
        found.stop_channels()


def run(kernel: BlockingKernelClient, code: str) -> tuple[str, str]:
    """(status, what it printed) of one cell."""
    said: list[str] = []

    def hook(message: dict[str, Any]) -> None:
        if message["msg_type"] == "stream":
            said.append(message["content"]["text"])

    reply = kernel.execute_interactive(code, output_hook=hook, timeout=60)
    return reply["content"]["status"], "".join(said)


async def again(kernel: BlockingKernelClient) -> None:
    """After an error a kernel answers what was sent meanwhile with `aborted`; then it goes on."""
    await until(lambda: run(kernel, "print('goes on')") == ("ok", "goes on\n"), "a cell after the error")


async def test_kernel_runs_cells_is_interrupted_and_stopped(tmp_path: Path) -> None:
    async with connected(tmp_path / "home") as running:
        box = await running.box("alpha", "ann")
        with client(box, "kernel-1") as kernel:
            file = box.layout.inside(box.layout.host_out / "k" / "kernel-1.json")
            spec = ChildSpec("kernel-1", "kernel", cwd="/volume/ann", args={"connection_file": file})
            pid = await running.client.child_fork(box.id, "sklearn", spec)
            await until((box.layout.host_out / "k" / "kernel-1-5").exists, "the kernel's sockets")
            kernel.start_channels()
            # What is printed before the subscription to its output has reached the kernel would be lost.
            kernel.wait_for_ready(timeout=30)
            loaded = "import sys, os; print('numpy' in sys.modules, os.getcwd())"
            assert run(kernel, loaded) == ("ok", "True /volume/ann\n")
            assert run(kernel, "!echo from a shell")[1].strip() == "from a shell"
            assert run(kernel, "import asyncio; await asyncio.sleep(0); print('awaited')")[1] == "awaited\n"
            assert run(kernel, "1/0")[0] == "error"
            await again(kernel)

            # Only what has begun to run can be interrupted; the echo of the cell comes before that.
            kernel.execute("import time; print('begun', flush=True); time.sleep(60)")
            while kernel.get_iopub_msg(timeout=60)["msg_type"] != "stream":
                pass
            os.kill(pid, 2)
            assert kernel.get_shell_msg(timeout=60)["content"]["ename"] == "KeyboardInterrupt"
            await again(kernel)
            await running.client.child_stop(box.id, "kernel-1", 5.0)
        assert (await box.ended("kernel-1")).reason == "stopped"
        assert process.handle(pid) is None
