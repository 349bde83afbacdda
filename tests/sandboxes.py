"""Real supervisors and sandboxes for tests: started in homes of their own, ended, and checked for leaks."""

import asyncio
import contextlib
import functools
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from studio.environments import build, definitions, store
from studio.runtime import guests, isolation, logs, process, sandbox
from studio.runtime.specs import ChildSpec, ExitRecord, Limits, SandboxSpec
from studio.runtime.supervising import Supervisor
from studio.settings import Settings
from studio.supervisor import up
from tests import leaks
from tests.live import ENVIRONMENTS, ROOT

# Enough for a kernel; without the half minute that everything may take on a busy machine.
SMALL = ("ipykernel.kernelapp", "ipykernel.zmqshell", "numpy")


@functools.cache
def environment() -> Path:
    """The environment of the story, built once per checkout."""
    [found] = [item for item in definitions.load(ROOT / "assets" / "environments") if item.name == "sklearn"]
    return store.folder(ENVIRONMENTS, build.build(found, ENVIRONMENTS))


def settings(home: Path) -> Settings:
    """Settings of a home for tests."""
    return Settings(home=home, environments=ENVIRONMENTS, port=0)


class Running:
    """A supervisor process and its client."""

    def __init__(self, home: Path, *, crash: str = "", port: int = 0) -> None:
        self.settings = settings(home)
        self.paths = self.settings.paths
        self.pids: dict[str, int] = {}
        self._arguments = ["--crash", crash, "--port", str(port)]
        self._process: subprocess.Popen[str] | None = None
        self.client = Supervisor(self.paths.sockets / "supervisor.sock")
        self.address = ""

    def start(self) -> None:
        """Starts the supervisor and waits until it is ready."""
        self.paths.home.mkdir(parents=True, exist_ok=True)
        argv = [sys.executable, "-m", "tests.supervised", "--home", str(self.paths.home)]
        argv += ["--environments", str(ENVIRONMENTS), *self._arguments]
        with (self.paths.home / "supervisor.log").open("a") as log:
            self._process = subprocess.Popen(argv, cwd=ROOT, stdout=subprocess.PIPE, stderr=log, text=True)
        assert self._process.stdout is not None
        self.address = self._process.stdout.readline().strip()
        assert self.address, (self.paths.home / "supervisor.log").read_text()

    @property
    def pid(self) -> int:
        """The supervisor's pid."""
        assert self._process is not None
        return self._process.pid

    def kill(self) -> None:
        """kill -9 of the supervisor."""
        assert self._process is not None
        self.note()
        self._process.kill()
        self._process.communicate()
        self._process = None

    def note(self) -> None:
        """Remembers what runs now, for the leak check."""
        self.pids |= leaks.table(self.settings)

    def down(self) -> None:
        """Ends everything and fails if something is left."""
        with contextlib.suppress(Exception):
            self.note()
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
            self._process.communicate(timeout=30)
            self._process = None
        else:
            # In a thread: tests have a loop already, and `down` runs one of its own.
            with ThreadPoolExecutor(1) as thread:
                thread.submit(up.down, self.settings).result()
        leaks.check(self.settings, self.pids)

    def layout(self, domain: str, owner: str) -> sandbox.Layout:
        """Where a sandbox of this home lies."""
        return sandbox.Layout(self.paths, domain, owner, isolation.probe().level)

    def spec(self, domain: str, owner: str, **given: Any) -> SandboxSpec:
        """A sandbox's spec as the server would build it."""
        return sandbox.build_spec(self.paths, domain, owner, isolation=isolation.probe().level, token="secret", **given)

    async def box(self, domain: str, owner: str, preload: Sequence[str] = SMALL, **given: Any) -> "Box":
        """A running sandbox with a fork server of the test environment."""
        spec = self.spec(domain, owner, **given)
        await self.client.sandbox_start(spec)
        box = Box(self, spec)
        await self.client.service_start(spec.id, guests.fork_server(box.layout, "sklearn", environment(), preload))
        return box


class Box:
    """A running sandbox."""

    def __init__(self, running: Running, spec: SandboxSpec) -> None:
        self.running, self.spec, self.id = running, spec, spec.id
        self.layout = sandbox.layout_of(running.paths, spec)
        self._count = 0

    async def job(
        self,
        source: str,
        *argv: str,
        name: str = "",
        limits: Limits | None = None,
        environment: str = "sklearn",
        **env: str,
    ) -> str:
        """Starts a job that runs `source`; its name."""
        self._count += 1
        name = name or f"job-{self._count}"
        folder = self.layout.host_home if self.layout.is_service else self.layout.host_shared
        script = folder / f"{name}.py"
        script.write_text(source)
        spec = ChildSpec(name, "job", env=env, args={"script": self.layout.inside(script), "argv": list(argv)})
        await self.running.client.child_fork(self.id, environment, spec, limits)
        return name

    async def ended(self, name: str, timeout_s: float = 60.0) -> ExitRecord:
        """The exit record of `name`."""

        async def look() -> ExitRecord | None:
            records = await self.running.client.exits()
            return next((found for found in reversed(records) if (found.sandbox, found.name) == (self.id, name)), None)

        return await until(look, f"the end of {name}", timeout_s)

    def log(self, name: str) -> str:
        """The log of a service or child."""
        return logs.tail(self.running.paths.logs, f"{self.id}/{name}.log").text

    async def output(self, source: str, *argv: str, **given: Any) -> str:
        """What a job that runs `source` to a good end prints."""
        name = await self.job(source, *argv, **given)
        record = await self.ended(name)
        assert record.code == 0, self.log(name)
        return self.log(name)


async def until(condition: Callable[[], Any], what: str, timeout_s: float = 60.0) -> Any:
    """The first true value of `condition` (which may be a coroutine function); fails naming `what`."""
    deadline = time.monotonic() + timeout_s
    while True:
        value = condition()
        if asyncio.iscoroutine(value):
            value = await value
        if value:
            return value
        assert time.monotonic() < deadline, f"{what} did not happen within {timeout_s} s"
        await asyncio.sleep(0.01)


@contextlib.contextmanager
def supervised(home: Path, **given: Any) -> Iterator[Running]:
    """A supervisor for the length of the block."""
    running = Running(home, **given)
    try:
        running.start()
        yield running
    finally:
        running.down()


@contextlib.asynccontextmanager
async def connected(home: Path, **given: Any) -> AsyncIterator[Running]:
    """As `supervised`, with the client closed at the end."""
    with supervised(home, **given) as running:
        try:
            yield running
        finally:
            await running.client.close()


def kill(pid: int) -> None:
    """kill -9 of a recorded pid; returns when it has ended."""
    found = process.handle(pid)
    assert found is not None, f"{pid} has ended already"
    os.kill(found.pid, signal.SIGKILL)
    deadline = time.monotonic() + 10
    while process.is_alive(found):
        assert time.monotonic() < deadline, f"{pid} does not end"
        time.sleep(0.001)
