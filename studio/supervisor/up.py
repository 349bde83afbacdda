"""What the command line calls: up, down, status, doctor. They return data; rendering is the caller's."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from studio import log
from studio.errors import StudioError, Unavailable
from studio.runtime import isolation, isolation_report, limits, process, supervising
from studio.runtime.isolation_report import Host
from studio.runtime.specs import Hello, Limits, State
from studio.settings import Settings
from studio.supervisor import listening, records
from studio.supervisor.main import serve
from studio.supervisor.supervise import AlreadyRunning, Supervisor, key_files

_START_S = 90.0
_STOP_S = 60.0


class Up(Struct):
    """Where Studio runs. `already`: it did before, in process `pid`."""

    address: str
    home: str
    pid: int
    already: bool = False


class Status(Struct):
    """`running` False: everything else but `home` is empty."""

    running: bool
    home: str
    address: str = ""
    version: str = ""
    state: State | None = None


class Finding(Struct):
    """One thing that doctor looked at. `cure` is empty when it is well."""

    name: str
    ok: bool
    detail: str
    cure: str = ""


class Doctor(Struct):
    """What this host can do, as tried."""

    isolation: isolation.Isolation
    limits: limits.Hierarchy
    findings: list[Finding]


def _socket(settings: Settings) -> Path:
    return settings.paths.sockets / "supervisor.sock"


def _hello(settings: Settings) -> Hello | None:
    try:
        return msgspec.convert(supervising.call_once(_socket(settings), "hello", timeout_s=5.0), Hello)
    except Unavailable:
        return None


def _as_up(hello: Hello, *, already: bool) -> Up:
    return Up(hello.address, hello.home, hello.pid, already)


def up(settings: Settings, detach: bool, on_ready: Callable[[Up], None]) -> Up:
    """Starts Studio, or finds the one that runs (`already`). `on_ready` is called once it answers. In the foreground
    this returns at its end (Ctrl-C or `down`), detached when it is ready. `StudioError` if it cannot start."""
    listening.check_loopback(settings.host)
    if (found := _hello(settings)) is not None:
        running = _as_up(found, already=True)
        on_ready(running)
        return running
    key_files(settings.paths)  # here, so that it is told to who asks and not to a log
    if detach:
        return _detached(settings, on_ready)
    os.umask(0o077)
    log.configure("supervisor")
    last: list[Up] = []

    def ready(hello: Hello) -> None:
        last.append(_as_up(hello, already=False))
        on_ready(last[0])

    try:
        asyncio.run(serve(Supervisor(settings), ready))
    except AlreadyRunning:
        # It holds the home and does not answer yet: it is starting, or on its way out.
        running = _wait_hello(settings, None, already=True)
        on_ready(running)
        return running
    return last[0] if last else Up("", str(settings.paths.home), os.getpid())


def _detached(settings: Settings, on_ready: Callable[[Up], None]) -> Up:
    paths = settings.paths
    paths.logs.mkdir(mode=0o700, parents=True, exist_ok=True)
    argv = [sys.executable, "-m", "studio.supervisor.main", "--home", str(paths.home)]
    argv += ["--host", settings.host, "--port", str(settings.port)]
    with (paths.logs / "supervisor.log").open("ab") as file:
        child = process.spawn_detached(argv, env=dict(os.environ), log=file.fileno())
    ready = _wait_hello(settings, child, already=False)
    on_ready(ready)
    return ready


def _wait_hello(settings: Settings, child: subprocess.Popen[bytes] | None, *, already: bool) -> Up:
    """Until gateway and server answer; `Unavailable` with the log's last lines if the supervisor ends before."""
    deadline = time.monotonic() + _START_S
    while time.monotonic() < deadline:
        if child is not None and child.poll() is not None:
            text = (settings.paths.logs / "supervisor.log").read_text(errors="replace")
            said = "; ".join(text.splitlines()[-3:])
            raise Unavailable(f"Studio did not start: {said}", f"The whole log: {settings.paths.logs}/supervisor.log")
        if (found := _hello(settings)) is not None:
            state = msgspec.convert(supervising.call_once(_socket(settings), "state"), State)
            if state.gateway.state == state.server.state == "Running":
                if child is not None:
                    # It lives on after this process; nobody has to wait for it.
                    child.returncode = 0
                return _as_up(found, already=already)
        time.sleep(0.02)
    if child is not None:
        child.returncode = 0
    hint = f"Look into {settings.paths.logs}: server.log, gateway.log. `studio down` ends what was started."
    said = f" The server said last: {last}" if (last := _last_line(settings.paths.logs / "server.log")) else ""
    raise Unavailable(f"Gateway and server have not answered for {_START_S:.0f} s.{said}", hint)


def _last_line(log_file: Path) -> str:
    try:
        return log_file.read_text(errors="replace").rstrip().rpartition("\n")[2][-500:]
    except OSError:
        return ""


def down(settings: Settings) -> bool:
    """Ends everything of this home, also what a killed supervisor left; False if nothing ran."""
    record = records.read(settings.paths.run / "supervisor.json", records.SupervisorRecord)
    try:
        supervising.call_once(_socket(settings), "shutdown")
        was_running = True
    except Unavailable:
        was_running = False
    if record is not None and process.is_alive(running := process.Handle(record.pid, record.start_time)):
        if not was_running:
            # It lives and does not answer: told by signal, which it takes the same way.
            process.send(running, signal.SIGTERM)
        _wait_gone(running)
        was_running = True
    if not settings.paths.run.is_dir():
        return was_running
    return asyncio.run(_clear(settings)) or was_running


def _wait_gone(running: process.Handle) -> None:
    deadline = time.monotonic() + _STOP_S
    while process.is_alive(running):
        if time.monotonic() > deadline:
            process.send(running, signal.SIGKILL)
        time.sleep(0.01)


async def _clear(settings: Settings) -> bool:
    """Adopts what still lives, as `up` would, only to end it; True if there was something."""
    supervisor = Supervisor(settings.model_copy(update={"host": "127.0.0.1"}))
    await supervisor.open()
    found = await supervisor.is_anything_alive()
    await supervisor.close()
    (settings.paths.run / "supervisor.json").unlink(missing_ok=True)
    return found


def status(settings: Settings) -> Status:
    """What runs; never starts anything."""
    home = str(settings.paths.home)
    found = _hello(settings)
    if found is None:
        return Status(False, home)
    state = msgspec.convert(supervising.call_once(_socket(settings), "state"), State)
    return Status(True, home, found.address, found.version, state)


def doctor(settings: Settings | None = None) -> Doctor:
    """What this host can isolate and limit, found by trying, and what else Studio needs of it."""
    found = isolation.probe()
    hierarchy = limits.detect(f"studio-doctor-{os.getpid()}")
    held = limits.tried(hierarchy)
    limits.close(hierarchy)
    findings = [
        Finding("isolation", found.level == "bubblewrap", f"{found.level}: {found.cause or found.detail}", found.cure),
        Finding("limits", hierarchy.kind != "none", hierarchy.detail, hierarchy.cure),
        *_mechanisms(found, held, hierarchy),
        _python(),
        _uv(),
        _home(settings or Settings()),
    ]
    return Doctor(found, hierarchy, findings)


def _mechanisms(found: isolation.Isolation, held: Limits, hierarchy: limits.Hierarchy) -> list[Finding]:
    """The isolation report for a domain with the default network, the level it comes to, and what `open` gives away."""
    level = isolation_report.level(found, held)
    shared = Host(found, isolation.tried(True), held, hierarchy.detail)
    own = Host(found, isolation.tried(False), held, hierarchy.detail)
    [opened] = isolation_report.network_of(shared, "open")
    more = "" if level == "full" else "The lines below say which walls are missing, and how to get them."
    return [
        Finding("isolation level", level == "full", f"{level}: {isolation_report.MEANING[level]}", more),
        *(_finding(item) for item in isolation_report.report(own, "studio", None)),
        Finding("network mode open", True, f"where an admin chooses it: {opened.detail}"),
    ]


def _finding(item: isolation_report.Mechanism) -> Finding:
    return Finding(item.name, item.enforced, f"{item.detail}; {item.why}" if item.why else item.detail, item.cure)


def _python() -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    cure = "" if sys.version_info >= (3, 11) else "Studio needs Python 3.11 or newer."
    return Finding("python", not cure, f"{version} at {sys.executable}", cure)


def _uv() -> Finding:
    try:
        import uv

        said = _first_line([uv.find_uv_bin(), "--version"])
    except (ImportError, OSError) as error:
        return Finding("uv", False, f"cannot be run: {error}", "pip install uv")
    return Finding("uv", True, said)


def _first_line(argv: list[Any]) -> str:
    done = subprocess.run(argv, capture_output=True, text=True, timeout=20, check=False)
    return (done.stdout or done.stderr).strip().partition("\n")[0]


def _home(settings: Settings) -> Finding:
    paths = settings.paths
    nearest = next(path for path in (paths.home, *paths.home.parents) if path.exists())
    if not os.access(nearest, os.W_OK):
        return Finding("home", False, f"{nearest} cannot be written.", "Choose another with --home.")
    found = os.statvfs(nearest)
    free = found.f_bavail * found.f_frsize / 1e9
    cure = "" if free > 3 else "Free some space: an environment takes about half a gigabyte."
    return Finding("home", not cure, f"{paths.home}, {free:.0f} GB free", cure)


__all__ = ["Doctor", "Finding", "Status", "StudioError", "Up", "doctor", "down", "status", "up"]
