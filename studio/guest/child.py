"""The first moments of a kernel, job or replica: out of the fork server's skin, hello, go, then its own work."""

import atexit
import contextlib
import faulthandler
import gc
import importlib
import json
import os
import random
import signal
import sys
from io import TextIOWrapper
from pathlib import Path
from typing import NoReturn

from studio.guest import orphans
from studio.guest.lines import Message, admit

# kind → the module whose `main(args)` does the work; imported only in the child.
KINDS = {"kernel": "studio.guest.kernel", "job": "studio.guest.job", "replica": "studio.guest.replica"}
NOT_ADMITTED = 75


class Born(BaseException):
    """Raised in the child of a fork, to leave the fork server's loop."""

    def __init__(self, order: Message) -> None:
        super().__init__(order["name"])
        self.order = order


def run(order: Message) -> int:
    """Lives the child's life and returns its exit code. 75 (EX_TEMPFAIL): the supervisor did not let it run."""
    _leave_parent()
    try:
        answer, log = admit(order["name"], order["kind"])
    except (PermissionError, TimeoutError) as error:
        os.write(2, f"{order['name']} was not admitted: {error}\n".encode())
        return NOT_ADMITTED
    _redirect(order.get("log"), log)
    os.environ.update({key: str(value) for key, value in {**order.get("env", {}), **answer.get("env", {})}.items()})
    # A crash of compiled code then leaves the Python lines that led to it in the log; a descriptor of its own, since a
    # kernel takes 2 for its notebook.
    faulthandler.enable(os.dup(2))
    _tag_runs()
    _reseed()
    _set_threads()
    if order.get("cwd"):
        os.chdir(order["cwd"])
    gc.enable()
    module = importlib.import_module(KINDS[order["kind"]])
    alone = answer.get("adopts") is True
    if alone:
        orphans.adopt()
    try:
        code: int | None = module.main(order.get("args", {}))
    finally:
        if alone:
            orphans.end()
    code = 0 if code is None else code
    if order["kind"] == "replica":
        _leave(code)
    return code


def _leave(code: int) -> NoReturn:
    """Ends without taking the interpreter apart: that would write to every page shared with the fork server, 0.2 s of a
    core for each replica that goes to sleep."""
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)


def _leave_parent() -> None:
    if os.getsid(0) != os.getpid():
        os.setsid()
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.environ.pop("JPY_PARENT_PID", None)
    try:
        # When the sandbox as a whole runs out of memory, a child goes before the fork server and pid 1.
        with open("/proc/self/oom_score_adj", "w") as file:
            file.write("500")
    except OSError:
        return


def _redirect(path: str | None, descriptor: int | None) -> None:
    """Null on 0, the log on 1 and 2, and Python's streams made anew on them, unbuffered line by line."""
    null = os.open("/dev/null", os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    if descriptor is None and path:
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o600)
    if descriptor is not None:
        os.dup2(descriptor, 1)
        os.dup2(descriptor, 2)
        os.close(descriptor)
    sys.stdout = sys.__stdout__ = _stream(1)  # type: ignore[misc]  # what is printed late must not go to the old ones
    sys.stderr = sys.__stderr__ = _stream(2)  # type: ignore[misc]
    sys.stdin = sys.__stdin__ = os.fdopen(0, encoding="utf-8", closefd=False)  # type: ignore[misc]


def _stream(descriptor: int) -> TextIOWrapper:
    stream = os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace", buffering=1, closefd=False)
    stream.reconfigure(write_through=True)
    return stream


def _tag_runs() -> None:
    """Tags that the mlflow client gives to every run it starts: those it was told, and what it was made of."""
    try:
        given = json.loads(os.environ.get("MLFLOW_RUN_CONTEXT") or "{}")
    except ValueError:
        return
    made = {
        "studio.environment": os.environ.get("STUDIO_ENVIRONMENT"),
        "studio.environment_hash": os.environ.get("STUDIO_ENVIRONMENT_HASH"),
    }
    tags = {name: value for name, value in made.items() if value}
    if tags and isinstance(given, dict):
        os.environ["MLFLOW_RUN_CONTEXT"] = json.dumps(tags | given)


def _reseed() -> None:
    """Two forks of one process would draw the same 'random' numbers."""
    random.seed()
    numpy_random = sys.modules.get("numpy.random")
    if numpy_random is not None:
        numpy_random.seed()


def _set_threads() -> None:
    """OMP_NUM_THREADS and its like were read when the libraries were imported: their pools are set by call instead."""
    count = os.environ.get("OMP_NUM_THREADS", "1")
    if count in ("", "1") or not count.isdigit():
        return
    try:
        import threadpoolctl
    except ImportError:
        return
    threadpoolctl.threadpool_limits(int(count))


if __name__ == "__main__":
    # A fresh interpreter, where forking was not safe: `--order <descriptor>`.
    with open(int(sys.argv[2]), "rb") as _file:
        _order = json.load(_file)
    sys.path[:] = [_place for _place in sys.path if _place not in ("", str(Path.cwd()))]
    sys.exit(run(_order))
