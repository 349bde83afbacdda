"""Kernels outlive their lab: the next one takes them over under the same ids, with their state and running cells."""

import json
import signal
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from studio.errors import StudioError
from studio.lab.forking import ForkServer

if TYPE_CHECKING:
    from jupyter_server.serverapp import ServerApp


def _record(folder: Path, kernel_id: str) -> Path:
    return folder / f"{kernel_id}.kernel"


def remember(folder: Path, manager: Any, info: dict[str, Any], cwd: str) -> None:
    """Writes the record of a kernel that runs (`info` is its provisioner's)."""
    found = info["connection_info"].items()
    connection = {key: value.decode() if isinstance(value, bytes) else value for key, value in found}
    record = {
        "name": manager.kernel_name,
        "connection_file": manager.connection_file,
        "cwd": cwd,
        "info": info | {"connection_info": connection},
    }
    path = _record(folder, info["kernel_id"])
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps(record))
    fresh.replace(path)


def forget(folder: Path, kernel_id: str) -> None:
    """Removes the record of a kernel that has ended."""
    _record(folder, kernel_id).unlink(missing_ok=True)


async def adopt_all(server: "ServerApp", folder: Path) -> None:
    """Takes over the kernels of `folder`, and ends those that no lab knows: one that was just being started when its
    lab was killed. To be called before the server listens, since Jupyter forgets the session of a kernel it lacks."""
    for path in sorted(folder.glob("*.kernel")):
        try:
            await adopt(server.kernel_manager, json.loads(path.read_text()))
        except (OSError, ValueError, KeyError, LookupError) as error:
            server.log.warning("A kernel could not be taken over (%s): %s", path.name, error)
            path.unlink(missing_ok=True)
    for socket in folder.parent.glob("fork-*.sock"):
        await _end_strays(server.kernel_manager, ForkServer(folder.parent, socket.stem.removeprefix("fork-")))


async def _end_strays(kernels: Any, fork_server: ForkServer) -> None:
    with suppress(StudioError):
        for child in (await fork_server.ask("list", timeout_s=2.0))["children"]:
            known = any(child["name"].startswith(f"kernel-{kernel_id}") for kernel_id in kernels.list_kernel_ids())
            if child["kind"] == "kernel" and not known:
                await fork_server.ask("signal", name=child["name"], signal=int(signal.SIGKILL), timeout_s=2.0)


async def adopt(kernels: Any, record: dict[str, Any]) -> None:
    """Takes over one kernel; `LookupError` if it has ended meanwhile."""
    from jupyter_client.provisioning import KernelProvisionerFactory

    info = record["info"]
    kernel_id = info["kernel_id"]
    if kernel_id in kernels:
        return
    manager, _, _ = kernels.pre_start_kernel(record["name"], {"kernel_id": kernel_id})
    manager.kernel_id = kernel_id
    manager.connection_file = record["connection_file"]
    with suppress(FileNotFoundError):
        manager.load_connection_file()
    manager._connection_file_written = True
    provisioner = KernelProvisionerFactory.instance().create_provisioner_instance(
        kernel_id, manager.kernel_spec, parent=manager
    )
    await provisioner.load_provisioner_info(info)
    if await provisioner.poll() is not None:
        raise LookupError("it has ended")
    manager.provisioner = provisioner
    manager._launch_args = {"cwd": record["cwd"]} if record["cwd"] else {}
    manager._attempted_start = True
    manager.execution_state = "busy"
    manager.reason = ""
    manager.last_activity = datetime.now(UTC)
    kernels._kernels[kernel_id] = manager
    kernels._kernel_connections[kernel_id] = 0
    manager.start_restarter()
    manager._connect_control_socket()
    manager.ready.set_result(None)
    await kernels._finish_kernel_start(kernel_id)
    _watch_for_idle(manager)


def _watch_for_idle(manager: Any) -> None:
    """What it does just now nobody can say but the kernel: it answers this after the cell that may be running."""
    channel = manager.connect_shell()

    def answered(_: Any) -> None:
        channel.close()
        if manager.execution_state == "busy":
            manager.execution_state = "idle"

    channel.on_recv(answered)
    manager.session.send(channel, "kernel_info_request")
