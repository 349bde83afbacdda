"""A process that has imported an environment's libraries and forks kernels, jobs and replicas.

`<environment python> -m studio.guest.forkserver --name <environment> --preload pandas,sklearn.ensemble`
It must have one thread whenever it forks (a lock held by another thread stays locked in the child for ever): before
each fork the count is looked up, and when it is not one the child is a fresh interpreter instead. A preloaded module
that leaves threads behind is found out at the start and left out by starting once more without it. It serves as soon as
it can fork a replica; what `--then` names comes between orders."""

import argparse
import gc
import importlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NoReturn

from studio.guest import child
from studio.guest.lines import LineServer, Message, Reporter

SPAWNING = (
    "{count} threads live in the fork server, so that nothing can be forked safely: kernels, jobs and replicas start as"
    " fresh interpreters, a second slower. A package of the environment's preload list starts them."
)


class Preload:
    """What was imported; `failed`: why not, by name; `threaded`: after which more than one thread lived."""

    def __init__(self) -> None:
        self.imported: list[str] = []
        self.failed: dict[str, str] = {}
        self.threaded: list[str] = []

    def take(self, names: Iterable[str]) -> None:
        """Imports what can be imported."""
        for name in names:
            before = threads()
            try:
                importlib.import_module(name)
            except Exception as error:
                # A package that is broken or absent costs its own speed, not the whole environment.
                self.failed[name] = f"{type(error).__name__}: {error}"
                continue
            if threads() > max(1, before):
                self.threaded.append(name)
            self.imported.append(name)


class ForkServer:
    """The children by name, and the reports of what ended."""

    def __init__(self, name: str, preload: Preload) -> None:
        self._children: dict[str, dict[str, Any]] = {}
        self._preload = preload
        self._is_spawning = False
        self._reporter = Reporter(f"fork-{name}")
        path = Path(os.environ["STUDIO_OUT"], f"fork-{name}.sock")
        self._server = LineServer(path, self._handle, self._reap, self._reporter.flush)

    def open(self) -> None:
        """Takes orders from now on."""
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
        self._reporter.ready()

    def warm(self, names: Iterable[str]) -> bool:
        """Imports the rest, with a look at the orders before each; in a fork's child it raises `child.Born`. False as
        soon as a module leaves threads behind and nobody has been forked: this better begins anew without it."""
        for name in names:
            self._server.look()
            self._preload.take([name])
            if self._preload.threaded and threads() != 1 and not self._children:
                return False
        gc.collect()
        gc.freeze()
        self._reporter.warm()
        return True

    def run(self) -> None:
        """Serves for ever; in a fork's child it raises `child.Born`."""
        self._server.run()

    def _handle(self, message: Message, _descriptors: list[int]) -> Message:
        operation = message.get("op")
        if operation == "fork":
            return self._fork(message)
        if operation == "signal":
            pid = (
                self._children[message["name"]]["pid"] if message.get("name") in self._children else message.get("pid")
            )
            if not isinstance(pid, int) or pid <= 1 or pid == os.getpid():
                return {"ok": False, "error": f"no child {message.get('name')}"}
            number = int(message["signal"])
            if number in (signal.SIGTERM, signal.SIGKILL) and message.get("name") in self._children:
                self._children[message["name"]]["asked"] = True
            (os.killpg if message.get("group") else os.kill)(pid, number)
            return {"ok": True}
        if operation == "list":
            return {"ok": True, "children": [{"name": name, **found} for name, found in self._children.items()]}
        if operation == "ping":
            preload = self._preload
            return {"ok": True, "threads": threads(), "preloaded": preload.imported, "failed": preload.failed}
        return {"ok": False, "error": f"unknown operation {operation!r}"}

    def _fork(self, order: Message) -> Message:
        name = order["name"]
        if name in self._children:
            return {"ok": False, "running": True, "error": f"a child {name} is running"}
        if not isinstance(name, str) or order["kind"] not in child.KINDS:
            return {"ok": False, "error": f"unknown kind {order['kind']!r}"}
        single = (count := threads()) == 1
        if not single and not self._is_spawning:
            self._is_spawning = True
            self._reporter.ready(SPAWNING.format(count=count))
        self._reporter.forking(name)
        gc.freeze()  # what a child's collections walk, it copies
        pid = os.fork() if single else _spawn(order)
        if pid == 0:
            self._server.close()
            raise child.Born(order)
        self._children[name] = {"pid": pid, "kind": order["kind"], "started_ms": time.time_ns() // 1_000_000}
        return {"ok": True, "pid": pid, "forked": single}

    def _reap(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            name = next((name for name, found in self._children.items() if found["pid"] == pid), "")
            found = self._children.pop(name, {})
            self._reporter.exited(name, pid, status, asked=bool(found.get("asked")))


def threads() -> int:
    """Threads of this process as the kernel counts them: compiled libraries start some that Python does not know."""
    try:
        with open("/proc/self/status") as file:
            return next(int(line.split()[1]) for line in file if line.startswith("Threads:"))
    except (OSError, StopIteration):
        import threading

        return threading.active_count()


def _spawn(order: Message) -> int:
    """A fresh interpreter for the child, given its order in a file that has no name any more."""
    with tempfile.TemporaryFile() as file:
        file.write(json.dumps(order).encode())
        file.flush()
        file.seek(0)
        argv = [sys.executable, "-m", "studio.guest.child", "--order", str(file.fileno())]
        process = subprocess.Popen(argv, pass_fds=(file.fileno(),), start_new_session=True)
    # Reaped by this server's own wait: Popen must not look for it again.
    process.returncode = 0
    return process.pid


def main() -> None:
    """Never returns, except in a child, whose end is the interpreter's normal end (exit handlers run)."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--name", required=True)
    parser.add_argument("--preload", default="")
    parser.add_argument("--then", default="", help="imported while it serves already")
    parser.add_argument("--without", default="")
    options = parser.parse_args()
    os.environ.pop("JPY_PARENT_PID", None)
    # `-m` put the working directory first: a file planted there must not replace a library.
    own = os.environ.get("PYTHONPATH")
    sys.path[:] = [place for place in sys.path if place not in ("", str(Path.cwd())) or place == own]
    without = set(filter(None, options.without.split(",")))
    first, then = (
        [name for name in names.split(",") if name and name not in without] for names in (options.preload, options.then)
    )
    gc.disable()
    preload = Preload()
    preload.failed.update(dict.fromkeys(without, "leaves threads behind: imported by each child itself"))
    preload.take(first)
    if threads() != 1 and preload.threaded:
        _begin_anew(options, without.union(preload.threaded))
    gc.freeze()
    try:
        server = ForkServer(options.name, preload)
        server.open()
        if not server.warm(then):
            _begin_anew(options, without.union(preload.threaded))
        server.run()
    except child.Born as born:
        order = born.order
    # Outside of `except`, so that a child's own errors do not show the fork server's as their context.
    sys.exit(child.run(order))


def _begin_anew(options: argparse.Namespace, without: set[str]) -> NoReturn:
    """The same process, without those modules."""
    argv = ["--name", options.name, "--preload", options.preload, "--then", options.then, "--without"]
    os.execv(sys.executable, [sys.executable, "-m", "studio.guest.forkserver", *argv, ",".join(sorted(without))])


if __name__ == "__main__":
    # By its real name: what a child imports as `studio.guest.forkserver` is then the same module.
    from studio.guest.forkserver import main as named_main

    named_main()
