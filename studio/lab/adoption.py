"""Kernels outlive a lab that is killed: the next lab takes them over under the same ids, with their state."""

import json
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

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


def install(server: "ServerApp", folder: Path) -> None:
    """Has the kernels of `folder` taken over as soon as the server runs."""

    async def adopt_all() -> None:
        for path in sorted(folder.glob("*.kernel")):
            try:
                await adopt(server.kernel_manager, json.loads(path.read_text()))
            except (OSError, ValueError, KeyError, LookupError) as error:
                server.log.warning("A kernel could not be taken over (%s): %s", path.name, error)
                path.unlink(missing_ok=True)

    server.io_loop.add_callback(adopt_all)


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
    manager.execution_state = "idle"
    manager.reason = ""
    manager.last_activity = datetime.now(UTC)
    kernels._kernels[kernel_id] = manager
    kernels._kernel_connections[kernel_id] = 0
    manager.start_restarter()
    manager._connect_control_socket()
    manager.ready.set_result(None)
    await kernels._finish_kernel_start(kernel_id)
