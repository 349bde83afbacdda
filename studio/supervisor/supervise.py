"""The supervisor itself: one per home, without a database, owner of every process."""

import asyncio
import fcntl
import logging
import os
import shutil
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

import studio
from studio import signing
from studio.errors import Conflict, Invalid, NotFound, StudioError
from studio.runtime import exits, limits, process, sandbox, sockets
from studio.runtime.specs import ChildSpec, Hello, Limits, SandboxSpec, ServiceSpec, State, SupervisorPid
from studio.settings import Paths, Settings
from studio.supervisor import box as boxes
from studio.supervisor import listening, records
from studio.supervisor.box import Box
from studio.supervisor.events import Bus
from studio.supervisor.kept import Kept
from studio.supervisor.log_caps import LogCaps
from studio.supervisor.tools import Tools
from studio.supervisor.wire import Wire

_log = logging.getLogger("supervisor")
_TICK_S = 1.0
_CATCH_UP_EVERY = 5
_SERVER_NICE = 10


class AlreadyRunning(Conflict):
    """Another supervisor runs this home."""


def key_files(paths: Paths) -> dict[str, Path]:
    """The files of secrets, made where they are missing; `Invalid` for one that others can read."""
    files = {"gateway": paths.keys / "gateway-secret", "master": paths.keys / "master.key"}
    for file in files.values():
        signing.secret_file(file)
    return files


class Supervisor:
    """`gateway` and `server`: command lines without `--config FILE`; None leaves that process out."""

    def __init__(
        self, settings: Settings, *, gateway: list[str] | None = None, server: list[str] | None = None
    ) -> None:
        self.settings, self.paths = settings, settings.paths
        self._gateway_argv = gateway if gateway is not None else [sys.executable, "-m", "studio.gateway"]
        self._server_argv = server if server is not None else [sys.executable, "-m", "studio.server"]
        self._listener: socket.socket | None = None
        self._host, self._port = settings.host, settings.port
        self._lock: int | None = None
        self._stopping = asyncio.Event()
        self._boxes: dict[str, Box] = {}
        self._box_locks: dict[str, asyncio.Lock] = {}
        self._old_roots: set[Path] = set()
        self.bus = Bus()

    @property
    def address(self) -> str:
        """Where the gateway listens."""
        return listening.address(self._host, self._port)

    async def open(self) -> None:
        """Takes the home, adopts what lives, starts what is kept, answers calls. `AlreadyRunning` if another has it."""
        listening.check_loopback(self._host)
        self._take_lock()
        # Anything this process was told about a Jupyter above it would end kernels below it.
        os.environ.pop("JPY_PARENT_PID", None)
        for folder in (self.paths.run, self.paths.run / "sandboxes", self.paths.keys, self.paths.logs):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        sockets.private_folder(self.paths.sockets)
        sockets.private_folder(self.paths.sockets / "b")
        self._ledger = exits.Exits(self.paths.run / "exits")
        self._hierarchy = await asyncio.to_thread(limits.detect, limits.name_of(self.paths.home))
        self._held = await asyncio.to_thread(limits.tried, self._hierarchy)
        self._tools = Tools(self.paths.run, self.paths.logs, self.bus, self._ledger)
        self._gateway = self._kept("gateway", self._gateway_command, self.paths.sockets / "gateway.sock")
        self._server = self._kept("server", self._server_command, self.paths.sockets / "server.sock")
        await self._adopt()
        self._wire = Wire(self.paths.sockets / "supervisor.sock", self._methods(), self.bus)
        await self._wire.open()
        self._write_record()

    def _take_lock(self) -> None:
        self.paths.run.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(self.paths.run / "supervisor.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            raise AlreadyRunning(f"Studio is running already in {self.paths.home}.", "See `studio status`.") from None
        self._lock = descriptor

    def _kept(self, name: str, argv: Callable[[], list[str]], ready: Path) -> Kept:
        return Kept(
            name,
            argv,
            env={**os.environ, "STUDIO_HOME": str(self.paths.home), "PYTHONUNBUFFERED": "1"},
            log_root=self.paths.logs,
            run=self.paths.run,
            ready=ready,
            bus=self.bus,
            ledger=self._ledger,
            keep=lambda: [self._listener.fileno()] if name == "gateway" and self._listener else [],
            # Predictions go on without the server: what it imports must not take their processors.
            restarts_nice=_SERVER_NICE if name == "server" else 0,
        )

    async def _adopt(self) -> None:
        before = records.read(self.paths.run / "supervisor.json", records.SupervisorRecord)
        keep: set[str] = set()
        for path in sorted((self.paths.run / "sandboxes").glob("*.json")):
            found = boxes.load(path)
            if found is None:
                path.unlink()
                continue
            # A supervisor in another group of the host made them elsewhere; those are removed at the end as well.
            self._old_roots |= {Path(folder).parent for folder in found.group.folders.values()}
            with suppress(StudioError):
                box = self._box(found.spec)
                if await box.adopt(found):
                    self._boxes[box.id] = box
                    keep.add(box.id)
                    _log.info("adopted the sandbox %s (pid %d)", box.id, found.handle.pid)
        await asyncio.to_thread(limits.sweep, self._hierarchy, keep)
        self._tools.adopt()
        self._server.adopt()
        if self._gateway.adopt() and before is not None:
            self._host, self._port = before.host, before.port
        self._wanted_port = before.port if before is not None and before.host == self._host else 0

    def keep(self) -> None:
        """Starts gateway and server, or goes on with the ones that live."""
        if not self._gateway.state.pid:
            # Labs and bookmarks know the last port: it is tried first.
            wanted = self._wanted_port if self.settings.port == Settings.model_fields["port"].default else 0
            self._listener = listening.try_listen(self._host, wanted) if wanted else None
            self._listener = self._listener or listening.open_listener(self._host, self.settings.port)
            self._port = self._listener.getsockname()[1]
            if self.settings.port not in (0, self._port) and self._port != wanted:
                _log.warning("port %d is taken: Studio is on %s", self.settings.port, self.address)
        self._write_record()
        self._gateway.begin()
        self._server.begin()

    def _write_record(self) -> None:
        own = process.start_time(os.getpid())
        found = records.SupervisorRecord(os.getpid(), own, self.address, self._host, self._port, studio.__version__)
        records.write(self.paths.run / "supervisor.json", found)

    def _gateway_command(self) -> list[str]:
        if self._listener is None:
            # An adopted gateway has ended: its listener went with it, and only its port is free again.
            self._listener = listening.try_listen(self._host, self._port)
            if self._listener is None:
                self._listener = listening.open_listener(self._host, self._port)
                self._port = self._listener.getsockname()[1]
                _log.warning("the old port is taken: Studio is on %s", self.address)
                self._write_record()
        return [*self._gateway_argv, "--config", str(self._config("gateway", {"fds": [self._listener.fileno()]}))]

    def _server_command(self) -> list[str]:
        own = {"address": self.address, "host": self._host, "supervisor": str(self.paths.sockets / "supervisor.sock")}
        return [*self._server_argv, "--config", str(self._config("server", own))]

    def _config(self, name: str, own: dict[str, Any]) -> Path:
        """The file that the process gets as `--config`. It names the files of secrets, never a secret."""
        secrets = key_files(self.paths)
        config = {"home": str(self.paths.home), "sockets": str(self.paths.sockets), "port": self._port, **own}
        if name == "gateway":
            config["secret"] = str(secrets["gateway"])
        else:
            config["secrets"] = {key: str(path) for key, path in secrets.items()}
        path = self.paths.run / f"{name}.config.json"
        path.touch(0o600)
        path.write_bytes(msgspec.json.format(msgspec.json.encode(config), indent=1))
        return path

    async def wait_ready(self, timeout_s: float = 60.0) -> None:
        """Until gateway and server answer, or `timeout_s` has passed, or the end has begun."""
        deadline = asyncio.get_running_loop().time() + timeout_s
        while not self._stopping.is_set() and asyncio.get_running_loop().time() < deadline:
            if all(kept.state.state == "Running" for kept in (self._gateway, self._server)):
                return
            await asyncio.sleep(0.01)

    def request_stop(self) -> None:
        """Begins the end; `run` then returns."""
        self._stopping.set()

    async def run(self) -> None:
        """Looks after things until the end is asked for, then ends everything."""
        ticking = [asyncio.create_task(self._tick()), asyncio.create_task(LogCaps(self.paths.logs, self._logs).run())]
        await self._stopping.wait()
        for task in ticking:
            task.cancel()
        await self.close()

    async def _tick(self) -> None:
        count = 0
        while True:
            await asyncio.sleep(_TICK_S)
            count += 1
            for box in list(self._boxes.values()):
                await asyncio.to_thread(box.children.over_memory)
            if count % _CATCH_UP_EVERY == 0:
                self._catch_up()

    def _logs(self) -> set[str]:
        """Names of the logs that somebody may be writing."""
        names = {f"{kept.name}.log" for kept in (self._gateway, self._server)}
        return names.union(*(box.logs for box in self._boxes.values()))

    def _catch_up(self) -> None:
        """Writes what a full disk did not take; nothing to do on any other."""
        self._ledger.catch_up()
        for kept in (self._gateway, self._server):
            kept.catch_up()
        for box in self._boxes.values():
            box.catch_up()

    async def close(self) -> None:
        """Ends every process; leaves no socket, group or record of a living thing."""
        await asyncio.gather(self._server.stop(), self._gateway.stop())
        await asyncio.gather(*(box.stop() for box in list(self._boxes.values())))
        await self._tools.stop()
        await self._wire.close()
        if self._listener is not None:
            self._listener.close()
        await asyncio.to_thread(limits.sweep, self._hierarchy, set())
        await asyncio.to_thread(limits.close, self._hierarchy)
        for root in self._old_roots:
            with suppress(OSError):
                root.rmdir()
        shutil.rmtree(self.paths.sockets, ignore_errors=True)
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _methods(self) -> dict[str, Any]:
        return {
            "hello": lambda _: self.hello(),
            "state": self._state,
            "sandbox.start": self._sandbox_start,
            "sandbox.stop": self._sandbox_stop,
            "sandbox.limit": self._sandbox_limit,
            "service.start": self._service_start,
            "service.stop": self._service_stop,
            "child.fork": self._child_fork,
            "child.stop": self._child_stop,
            "exits": self._exits,
            "tool.start": self._tool_start,
            "tool.state": self._tool_state,
            "shutdown": self._shutdown,
        }

    async def hello(self) -> Hello:
        """Who this is, and Studio's address."""
        return Hello(os.getpid(), str(self.paths.home), self.address, studio.__version__)

    async def _state(self, _: dict[str, Any]) -> State:
        found = [box.state for box in self._boxes.values()]
        own = SupervisorPid(os.getpid(), self._hierarchy.detail, self._held)
        return State(own, self._gateway.state, self._server.state, found)

    def _box(self, spec: SandboxSpec) -> Box:
        return Box(
            spec,
            paths=self.paths,
            hierarchy=self._hierarchy,
            bus=self.bus,
            ledger=self._ledger,
            on_end=self._forget,
        )

    def _forget(self, ended: Box) -> None:
        if self._boxes.get(ended.id) is ended:
            del self._boxes[ended.id]

    async def is_anything_alive(self) -> bool:
        """Whether anything besides this process runs for the home."""
        return bool(self._boxes) or any(kept.state.pid for kept in (self._gateway, self._server))

    async def _sandbox_start(self, params: dict[str, Any]) -> Any:
        spec = msgspec.convert(params["spec"], SandboxSpec)
        sandbox.layout_of(self.paths, spec)
        async with self._box_locks.setdefault(spec.id, asyncio.Lock()):
            if found := self._boxes.get(spec.id):
                if found.is_ending:
                    await found.stop()
                elif found.spec != spec:
                    raise Conflict(f"The sandbox {spec.id} runs with another spec.", "Stop it, then start it again.")
                else:
                    return found.state
            if self._stopping.is_set():
                raise Conflict("Studio is being stopped.", "Start it again with `studio up`.")
            self._boxes[spec.id] = box = self._box(spec)
            await box.start()
            return box.state

    async def _sandbox_stop(self, params: dict[str, Any]) -> dict[str, Any]:
        name = str(params["id"])
        async with self._box_locks.setdefault(name, asyncio.Lock()):
            if found := self._boxes.get(name):
                await found.stop()
        return {}

    async def _sandbox_limit(self, params: dict[str, Any]) -> Any:
        box = self._running(params)
        await box.limit(msgspec.convert(params["limits"], Limits))
        return box.state

    def _running(self, params: dict[str, Any]) -> Box:
        name = str(params["sandbox"])
        if name not in self._boxes:
            raise NotFound(f"The sandbox {name} does not run.", "Start it first.")
        return self._boxes[name]

    async def _service_start(self, params: dict[str, Any]) -> dict[str, int]:
        return {"pid": await self._running(params).start_service(msgspec.convert(params, ServiceSpec))}

    async def _service_stop(self, params: dict[str, Any]) -> dict[str, Any]:
        await self._running(params).stop_service(str(params["name"]))
        return {}

    async def _child_fork(self, params: dict[str, Any]) -> dict[str, int]:
        given = {"name": params.get("name"), "kind": params.get("kind"), **params["spec"]}
        spec = msgspec.convert(given, ChildSpec)
        limit = msgspec.convert(params["limits"], Limits) if params.get("limits") else None
        return {"pid": await self._running(params).children.fork(str(params["environment"]), spec, limit)}

    async def _child_stop(self, params: dict[str, Any]) -> dict[str, Any]:
        await self._running(params).children.stop(str(params["name"]), float(params.get("grace_s", 10.0)))
        return {}

    async def _exits(self, params: dict[str, Any]) -> Any:
        return self._ledger.since(int(params.get("since", 0)))

    async def _tool_start(self, params: dict[str, Any]) -> dict[str, int]:
        argv, env = params["argv"], params.get("env") or {}
        if not isinstance(argv, list) or not all(isinstance(word, str) for word in argv):
            raise Invalid("argv is a list of texts.")
        cwd, log = str(params.get("cwd") or ""), str(params.get("log") or "")
        return {"pid": await self._tools.start(str(params["name"]), argv, env, cwd, log)}

    async def _tool_state(self, params: dict[str, Any]) -> Any:
        return self._tools.state(str(params["name"]))

    async def _shutdown(self, _: dict[str, Any]) -> dict[str, Any]:
        # After the answer has left.
        asyncio.get_running_loop().call_later(0.05, self.request_stop)
        return {}
