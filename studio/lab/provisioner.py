"""Kernels as forks of a process that has imported their libraries: ready in ~0.2 s instead of 1.2 s."""

import asyncio
import os
import signal
from pathlib import Path
from typing import Any

import tornado.web as web
from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.provisioning import KernelProvisionerBase
from traitlets import Unicode

from studio.client.rest import Rest
from studio.clock import monotonic
from studio.errors import OutOfSpace, StudioError
from studio.lab import adoption
from studio.lab.forking import ForkServer
from studio.lab.processes import Process, start_time
from studio.runtime import space

CHANNELS = 5
SERVER_START_S = 75.0
KERNEL_START_S = 30.0
REASON_S = 5.0  # the record of an end follows it within two seconds
STARTUP = "--IPKernelApp.extra_extensions=studio.guest.kernel_startup"
# What the lab's own process has in its environment and a kernel must not inherit.
NOT_FOR_KERNELS = ("JPY_PARENT_PID", "PYTHONEXECUTABLE", "JUPYTER_RUNTIME_DIR", "VIRTUAL_ENV", "PATH", "PYTHONPATH")


class ForkProvisioner(KernelProvisionerBase):
    """Asks the environment's fork server for a kernel; answers once the kernel listens on its five ipc sockets."""

    environment = Unicode("", config=True, help="Environment of the kernel; default: the kernelspec's folder name.")
    sockets = Unicode("", config=True, help="Folder of the sandbox's sockets; default: $STUDIO_OUT.")
    domain = Unicode("", config=True, help="Domain of the sandbox; default: $STUDIO_DOMAIN.")

    process: Process | None = None
    pid: int = 0
    _launches = 0

    @property
    def folder(self) -> Path:
        """The sandbox's STUDIO_OUT."""
        return Path(self.sockets or os.environ["STUDIO_OUT"])

    @property
    def server(self) -> ForkServer:
        """The fork server of this kernel's environment."""
        return ForkServer(self.folder, self.environment or Path(self.kernel_spec.resource_dir).name)

    @property
    def name(self) -> str:
        """What the supervisor knows this kernel as; a restart has another name, since exits are told apart by it."""
        again = f"-{self._launches}" if self._launches > 1 else ""
        return f"kernel-{self.kernel_id}{again}"

    @property
    def has_process(self) -> bool:
        """Whether there is a kernel to speak of."""
        return self.process is not None

    async def poll(self) -> int | None:
        """None while the kernel lives, 0 after (its code is in the supervisor's exit records)."""
        return None if self.process is not None and self.process.is_alive else 0

    async def wait(self) -> int | None:
        """Returns when the kernel has ended."""
        if self.process is not None:
            await self.process.ended()
            self.process.close()
            self.process = None
        return 0

    async def send_signal(self, signum: int) -> None:
        """Through the fork server, which knows the kernel's process group; directly if that is gone."""
        if self.process is None or not self.process.is_alive:
            return
        try:
            await self.server.ask("signal", name=self.name, signal=int(signum), group=True, timeout_s=2.0)
        except StudioError:
            self.process.send(signum)

    async def kill(self, restart: bool = False) -> None:
        """Ends the kernel at once."""
        await self.send_signal(signal.SIGKILL)

    async def terminate(self, restart: bool = False) -> None:
        """Asks the kernel to end."""
        await self.send_signal(signal.SIGTERM)

    async def cleanup(self, restart: bool = False) -> None:
        """Removes the sockets that a killed kernel leaves."""
        for path in self._channel_files():
            path.unlink(missing_ok=True)
        if not restart:
            adoption.forget(self.folder / "k", self.kernel_id)

    async def post_launch(self, **kwargs: Any) -> None:
        """Writes down what a lab that comes after this one needs to take the kernel over."""
        info = await self.get_provisioner_info()
        adoption.remember(self.folder / "k", self.parent, info, str(kwargs.get("cwd") or ""))

    async def pre_launch(self, **kwargs: Any) -> dict[str, Any]:
        """Chooses the sockets' prefix and writes the connection file. The prefix comes from the kernel's id, so that a
        restart has the same: clients keep their connections."""
        manager = self.parent
        if manager is not None:
            manager.transport = "ipc"
            manager.ip = self._prefix()
            manager.write_connection_file(jupyter_session=kwargs.get("env", {}).get("JPY_SESSION_NAME", ""))
            self.connection_info = manager.get_connection_info()
        kwargs.pop("extra_arguments", None)
        prepared: dict[str, Any] = await super().pre_launch(cmd=[], **kwargs)
        return prepared

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:
        """Forks; HTTP 503 with what to do if that is not possible."""
        self._launches += 1
        for path in self._channel_files():
            path.unlink(missing_ok=True)
        try:
            if self._launches == 1:
                _refuse_when_full()
            await self._ensure_server()
            answer = await self.server.ask(
                "fork",
                name=self.name,
                kind="kernel",
                log="",
                cwd=str(kwargs.get("cwd") or Path.home()),
                env=self._environment(kwargs.get("env", {})),
                args={"connection_file": self.parent.connection_file, "argv": [STARTUP]},
            )
        except StudioError as error:
            raise web.HTTPError(503, str(error), reason="Kernel not started") from error
        self.pid = int(answer["pid"])
        self.process = Process(self.pid)
        await self._listening()
        return self.connection_info

    async def _ensure_server(self) -> None:
        """A fork server that answers, started through Studio if there is none; `StudioError` after 15 s."""
        if await self.server.is_up():
            return
        url, token, domain = _studio(self.domain)
        # With nobody to ask, only one that is just starting can still come.
        can_ask = bool(url and token and domain)
        deadline = monotonic() + (SERVER_START_S if can_ask else 2.0)
        if can_ask:
            path = f"domains/{domain}/fork-servers/{self.server.environment}"
            await asyncio.to_thread(_post, url, token, path)
        while not await self.server.is_up():
            if monotonic() > deadline:
                await self.server.ask("ping", timeout_s=2.0)
                return
            await asyncio.sleep(0.05)

    async def _listening(self) -> None:
        """Returns when all five sockets exist. If the POST were answered before, jupyter_server's first message to the
        kernel would be lost and sent again half a second later."""
        deadline = monotonic() + KERNEL_START_S
        while not all(path.exists() for path in self._channel_files()):
            if self.process is None or not self.process.is_alive:
                raise web.HTTPError(503, await self._why(), reason="Kernel not started")
            if monotonic() > deadline:
                await self.kill()
                raise web.HTTPError(503, f"The kernel did not listen within {KERNEL_START_S:.0f} s. Try again.")
            await asyncio.sleep(0.002)

    async def _why(self) -> str:
        """How the kernel ended that has just ended, in the supervisor's words where they can be had."""
        url, token, domain = _studio(self.domain)
        deadline = monotonic() + REASON_S
        while url and token and domain and monotonic() < deadline:
            try:
                found = await asyncio.to_thread(_get, url, token, f"domains/{domain}/exits", name=self.name)
            except StudioError:
                break
            if found["exits"]:
                return str(found["exits"][-1]["message"])
            await asyncio.sleep(0.1)
        return f"The kernel ended while starting; `studio logs {self.name}` has the reason."

    def _environment(self, wanted: dict[str, str]) -> dict[str, str]:
        """Only what differs from the lab's own: the fork server has the sandbox's environment already."""
        changed = {key: value for key, value in wanted.items() if os.environ.get(key) != value}
        for key in NOT_FOR_KERNELS:
            changed.pop(key, None)
        return {
            "STUDIO_ENVIRONMENT": self.server.environment,
            "MPLBACKEND": "module://matplotlib_inline.backend_inline",
        } | changed

    def _prefix(self) -> str:
        # Short, for a unix socket's path ends at 107 bytes; the connection file beside it is named after the id.
        return str(self.folder / "k" / self.kernel_id.replace("-", "")[:16])

    def _channel_files(self) -> list[Path]:
        ports = [self.connection_info.get(f"{name}_port") for name in ("shell", "iopub", "stdin", "hb", "control")]
        return [Path(f"{self.connection_info['ip']}-{port}") for port in ports if port]

    async def get_provisioner_info(self) -> dict[str, Any]:
        """What another lab process needs to take the kernel over."""
        info: dict[str, Any] = await super().get_provisioner_info()
        info |= {"pid": self.pid, "started": start_time(self.pid), "launches": self._launches}
        return info

    async def load_provisioner_info(self, provisioner_info: dict[str, Any]) -> None:
        """Takes over a running kernel."""
        await super().load_provisioner_info(provisioner_info)
        self.pid = int(provisioner_info["pid"])
        self._launches = int(provisioner_info["launches"])
        self.process = Process(self.pid, int(provisioner_info["started"]))


def _refuse_when_full() -> None:
    """`OutOfSpace` if the server has said that the domain is over its quota: what runs goes on, nothing new begins."""
    said = Path(os.environ.get("STUDIO_IN", "/studio/in")) / space.FULL
    if said.is_file():
        raise OutOfSpace(said.read_text(), "Remove files in the file browser, or ask who runs Studio for more.")


def _studio(domain: str) -> tuple[str, str, str]:
    """Studio's address and this sandbox's token as far as there are any, and the domain."""
    found = os.environ.get("STUDIO_API", ""), os.environ.get("STUDIO_TOKEN", "")
    return *found, domain or os.environ.get("STUDIO_DOMAIN", "")


def _get(url: str, token: str, path: str, **params: str) -> Any:
    with Rest(url, token, timeout=REASON_S) as studio:
        return studio.get(path, **params)


def _post(url: str, token: str, path: str) -> None:
    with Rest(url, token, timeout=SERVER_START_S) as studio:
        studio.post(path)
