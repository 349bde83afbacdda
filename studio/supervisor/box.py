"""One sandbox: its start, its services and children, its end."""

import asyncio
import json
import logging
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from studio import clock
from studio.errors import NotFound, StudioError, Unavailable
from studio.runtime import bubblewrap, exits, guests, isolation, limits, process, sandbox, seccomp
from studio.runtime.specs import Event, ExitRecord, Limits, SandboxSpec, SandboxState, ServiceSpec
from studio.settings import Paths
from studio.supervisor.children import Children
from studio.supervisor.door import Door
from studio.supervisor.events import Bus
from studio.supervisor.records import BoxRecord, keep, read
from studio.supervisor.services import Service

_log = logging.getLogger("supervisor")
_UP_S = 15.0


class Box:
    """A sandbox that is starting, running or ended. `on_end` is called when pid 1 has ended, whoever ended it."""

    def __init__(
        self,
        spec: SandboxSpec,
        *,
        paths: Paths,
        hierarchy: limits.Hierarchy,
        bus: Bus,
        ledger: exits.Exits,
        on_end: Callable[["Box"], None],
    ) -> None:
        self.spec, self.paths, self.hierarchy, self.bus = spec, paths, hierarchy, bus
        self.layout = sandbox.layout_of(paths, spec)
        self.id = spec.id
        self.services: dict[str, Service] = {}
        self.children = Children(self)
        self.group = limits.Group("none")
        self.handle = process.Handle(0, -1)
        self.is_ending = False
        self._is_recorded = True
        self.reason = ""
        self._state = "Starting"
        self._started_ms = 0
        self._outer = 0
        self._ledger, self._on_end = ledger, on_end
        self._ready = asyncio.Event()
        self._ended = asyncio.Event()
        self._oom_seen = 0
        self._is_filtered = False
        self._watch: asyncio.Task[None] | None = None
        self._starting_service = asyncio.Lock()
        self._door = Door(
            self.layout.host_in / "hello.sock",
            hello=self.children.hello,
            ready=self._says_ready,
            exited=self._says_exited,
            forking=self.children.announced,
        )

    @property
    def state(self) -> SandboxState:
        """As `state` shows it."""
        spec = self.spec
        return SandboxState(
            *(spec.id, spec.domain, spec.owner, self.handle.pid, self._state, spec.isolation, spec.network),
            *(self._started_ms, self.reason),
            services=[service.state for service in self.services.values()],
            children=self.children.states,
            limits=spec.limits,
            held=limits.held(self.group),
            filtered=self._is_filtered,
        )

    @property
    def logs(self) -> set[str]:
        """Names of the logs of all that runs in it."""
        own = {f"{self.id}/{name}.log" for name in ("init", *self.services)}
        return own | {child.log for child in self.children.records if child.log}

    @property
    def _record(self) -> Path:
        return self.paths.run / "sandboxes" / f"{self.id}.json"

    async def start(self) -> None:
        """Pid 1 up and under its limits, the forwarder started; anything less is undone and raised."""
        self._set("Starting")
        try:
            sandbox.prepare(self.layout)
            self.group = await asyncio.to_thread(limits.make, self.hierarchy, self.id, self.spec.limits)
            self._door.open()
            await self._launch()
            await asyncio.wait_for(self._ready.wait(), _UP_S)
        except StudioError:
            await self._clear()
            raise
        except (OSError, TimeoutError, ValueError) as error:
            await self._clear()
            raise Unavailable(
                f"The sandbox {self.id} did not start: {error or 'no answer from its first process'}.",
                f"The log {self.id}/init.log may say why; `studio doctor` tries what this host allows.",
            ) from error
        self._watch = asyncio.create_task(self._wait_end(), name=f"{self.id} pid 1")
        self._set("Running")
        self.save()
        if self.spec.network == "studio":
            await self.start_service(guests.forwarder(self.layout))
        elif self.spec.network == "none":
            await self.start_service(guests.refuser(self.layout))

    async def _launch(self) -> None:
        env = {"STUDIO_IN": self.layout.inside_in, "STUDIO_OUT": self.layout.inside_out, "PATH": "/usr/bin:/bin"}
        argv = guests.init_argv(self.layout)
        logs_folder = self.paths.logs / self.id
        logs_folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        log = os.open(logs_folder / "init.log", os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        try:
            if self.spec.isolation == "bubblewrap":
                pid = await self._launch_bubblewrap(argv, env, log)
            else:
                child = process.spawn_detached(argv, env=env, log=log)
                child.returncode = 0
                pid = self._outer = child.pid
                limits.enter(self.group, pid)
        finally:
            os.close(log)
        self.handle = process.handle(pid) or process.Handle(pid, -1)
        self._started_ms = clock.now_ms()

    async def _launch_bubblewrap(self, argv: list[str], env: dict[str, str], log: int) -> int:
        found = isolation.probe()
        if found.level != "bubblewrap":
            raise OSError(f"{found.cause} {found.cure}")
        info, info_end = os.pipe()
        block_end, block = os.pipe()
        rules = _filter_pipe() if found.seccomp else -1
        # A file, not a pipe: nobody has to keep reading it, and a later supervisor finds the exit code there.
        status = os.open(self._record.with_suffix(".status"), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            command = bubblewrap.command(
                *(found.binary, self.spec, self.layout, argv),
                env=env,
                info_fd=info_end,
                status_fd=status,
                block_fd=block_end,
                filter_fd=rules,
                nested=found.nested,
            )
            # Bubblewrap's own environment stays empty: it would be readable inside.
            outer = process.spawn_detached(
                command, env={}, log=log, keep=(info_end, status, block_end, *([rules] if rules >= 0 else []))
            )
            outer.returncode = 0
            self._outer = outer.pid
            os.close(info_end)
            info_end = -1
            pid = int((await asyncio.to_thread(_read_info, info))["child-pid"])
            await asyncio.to_thread(limits.enter, self.group, pid)
            self._is_filtered = rules >= 0
            os.write(block, b"1")
            return pid
        finally:
            for descriptor in (info, info_end, block_end, block, status, rules):
                if descriptor >= 0:
                    os.close(descriptor)

    async def limit(self, wanted: Limits) -> None:
        """Other limits for what runs, as far as the kernel lets us without ending it, and for what starts later."""
        self.group = await asyncio.to_thread(limits.change, self.group, wanted)
        self.spec = msgspec.structs.replace(self.spec, limits=wanted)
        self.save()

    async def adopt(self, record: BoxRecord) -> bool:
        """Goes on with what an earlier supervisor started. False if pid 1 is dead: its rest has then been cleared."""
        self.group, self.handle, self._started_ms = record.group, record.handle, record.started_ms
        self._oom_seen = limits.memory(self.group).kills
        alive = process.is_alive(record.handle)
        self.is_ending = not alive
        for child in record.children:
            self.children.adopt(child)
        if not alive:
            await self.children.wait_all(3.0)
            await self._clear()
            return False
        for service in record.services:
            self.services[service.spec.name] = found = Service(self, service.spec)
            found.adopt(service)
        self._is_filtered = process.is_filtered(record.handle.pid)
        self._door.open()
        self._watch = asyncio.create_task(self._wait_end(), name=f"{self.id} pid 1")
        self._ready.set()
        self._set("Running")
        return True

    def _says_ready(self, pid: int, who: str, note: str, is_warm: bool) -> None:
        if who == "init":
            # The first one is pid 1: nothing else runs inside yet.
            self._ready.set()
        elif (service := self.services.get(who)) and (not pid or service.has_pid(pid)):
            service.says_ready(note, is_warm=is_warm)

    def _says_exited(self, pid: int, report: dict[str, Any]) -> None:
        is_init = pid in (0, self.handle.pid)
        is_server = any(found.has_pid(pid) for name, found in self.services.items() if name.startswith("fork-"))
        if not is_init and not is_server:
            _log.warning("%s: host process %d may not report ends", self.id, pid)
            return
        if self.children.says_exited(report) or not is_init:
            return
        if service := self.services.get(str(report.get("name"))):
            service.says_exited(report.get("code"), report.get("signal"))

    async def start_service(self, spec: ServiceSpec) -> int:
        """Host pid of the service; the one that runs, if it runs."""
        if self._state != "Running":
            raise Unavailable(f"The sandbox {self.id} is {self._state}.", "Start it first.")
        async with self._starting_service:
            if (found := self.services.get(spec.name)) and found.handle is not None:
                return found.handle.pid
            if found is not None:
                await found.stop()
            self.services[spec.name] = service = Service(self, spec)
            try:
                return await service.start()
            except BaseException:
                self.services.pop(spec.name, None)
                raise

    async def stop_service(self, name: str) -> None:
        """Ends a service for good; nothing happens if there is none."""
        async with self._starting_service:
            if service := self.services.pop(name, None):
                await service.stop()
                self.save()

    def service(self, name: str) -> Service:
        """The service, `NotFound` if there is none."""
        if name not in self.services:
            raise NotFound(f"There is no service {name} in {self.id}.", "Start it first.")
        return self.services[name]

    async def stop(self) -> None:
        """Ends everything in it; returns when nothing is left."""
        if self._ended.is_set():
            return
        self.is_ending = True
        self._set("Draining")
        if self.spec.isolation == "none":
            # Not a namespace's pid 1: it must be given the time to end what it adopted.
            await process.stop(self.handle, 6.0)
        else:
            process.send(self.handle, signal.SIGKILL)
        if self._watch is None:
            await self._clear()
        await self._ended.wait()

    async def _wait_end(self) -> None:
        await process.wait_end(self.handle)
        asked = self.is_ending
        self.is_ending = True
        if not asked:
            self.reason = "its first process was ended from outside Studio"
        for service in list(self.services.values()):
            await service.stop(0.5)
        await self.children.wait_all(5.0)
        facts = exits.explain("sandbox", None, None if asked else signal.SIGKILL, stopped=asked)
        self.record_exit(
            ExitRecord(
                *(0, self.id, "", "sandbox", self.handle.pid, None, None, *facts, self._started_ms, clock.now_ms()),
            )
        )
        await self._clear()

    async def _clear(self) -> None:
        """Leaves no process, group or socket of its own; the server's socket in `in` stays the server's."""
        self.is_ending = True
        self._door.close()
        for child in self.children.records:
            process.send(child.handle, signal.SIGKILL)
        process.send(self.handle, signal.SIGKILL)
        if self._outer:
            outer = process.handle(self._outer)
            if outer and not await process.wait_end(outer, 2.0):
                process.send(outer, signal.SIGKILL)
                await process.wait_end(outer, 2.0)
            process.reap(self._outer)
        await asyncio.to_thread(limits.kill, self.group)
        await asyncio.to_thread(limits.remove, self.group)
        await asyncio.to_thread(sandbox.remove, self.layout)
        self._record.unlink(missing_ok=True)
        self._record.with_suffix(".status").unlink(missing_ok=True)
        self.services.clear()
        self._set("Exited")
        self._ended.set()
        self._on_end(self)

    def take_oom(self, kills: int) -> bool:
        """Whether the kernel killed for memory since this was last asked."""
        new, self._oom_seen = kills > self._oom_seen, max(kills, self._oom_seen)
        return new

    def record_exit(self, record: ExitRecord) -> None:
        """Keeps an exit record and tells the subscribers."""
        kept = self._ledger.add(record)
        self.bus.publish(Event("exited", self.id, kept.name, kept.reason, kept.pid, kept.kind))

    def save(self) -> None:
        """Writes what a later supervisor needs."""
        if self._state == "Exited":
            return
        services = [record for service in self.services.values() if (record := service.record)]
        facts = BoxRecord(self.spec, self.handle, self._started_ms, self.group, services, self.children.records)
        self._is_recorded = keep(self._record, facts)

    def catch_up(self) -> None:
        """Writes the record that could not be written."""
        if not self._is_recorded:
            self.save()

    def _set(self, state: str) -> None:
        self._state = state
        self.bus.publish(Event("sandbox", self.id, "", state, self.handle.pid))


def _filter_pipe() -> int:
    """A descriptor from which bubblewrap reads the filter of system calls; it is far smaller than a pipe's buffer."""
    end, begin = os.pipe()
    os.write(begin, seccomp.filter_of())
    os.close(begin)
    return end


def _read_info(descriptor: int) -> dict[str, Any]:
    """What bubblewrap writes once the namespaces are there; it ends with bubblewrap's end of the pipe."""
    data = b""
    while piece := os.read(descriptor, 4096):
        data += piece
        if data.rstrip().endswith(b"}"):
            break
    if not data:
        raise OSError("bubblewrap ended before its namespaces were there")
    found = json.loads(data)
    return found if isinstance(found, dict) else {}


def load(path: Path) -> BoxRecord | None:
    """A sandbox's record, None if it is not one."""
    return read(path, BoxRecord)
