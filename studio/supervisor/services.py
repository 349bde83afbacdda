"""Services of one sandbox: processes that its pid 1 starts; kept ones are started again."""

import asyncio
import logging
import os
from typing import TYPE_CHECKING, Any

from studio import clock
from studio.errors import Conflict, StudioError, Unavailable
from studio.runtime import exits, limits, logs, priority, process
from studio.runtime.specs import Event, ExitRecord, ServiceSpec, ServiceState
from studio.supervisor import backoff, inside
from studio.supervisor.records import ServiceRecord

if TYPE_CHECKING:
    from studio.supervisor.box import Box

_log = logging.getLogger("supervisor")
# These say when they serve; of others it is only known that they live.
_SAYS_READY = ("fork-",)
_REPORT_S = 1.0


class Service:
    """One service of `box`."""

    def __init__(self, box: "Box", spec: ServiceSpec) -> None:
        self.spec = spec
        self.ready = asyncio.Event()
        self.handle: process.Handle | None = None
        self.started_ms = 0
        self._box = box
        self._state, self._reason = "Starting", ""
        self._restarts = self._failures = 0
        self._stopping = False
        self._task: asyncio.Task[None] | None = None
        self._report: asyncio.Future[tuple[int | None, int | None]] | None = None

    @property
    def state(self) -> ServiceState:
        """As `state` shows it."""
        pid, spec = self.handle.pid if self.handle else 0, self.spec
        return ServiceState(spec.name, pid, self._state, self.started_ms, self._restarts, self._reason, spec.revision)

    @property
    def record(self) -> ServiceRecord | None:
        """What a later supervisor needs, None while it does not run."""
        return ServiceRecord(self.spec, self.handle, self.started_ms) if self.handle else None

    async def start(self) -> int:
        """Starts it and keeps it from now on; its host pid."""
        await self._launch()
        self._task = asyncio.create_task(self._keep_running(), name=f"{self._box.id} {self.spec.name}")
        return self.handle.pid if self.handle else 0

    def adopt(self, record: ServiceRecord) -> None:
        """Goes on with one that an earlier supervisor started, dead or alive."""
        self.handle, self.started_ms = record.handle, record.started_ms
        self._report = asyncio.get_running_loop().create_future()
        if process.is_alive(record.handle):
            self._set("Running")
            self.ready.set()
        self._task = asyncio.create_task(self._keep_running(), name=f"{self._box.id} {self.spec.name}")

    def has_pid(self, pid: int) -> bool:
        """Whether host process `pid` is this service itself."""
        return self.handle is not None and self.handle.pid == pid

    def says_ready(self, note: str = "", *, is_warm: bool = False) -> None:
        """It serves now; `note` is what people should know of it; `is_warm`: what it has to import is there."""
        if is_warm and self.spec.starts_nice and self.handle is not None:
            priority.restore(self.handle.pid)
        self._reason = note
        self._set("Running")
        self.ready.set()

    def says_exited(self, code: int | None, number: int | None) -> None:
        """Pid 1 reported how it ended."""
        if self._report is not None and not self._report.done():
            self._report.set_result((code, number))

    async def _launch(self) -> None:
        self.ready.clear()
        self._report = asyncio.get_running_loop().create_future()
        self._set("Starting")
        box, spec = self._box, self.spec
        descriptor = logs.open_append(box.paths.logs, f"{box.id}/{spec.name}.log")
        order: dict[str, Any] = {"op": "start", "name": spec.name, "argv": spec.argv, "cwd": spec.cwd}
        order["env"] = {**box.spec.env, **spec.env}
        try:
            answer = await inside.ask(
                box.layout.host_out, "init.sock", order, expect_pid=box.handle.pid, log=descriptor
            )
        finally:
            os.close(descriptor)
        pid = int(answer["pid"])
        host = inside.host_pid(box.handle.pid, pid) if box.spec.isolation == "bubblewrap" else pid
        self.handle = process.handle(host) or process.Handle(host, -1)
        self.started_ms = clock.now_ms()
        nice = spec.nice or (spec.starts_nice if priority.can_restore() else 0)
        if nice:
            priority.lower(host, nice)
        if not spec.name.startswith(_SAYS_READY):
            self.says_ready()
        box.save()
        box.bus.publish(Event("service", box.id, spec.name, self._state, host))

    async def _keep_running(self) -> None:
        while not self._stopping and not self._box.is_ending:
            began = clock.monotonic()
            if self.handle is not None:
                await process.wait_end(self.handle)
                await self._ended()
            if self._stopping or self._box.is_ending or not self.spec.kept:
                return
            self._failures = backoff.failures_after(self._failures, clock.monotonic() - began)
            self._set("BackingOff")
            await asyncio.sleep(backoff.delay(self._failures))
            self._restarts += 1
            try:
                await self._launch()
            except (StudioError, OSError) as error:
                self._reason = str(error)
                _log.warning("%s in %s could not be started again: %s", self.spec.name, self._box.id, error)

    async def _ended(self) -> None:
        assert self.handle is not None
        pid, code, number = self.handle.pid, None, None
        if self._report is not None and not self._box.is_ending:
            done, _ = await asyncio.wait([self._report], timeout=_REPORT_S)
            code, number = self._report.result() if done else (None, None)
        self.handle = None
        self.ready.clear()
        box = self._box
        use = limits.memory(box.group)
        oom = box.take_oom(use.kills) and number == 9
        facts = exits.explain(
            self.spec.name,
            code,
            number,
            oom=oom,
            limit_bytes=use.limit,
            peak_bytes=use.peak,
            stopped=self._stopping,
            sandbox_ended=box.is_ending,
        )
        self._reason = "" if self._stopping else facts[0]
        self._set("Exited")
        box.record_exit(
            ExitRecord(0, box.id, self.spec.name, "service", pid, code, number, *facts, self.started_ms, clock.now_ms())
        )
        box.save()

    def _set(self, state: str) -> None:
        self._state = state
        handle = self.handle
        self._box.bus.publish(Event("service", self._box.id, self.spec.name, state, handle.pid if handle else 0))

    async def stop(self, grace_s: float = 3.0) -> None:
        """Ends it for good."""
        self._stopping = True
        if self.handle is not None:
            await process.stop(self.handle, grace_s)
        if self._task is not None:
            await asyncio.wait([self._task], timeout=3.0)

    async def wait_ready(self, timeout_s: float) -> None:
        """Until it serves; `Unavailable` if it does not in time, `Conflict` if it was stopped."""
        if self._stopping:
            raise Conflict(f"{self.spec.name} is being stopped.", "Start it again.")
        try:
            await asyncio.wait_for(self.ready.wait(), timeout_s)
        except TimeoutError:
            hint = f"Its log is {self._box.id}/{self.spec.name}.log."
            raise Unavailable(f"{self.spec.name} is not ready: {self._reason or 'still importing'}.", hint) from None
