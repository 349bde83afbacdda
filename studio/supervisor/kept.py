"""Gateway and server: host processes that are kept, over their own ends and over the supervisor's."""

import asyncio
import logging
import os
from collections.abc import Callable, Sequence
from pathlib import Path

from studio import clock
from studio.errors import StudioError
from studio.runtime import exits, logs, priority, process, sockets
from studio.runtime.specs import Event, ExitRecord, KeptState
from studio.supervisor import backoff, records
from studio.supervisor.events import Bus

_log = logging.getLogger("supervisor")
_READY_S = 60.0


class Kept:
    """One kept process. `argv` is asked for at each start; `keep` are descriptors that it inherits; `restarts_nice`:
    how far it gives way to others while it starts again, where that can be undone."""

    def __init__(
        self,
        name: str,
        argv: Callable[[], list[str]],
        *,
        env: dict[str, str],
        log_root: Path,
        run: Path,
        ready: Path,
        bus: Bus,
        ledger: exits.Exits,
        keep: Callable[[], Sequence[int]] = tuple,
        restarts_nice: int = 0,
    ) -> None:
        self.name = name
        self._nice = restarts_nice if priority.can_restore() else 0
        self._argv, self._env, self._keep = argv, env, keep
        self._log_root, self._record, self._ready = log_root, run / f"{name}.json", ready
        self._bus, self._ledger = bus, ledger
        self._handle: process.Handle | None = None
        self._state, self._reason = "Stopped", ""
        self._restarts = 0
        self._failures = 0
        self._started_ms = 0
        self._is_recorded = True
        self._stopping = False
        self._task: asyncio.Task[None] | None = None
        self.changed = asyncio.Event()

    @property
    def state(self) -> KeptState:
        """As `state` shows it."""
        return KeptState(self._handle.pid if self._handle else 0, self._state, self._restarts, self._reason)

    def adopt(self) -> bool:
        """Goes on with one that an earlier supervisor started, if it lives."""
        found = records.read(self._record, records.KeptRecord)
        if found is None or not process.is_alive(found.handle):
            return False
        self._handle, self._started_ms = found.handle, found.started_ms
        return True

    def begin(self) -> None:
        """Keeps it from now on."""
        self._task = asyncio.create_task(self._keep_running(), name=f"keep {self.name}")

    async def _keep_running(self) -> None:
        while not self._stopping:
            if self._handle is None and not self._spawn():
                await asyncio.sleep(backoff.delay(self._failures))
                continue
            assert self._handle is not None
            began = clock.monotonic()
            waiting = asyncio.create_task(self._wait_ready())
            await process.wait_end(self._handle)
            waiting.cancel()
            self._ended(self._handle)
            self._failures = backoff.failures_after(self._failures, clock.monotonic() - began)
            self._handle = None
            if not self._stopping:
                pause = backoff.delay(self._failures)
                self._restarts += 1
                self._set("BackingOff")
                _log.warning("%s ended (%s); starting it again in %.1f s", self.name, self._reason, pause)
                await asyncio.sleep(pause)

    def _spawn(self) -> bool:
        self._set("Starting")
        try:
            descriptor = logs.open_append(self._log_root, f"{self.name}.log")
            try:
                child = process.spawn_detached(self._argv(), env=self._env, log=descriptor, keep=self._keep())
            finally:
                os.close(descriptor)
        except (OSError, StudioError) as error:
            self._failures += 1
            self._reason = f"could not be started: {error}"
            _log.error("%s %s", self.name, self._reason)
            self._set("BackingOff")
            return False
        # Its end is seen by its pidfd and reaped there; Popen must not wait for it a second time.
        child.returncode = 0
        if self._restarts and self._nice:
            priority.lower(child.pid, self._nice)
        self._started_ms = clock.now_ms()
        # One that ended at once is a zombie without a start time; its handle then counts as ended.
        self._handle = process.handle(child.pid) or process.Handle(child.pid, -1)
        self._is_recorded = records.keep(self._record, records.KeptRecord(self._handle, self._started_ms))
        self._bus.publish(Event("started", "", self.name, "Starting", child.pid))
        return True

    def catch_up(self) -> None:
        """Writes the record that could not be written."""
        if not self._is_recorded and self._handle is not None:
            self._is_recorded = records.keep(self._record, records.KeptRecord(self._handle, self._started_ms))

    async def _wait_ready(self) -> None:
        deadline = clock.monotonic() + _READY_S
        while clock.monotonic() < deadline:
            try:
                (await asyncio.to_thread(sockets.connect, self._ready, timeout_s=1.0)).close()
            except StudioError:
                await asyncio.sleep(0.02)
                continue
            if self._nice and self._handle is not None:
                priority.restore(self._handle.pid)
            self._set("Running")
            return
        self._reason = f"it has not answered on {self._ready.name} for {_READY_S:.0f} s"

    def _ended(self, handle: process.Handle) -> None:
        code, number = process.reap(handle.pid) or (None, None)
        stopped = self._stopping
        reason, message = exits.explain(self.name, code, number, stopped=stopped)
        self._reason = "" if stopped else reason
        self._ledger.add(
            ExitRecord(
                *(0, "", self.name, "kept", handle.pid, code, number, reason, message),
                *(self._started_ms, clock.now_ms()),
            )
        )
        self._bus.publish(Event("exited", "", self.name, reason, handle.pid))

    def _set(self, state: str) -> None:
        self._state = state
        if state == "Running":
            self._reason = ""
        self.changed.set()

    async def stop(self, grace_s: float = 5.0) -> None:
        """Ends it for good."""
        self._stopping = True
        if self._handle is not None:
            await process.stop(self._handle, grace_s)
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if self._handle is not None:
            process.reap(self._handle.pid)
        self._handle = None
        self._set("Stopped")
        self._record.unlink(missing_ok=True)
