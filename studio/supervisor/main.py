"""`python -m studio.supervisor.main`: the supervisor in the foreground, as `studio up --detach` starts it."""

import argparse
import asyncio
import logging
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from studio import log
from studio.errors import StudioError
from studio.runtime.specs import Hello
from studio.settings import Settings
from studio.supervisor.supervise import Supervisor, key_files

_log = logging.getLogger("supervisor")


async def serve(supervisor: Supervisor, on_ready: Callable[[Hello], None]) -> None:
    """Supervises until Ctrl-C, TERM, HUP or a `down`; `on_ready` is called once gateway and server answer."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, supervisor.request_stop)
    key_files(supervisor.paths)  # before anything is touched; `down` goes without
    await supervisor.open()
    try:
        supervisor.keep()
    except StudioError:
        await supervisor.close()
        raise
    running = asyncio.create_task(supervisor.run())
    await supervisor.wait_ready()
    if not running.done():
        on_ready(await supervisor.hello())
    await running


def main(argv: list[str] | None = None) -> int:
    """Exit code 1 with a message on standard error if it cannot start."""
    parser = argparse.ArgumentParser(prog="studio-supervisor")
    parser.add_argument("--home", type=Path)
    parser.add_argument("--host")
    parser.add_argument("--port", type=int)
    options = parser.parse_args(argv)
    given = {key: value for key, value in vars(options).items() if value is not None}
    os.umask(0o077)
    log.configure("supervisor")
    try:
        asyncio.run(serve(Supervisor(Settings(**given)), lambda hello: _log.info("ready at %s", hello.address)))
    except StudioError as error:
        _log.error("%s", error)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
