"""The replica host as a program of its own: one model over HTTP, without Studio around it.

    python -m studio.guest.serving.standalone --model DIR --name NAME [--version N] [--host 127.0.0.1] [--port 8080]

Speaks the Open Inference Protocol v2 (JSON and binary), MLflow's `/invocations`, `/ping` and `/metrics`, by the code
that answers in Studio. It knows nobody: whoever reaches the port may ask. Ends after SIGTERM when the last answer is
out; exits with 1 if the model cannot be used.
"""

import argparse
import asyncio
import contextlib
import gc
import os
import re
import signal
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path

from studio.guest.serving.models import Model, load
from studio.guest.serving.problems import CannotLoad
from studio.guest.serving.standalone_figures import Figures
from studio.guest.serving.standalone_http import Clients, Connection, Limits
from studio.guest.serving.standalone_routes import Served

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_BACKLOG = 1024
_SWEEP_S = 0.5
_STOPS = (signal.SIGTERM, signal.SIGINT)


def main(argv: list[str] | None = None) -> int:
    """Serves until it is told to end; the exit code."""
    options = _parse(argv)
    figures = Figures(options.name, options.workers)
    with _bound(options.host, options.port) as door:
        if options.workers == 1:
            return _work(options, door, figures, parent=0)

        def work(worker: int, parent: int) -> int:
            figures.use(worker)
            return _work(options, door, figures, parent)

        return _tend(options.workers, door, work)


def _parse(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m studio.guest.serving.standalone")
    parser.add_argument("--model", type=Path, required=True, help="folder with the file MLmodel")
    parser.add_argument("--name", required=True, help="of the model in addresses")
    parser.add_argument("--version", default="", help="of the model in addresses and answers")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=int, default=8080, help="0: a free one, which is printed")
    parser.add_argument("--workers", type=int, default=1, help="processes, each with the model in its memory")
    parser.add_argument("--max-body", type=int, default=Limits().max_body, help="bytes of one request")
    parser.add_argument(
        "--linger", type=float, default=0.0, help="seconds after SIGTERM in which new callers are heard"
    )
    parser.add_argument("--no-fast-path", dest="fast_path", action="store_false", help="scikit-learn's own code only")
    parser.add_argument("--grace", type=float, default=20.0, help="seconds, then, for what is under way")
    options = parser.parse_args(argv)
    for value in filter(None, (options.name, options.version)):
        if not _NAME.fullmatch(value):
            parser.error(f"{value!r} is no name: use letters, digits, '.', '_' and '-'")
    if not 1 <= options.workers <= 256 or not 0 <= options.port <= 65535 or options.max_body < 1:
        parser.error("--workers is 1 to 256, --port 0 to 65535, --max-body at least 1")
    return options


def _bound(host: str, port: int) -> socket.socket:
    """Bound, and not listening: whoever connects before a model is loaded is refused, not kept waiting."""
    door = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        door.bind((host, port))
    except OSError as error:
        door.close()
        raise SystemExit(
            f"{host} port {port} cannot be listened on: {error.strerror}. Choose another --port."
        ) from error
    return door


def _tend(count: int, door: socket.socket, work: Callable[[int, int], int]) -> int:
    """Runs `work` in as many forks; if one ends unasked all end, so that whoever started this one starts it anew."""
    me, pids = os.getpid(), set[int]()
    stopping = False

    def stop(*_: object) -> None:
        nonlocal stopping
        stopping = True
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)

    signal.pthread_sigmask(signal.SIG_BLOCK, _STOPS)
    for worker in range(count):
        pid = os.fork()
        if pid == 0:
            code = 1
            try:
                # The model is loaded in the worker: threads of libraries of numbers do not survive a fork.
                signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOPS)
                code = work(worker, me)
                sys.stdout.flush()
            finally:
                os._exit(code)
        pids.add(pid)
    # Or it would go on listening when the workers have stopped.
    door.close()
    for number in _STOPS:
        signal.signal(number, stop)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOPS)
    failed = False
    while pids:
        pid, status = os.wait()
        pids.discard(pid)
        # One that had hardly begun ends by the signal itself.
        failed = failed or not (status == 0 or (stopping and os.WIFSIGNALED(status)))
        if not stopping:
            stop()
    return int(failed)


def _work(options: argparse.Namespace, door: socket.socket, figures: Figures, parent: int) -> int:
    for number in _STOPS:
        # A container's first process is sent no signal that it does not handle.
        signal.signal(number, lambda *_: os._exit(0))
    try:
        model = load(options.model, fast_path=options.fast_path)
    except CannotLoad as problem:
        print(f"{problem.details}\n{problem.message}\n{problem.hint}", file=sys.stderr, flush=True)
        return 1
    # What was loaded stays: the collector need not walk it.
    gc.collect()
    gc.freeze()
    serving = _serve(options, door, model, figures, parent)
    try:
        import uvloop
    except ImportError:
        asyncio.run(serving)
    else:
        uvloop.run(serving)
    return 0


async def _serve(options: argparse.Namespace, door: socket.socket, model: Model, figures: Figures, parent: int) -> None:
    """Until SIGTERM (or the end of `parent`, if it is not 0), and then until the last answer is out."""
    loop = asyncio.get_running_loop()
    served = Served(model, options.name, options.version, figures)
    held = max(Limits().max_held, 2 * options.max_body)
    clients = Clients(served.begin, Limits(max_body=options.max_body, max_held=held))
    told = asyncio.Event()
    for number in _STOPS:
        loop.add_signal_handler(number, told.set)
    server = await loop.create_server(lambda: Connection(clients), sock=door, backlog=_BACKLOG)
    host, port = door.getsockname()[:2]
    print(f"{options.name} is served at http://{f'[{host}]' if ':' in host else host}:{port}", flush=True)
    sweeping = loop.create_task(_sweep(clients, told, parent))
    await told.wait()
    served.ready = False
    await asyncio.sleep(options.linger)
    server.close()
    clients.drain()
    leaving = loop.create_task(clients.leave())
    await asyncio.wait({leaving}, timeout=options.grace)
    leaving.cancel()
    clients.abort()
    sweeping.cancel()


async def _sweep(clients: Clients, told: asyncio.Event, parent: int) -> None:
    while True:
        await asyncio.sleep(_SWEEP_S)
        clients.sweep(time.monotonic())
        if parent and os.getppid() != parent:
            told.set()


if __name__ == "__main__":
    sys.exit(main())
