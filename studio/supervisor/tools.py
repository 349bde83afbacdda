"""Host programs that run once, such as the build of an environment; they outlive the supervisor too."""

import asyncio
import os
import signal
from contextlib import suppress
from pathlib import Path

from studio import clock
from studio.errors import Conflict, Invalid
from studio.ids import check_name
from studio.runtime import exits, logs, process
from studio.runtime.specs import Event, ExitRecord, ToolState
from studio.supervisor import records
from studio.supervisor.events import Bus

# The shell writes the code, so that it is known to a later supervisor as well, whose child the program is not.
_WRAPPER = '"$@"; code=$?; echo $code > "$0.new" && mv "$0.new" "$0"; exit $code'


class Tools:
    """The run-once programs of this home by name."""

    def __init__(self, run: Path, log_root: Path, bus: Bus, ledger: exits.Exits) -> None:
        self._folder, self._log_root = run / "tools", log_root
        self._bus, self._ledger = bus, ledger
        self._running: dict[str, tuple[records.ToolRecord, asyncio.Task[None]]] = {}

    def adopt(self) -> None:
        """Goes on watching what an earlier supervisor started."""
        for path in self._folder.glob("*.json"):
            found = records.read(path, records.ToolRecord)
            if found is not None and process.is_alive(found.handle):
                self._watch(found)

    async def start(self, name: str, argv: list[str], env: dict[str, str], cwd: str, log: str) -> int:
        """Host pid; `Conflict` if one of that name runs."""
        check_name(name, "tool")
        if name in self._running:
            raise Conflict(f"{name} is running already.", "Wait for it to end.")
        if not argv:
            raise Invalid(f"{name} has no command.")
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        code = self._folder / f"{name}.code"
        code.unlink(missing_ok=True)
        descriptor = logs.open_append(self._log_root, logs.name_below(self._log_root, log or f"{name}.log"))
        wrapped = ["/bin/sh", "-c", _WRAPPER, str(code), *argv]
        try:
            child = process.spawn_detached(wrapped, env={**os.environ, **env}, log=descriptor, cwd=cwd or "/")
        except OSError as error:
            raise Invalid(f"{name} cannot be started: {error}.") from error
        finally:
            os.close(descriptor)
        child.returncode = 0
        handle = process.handle(child.pid) or process.Handle(child.pid, -1)
        record = records.ToolRecord(name, handle, clock.now_ms())
        records.write(self._folder / f"{name}.json", record)
        self._watch(record)
        self._bus.publish(Event("started", "", name, "Running", child.pid, "tool"))
        return child.pid

    def _watch(self, record: records.ToolRecord) -> None:
        self._running[record.name] = (record, asyncio.create_task(self._wait(record), name=f"tool {record.name}"))

    async def _wait(self, record: records.ToolRecord) -> None:
        await process.wait_end(record.handle)
        _, number = process.reap(record.handle.pid) or (None, None)
        code = self._code(record.name)
        reason, message = exits.explain("program", code, number if code is None else None)
        self._running.pop(record.name, None)
        self._ledger.add(
            ExitRecord(
                *(0, "", record.name, "tool", record.handle.pid, code, number, reason, message),
                *(record.started_ms, clock.now_ms()),
            )
        )
        self._bus.publish(Event("exited", "", record.name, reason, record.handle.pid, "tool"))

    def _code(self, name: str) -> int | None:
        try:
            return int((self._folder / f"{name}.code").read_text())
        except (FileNotFoundError, ValueError):
            return None

    def state(self, name: str) -> ToolState:
        """Running, Exited (with its code, None if it was killed) or Unknown."""
        check_name(name, "tool")
        if name in self._running:
            return ToolState(name, "Running", self._running[name][0].handle.pid)
        found = records.read(self._folder / f"{name}.json", records.ToolRecord)
        if found is None:
            return ToolState(name, "Unknown")
        return ToolState(name, "Exited", found.handle.pid, self._code(name))

    async def stop(self) -> None:
        """Ends all of them with everything they started."""
        for record, task in list(self._running.values()):
            if process.is_alive(record.handle):
                # Its own session, so its group is the program with its children.
                with suppress(ProcessLookupError):
                    os.killpg(record.handle.pid, signal.SIGTERM)
                if not await process.wait_end(record.handle, 3.0):
                    with suppress(ProcessLookupError):
                        os.killpg(record.handle.pid, signal.SIGKILL)
            await asyncio.wait([task], timeout=5.0)
