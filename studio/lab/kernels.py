"""The kernels of a lab: they outlive it, however it ends."""

import asyncio
from typing import Any

from jupyter_server.services.kernels.kernelmanager import AsyncMappingKernelManager

from studio.lab import channels


class KeptKernels(AsyncMappingKernelManager):
    """As Jupyter's own, except that the end of the server is not the end of its kernels. A person's Stop still is: it
    comes as the end of one kernel, not of all."""

    async def restart_kernel(self, kernel_id: str, now: bool = False) -> Any:
        """Returns when the pages that are connected hear the new kernel."""
        replied = await super().restart_kernel(kernel_id, now=now)
        self.get_kernel(kernel_id).execution_state = "starting"
        await asyncio.gather(*(page.settle() for page in channels.connections(kernel_id)))
        return replied

    async def shutdown_all(self, now: bool = False) -> None:
        """Lets go of all kernels; the next lab takes them over."""
        for kernel_id in list(self._kernels):
            let_go(self, kernel_id)


def let_go(kernels: Any, kernel_id: str) -> None:
    """Forgets one kernel in this process only."""
    manager = kernels.get_kernel(kernel_id)
    manager.stop_restarter()
    kernels.stop_watching_activity(kernel_id)
    kernels.stop_buffering(kernel_id)
    manager._close_control_socket()
    # Else the manager's own end would remove the file that the next lab reads.
    manager._connection_file_written = False
    kernels.remove_kernel(kernel_id)
