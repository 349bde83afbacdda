"""Kernels, jobs and replicas of one sandbox: forks that are let in, put under their limits and watched to their end."""

import asyncio
import re
import signal
from typing import TYPE_CHECKING, Any

from studio import clock
from studio.errors import Conflict, Invalid, NotFound, StudioError, Timeout, Unavailable
from studio.runtime import exits, limits, logs, priority, process
from studio.runtime.guests import fork_service
from studio.runtime.specs import ChildSpec, ChildState, Event, ExitRecord, Limits
from studio.supervisor import inside
from studio.supervisor.coming import Coming
from studio.supervisor.door import Admission
from studio.supervisor.records import ChildRecord

if TYPE_CHECKING:
    from studio.supervisor.box import Box
    from studio.supervisor.services import Service

_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9._-]{0,79}")
_MOST = 128
_REPORT_S = 2.0
_WARM_S = 60.0


class Expected:
    """A child that was asked for and has not said hello yet."""

    def __init__(self, spec: ChildSpec, group: "asyncio.Task[limits.Group]") -> None:
        loop = asyncio.get_running_loop()
        self.spec = spec
        self.group = group
        self.inside_pid: asyncio.Future[int] = loop.create_future()
        self.admitted: asyncio.Future[int] = loop.create_future()


class Child:
    """A child that runs."""

    def __init__(self, record: ChildRecord) -> None:
        self.record = record
        self.report: asyncio.Future[tuple[int | None, int | None]] = asyncio.get_running_loop().create_future()
        self.is_asked = False
        self.ended = asyncio.Event()
        self.is_stopped = False
        self.is_over_memory = False
        self.family: list[process.Handle] = []  # where no cgroup holds them: its descendants, as last seen

    def look(self) -> None:
        """Notes who descends from it now; it adopts its orphans, so nobody is missing."""
        if not self.record.group.folders:
            below = process.descendants(self.record.handle.pid)
            self.family = [found for pid in below if (found := process.handle(pid)) is not None]


class Children:
    """The children of `box` by name."""

    def __init__(self, box: "Box") -> None:
        self._box = box
        self._coming = Coming(box)
        self._expected: dict[str, Expected] = {}
        self._children: dict[str, Child] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def records(self) -> list[ChildRecord]:
        """What a later supervisor needs."""
        return [child.record for child in self._children.values()]

    @property
    def states(self) -> list[ChildState]:
        """As `state` shows them."""
        return [self._state(child) for child in self._children.values()]

    def _state(self, child: Child) -> ChildState:
        record = child.record
        used = limits.memory(record.group).now or process.memory_bytes(record.handle.pid)
        state = "Stopping" if child.is_stopped else "Running"
        return ChildState(
            *(record.name, record.kind, record.handle.pid, state, record.started_ms, record.environment),
            *(used, process.cpu_ms(record.handle.pid), record.revision),
        )

    def adopt(self, record: ChildRecord) -> None:
        """Goes on watching one that an earlier supervisor let in, dead or alive."""
        self._watch(Child(record))

    async def fork(self, environment: str, spec: ChildSpec, limit: Limits | None) -> int:
        """Host pid of the new child, let in and running."""
        if not _NAME.fullmatch(spec.name):
            raise Invalid(
                f"{spec.name!r} cannot be the name of a {spec.kind}.", "Use letters, digits, '.', '_' and '-'."
            )
        if spec.name in self._children or spec.name in self._expected:
            raise Conflict(f"{spec.name} is running already.", "Stop it first, or choose another name.")
        box = self._box
        service = box.services.get(fork_service(environment))
        if service is None:
            raise NotFound(f"No fork server of {environment} runs in {box.id}.", "Start it with service.start first.")
        making = self._coming.begin(spec.name, limit or box.spec.child_limits)
        expected = self._expected[spec.name] = Expected(spec, making)
        order = {
            "op": "fork",
            "name": spec.name,
            "kind": spec.kind,
            "cwd": spec.cwd,
            "env": spec.env,
            "args": spec.args,
        }
        try:
            expected.inside_pid.set_result(await self._order(service, order))
            return await asyncio.wait_for(expected.admitted, 15.0)
        except TimeoutError:
            hint = f"The log {box.id}/{service.spec.name}.log may say why."
            raise Timeout(f"{spec.name} was forked and did not say hello.", hint) from None
        finally:
            self._expected.pop(spec.name, None)
            # Nobody may be left waiting for a pid that will not come, nor a group without a process.
            expected.inside_pid.cancel()
            if not expected.admitted.done() or expected.admitted.cancelled():
                await asyncio.to_thread(limits.remove, await expected.group)

    async def _order(self, service: "Service", order: dict[str, Any]) -> int:
        """The pid that the fork server gives for `order`; asks its successor if it has just died."""
        for _ in range(3):
            await service.wait_ready(_WARM_S)
            asked = service.handle
            if asked is None:
                continue
            try:
                name = f"{service.spec.name}.sock"
                answer = await inside.ask(self._box.layout.host_out, name, order, expect_pid=asked.pid)
                return int(answer["pid"])
            except Unavailable:
                if not await process.wait_end(asked, 0.1):
                    raise
                service.ready.clear()
        raise Unavailable(
            f"{service.spec.name} does not stay alive.", f"Its log: {self._box.id}/{service.spec.name}.log."
        )

    def announced(self, pid: int, name: str) -> None:
        """A fork server is forking a child of that name: what it needs is made meanwhile."""
        is_ours = any(
            found.has_pid(pid) and found.spec.name.startswith("fork-") for found in self._box.services.values()
        )
        is_new = name not in self._expected and name not in self._children and len(self._children) < _MOST
        if is_ours and is_new and _NAME.fullmatch(name) and not self._box.is_ending:
            self._coming.announce(name)

    async def hello(self, pid: int, name: str, kind: str) -> Admission:
        """Lets a child in, if it is what was asked for, or a fork that this sandbox may make by itself."""
        box = self._box
        expected = self._expected.get(name)
        if expected is not None:
            inside_pid = await asyncio.wait_for(expected.inside_pid, 5.0)
            pid = pid or inside_pid
        else:
            inside_pid = process.inside_pid(pid) or pid
        parent = inside.parent_of(pid)
        server = next((found for found in box.services.values() if found.has_pid(parent)), None)
        why = self._refusal(pid, name, kind, expected, inside_pid)
        if server is None or not server.spec.name.startswith("fork-"):
            why = why or "it is no child of a fork server"
        handle = process.handle(pid)
        if why or handle is None or server is None:
            return Admission(False, why or "it has ended already")
        spec = expected.spec if expected else ChildSpec(name, kind)  # type: ignore[arg-type]  # checked by _refusal
        group = await (expected.group if expected else self._coming.take(name))
        limits.enter(group, pid)
        if server.spec.starts_nice:
            priority.restore(pid)  # a fork of one that is not warm yet
        log = logs.name_below(box.paths.logs, spec.log or f"{box.id}/{name}.log")
        descriptor = logs.open_append(box.paths.logs, log)
        environment = server.spec.name.removeprefix("fork-")
        known = (environment, handle, inside_pid, clock.now_ms(), group, log, server.spec.revision)
        record = ChildRecord(name, kind, *known)
        self._watch(Child(record))
        box.save()
        box.bus.publish(Event("started", box.id, name, "Running", pid, kind))
        if expected is not None and not expected.admitted.done():
            expected.admitted.set_result(pid)
        return Admission(True, log=descriptor, adopts=not group.folders)

    def _refusal(self, pid: int, name: str, kind: str, expected: Expected | None, inside_pid: int) -> str:
        box = self._box
        if box.is_ending:
            return "the sandbox is ending"
        if name in self._children:
            return f"a child {name} is running"
        if any(child.record.handle.pid == pid for child in self._children.values()):
            # It would leave the limits it has for the default ones.
            return "it has been let in already"
        if expected is not None:
            real = process.inside_pid(pid) or pid
            return "" if expected.spec.kind == kind and real == inside_pid else "it is not the one that was asked for"
        if not _NAME.fullmatch(name):
            return "it has an odd name"
        if len(self._children) >= _MOST:
            return f"there are {_MOST} children already"
        # A job always has a record of its own first: only kernels and woken replicas come unannounced.
        allowed = "replica" if box.layout.is_service else "kernel"
        return "" if kind == allowed else f"only a {allowed} may start without being asked for"

    def _watch(self, child: Child) -> None:
        self._children[child.record.name] = child
        task = asyncio.create_task(self._wait(child), name=f"{self._box.id} {child.record.name}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _wait(self, child: Child) -> None:
        record, box = child.record, self._box
        await process.wait_end(record.handle)
        ended_ms = clock.now_ms()
        if not box.is_ending:
            await asyncio.wait([child.report], timeout=_REPORT_S)
        code, number = child.report.result() if child.report.done() else (None, None)
        use = limits.memory(record.group)
        oom = child.is_over_memory or (use.kills > 0 and code != 0)
        reason, message = exits.explain(
            record.kind,
            code,
            number,
            oom=oom,
            limit_bytes=use.limit or record.group.limits.memory_mb << 20,
            peak_bytes=use.peak,
            stopped=child.is_stopped or (child.is_asked and number is not None),
            sandbox_ended=box.is_ending,
            last_words="" if code == 0 else await asyncio.to_thread(self._last_words, record),
        )
        # What it left running under its own limits ends with it: a double fork is no way to stay.
        await asyncio.to_thread(self._clear, child)
        self._children.pop(record.name, None)
        box.record_exit(
            ExitRecord(
                *(0, box.id, record.name, record.kind, record.handle.pid, code, number, reason, message),
                *(record.started_ms, ended_ms, use.peak),
            )
        )
        box.save()
        child.ended.set()

    def _last_words(self, record: ChildRecord) -> str:
        """The end of its log, "" where that cannot be read."""
        if not record.log:
            return ""
        try:
            return logs.tail(self._box.paths.logs, record.log, -exits.LAST_WORDS, exits.LAST_WORDS).text
        except (StudioError, OSError):
            return ""

    @staticmethod
    def _clear(child: Child) -> None:
        limits.kill(child.record.group)
        limits.remove(child.record.group)
        for found in child.family:
            process.send(found, signal.SIGKILL)

    def says_exited(self, report: dict[str, Any]) -> bool:
        """Takes a report of a fork server or of pid 1 (the caller checked who); False if it is about nobody here."""
        for child in self._children.values():
            if child.record.inside_pid == report.get("pid") and report.get("name") in ("", None, child.record.name):
                if not child.report.done():
                    child.is_asked = report.get("asked") is True
                    child.report.set_result((report.get("code"), report.get("signal")))
                return True
        return False

    async def stop(self, name: str, grace_s: float) -> None:
        """INT → TERM → KILL; nothing happens if it does not run."""
        child = self._children.get(name)
        if child is None:
            return
        child.is_stopped = True
        await asyncio.to_thread(child.look)
        await process.stop(child.record.handle, grace_s, interrupt=child.record.kind != "kernel")
        try:
            await asyncio.wait_for(child.ended.wait(), 10.0)
        except TimeoutError:
            raise Unavailable(f"{name} has not ended.", "Stop its sandbox.") from None

    def over_memory(self) -> list[str]:
        """Where no cgroup limits memory: kills who uses more than it may, and names them."""
        found = []
        for name, child in self._children.items():
            record = child.record
            child.look()
            limit = record.group.limits.memory_mb << 20
            if not limit or record.group.folder("memory"):
                continue
            family = [record.handle.pid, *process.descendants(record.handle.pid)]
            if sum(map(process.memory_bytes, family)) > limit:
                child.is_over_memory = True
                process.send(record.handle, 9)
                found.append(name)
        return found

    async def wait_all(self, timeout_s: float) -> None:
        """Until every end is recorded."""
        if self._tasks:
            await asyncio.wait(set(self._tasks), timeout=timeout_s)
