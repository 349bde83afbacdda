"""Pid 1 of a sandbox: starts services on the supervisor's word, reaps everything, reports who ended.

Run as `python -I -S …/studio/guest/init.py`: standard library only, one thread, small for ever. Where there is no
sandbox it is an ordinary process that adopts orphans, so that its end still ends everything."""

import contextlib
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any, NoReturn

# -I leaves nothing of Studio on the path: the folder that holds `studio/guest/init.py`.
# Not resolved: a link there leads to the whole package.
sys.path.insert(0, str(Path(__file__).parent.parent.parent))

from studio.guest import orphans
from studio.guest.lines import LineServer, Message, Reporter


class Init:
    """The services by name, and the reports of what ended."""

    def __init__(self) -> None:
        self._services: dict[str, dict[str, Any]] = {}
        self._reporter = Reporter("init")
        path = Path(os.environ["STUDIO_OUT"], "init.sock")
        self._server = LineServer(path, self._handle, self._reap, self._reporter.flush)

    def run(self) -> None:
        """Serves until it is told to end; as pid 1 its end is everybody's."""
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._end)
        self._reporter.ready()
        self._server.run()

    def _handle(self, message: Message, descriptors: list[int]) -> Message:
        operation = message.get("op")
        if operation == "start":
            return self._start(message, descriptors)
        if operation == "signal":
            service = self._services.get(message["name"])
            if service is None:
                return {"ok": False, "error": f"no service {message['name']}"}
            os.kill(service["pid"], int(message["signal"]))
            return {"ok": True}
        if operation == "list":
            return {"ok": True, "services": [{"name": name, **found} for name, found in self._services.items()]}
        return {"ok": False, "error": f"unknown operation {operation!r}"}

    def _start(self, message: Message, descriptors: list[int]) -> Message:
        name = message["name"]
        if name in self._services:
            return {"ok": True, "pid": self._services[name]["pid"], "running": True}
        pid = os.fork()
        if pid == 0:
            self._become(message, descriptors)
        self._services[name] = {"pid": pid, "started_ms": time.time_ns() // 1_000_000}
        return {"ok": True, "pid": pid}

    def _become(self, message: Message, descriptors: list[int]) -> NoReturn:
        """In the fork: its own session, null on 0, the log on 1 and 2, then the program. Never returns."""
        try:
            self._server.close()
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGPIPE):
                signal.signal(number, signal.SIG_DFL)
            os.setsid()
            log = descriptors[0] if descriptors else _open_log(message.get("log"))
            null = os.open("/dev/null", os.O_RDWR)
            for source, target in ((null, 0), (log, 1), (log, 2)):
                os.dup2(source, target)
            os.closerange(3, 4096)
            with contextlib.suppress(OSError):
                os.chdir(message.get("cwd") or "/")
            os.execvpe(message["argv"][0], message["argv"], message["env"])
        except BaseException as error:
            os.write(2, f"{message.get('name')} could not be started: {error}\n".encode())
        finally:
            os._exit(127)

    def _reap(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            names = [name for name, service in self._services.items() if service["pid"] == pid]
            for name in names:
                del self._services[name]
            # An unnamed one was orphaned: a child of a fork server that died before it, or a stray.
            self._reporter.exited(names[0] if names else "", pid, status)

    def _end(self, *_: object) -> NoReturn:
        if os.getpid() != 1:
            orphans.end()
        os._exit(0)


def _open_log(path: str | None) -> int:
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
    return os.open(path, flags, 0o600) if path else os.open("/dev/null", os.O_WRONLY)


if __name__ == "__main__":
    os.umask(0o077)
    if os.getpid() != 1:
        orphans.adopt()
    Init().run()
