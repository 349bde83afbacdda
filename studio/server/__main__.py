"""`python -m studio.server --config FILE`: the control plane, until it is told to end."""

import argparse
import asyncio
import gc
import logging
import os
import signal
import sys
from pathlib import Path

import uvloop

from studio import log as logging_config
from studio.errors import StudioError
from studio.server import config as configs
from studio.server.serving import Server

# A thread that computes lets go of the interpreter after 0.5 ms instead of 5, so that requests are not held up.
SWITCH_S = 0.0005
log = logging.getLogger("studio.server")


def main(argv: list[str] | None = None) -> int:
    """0 at a normal end, 1 with a message in the log if it cannot start."""
    parser = argparse.ArgumentParser(prog="python -m studio.server")
    parser.add_argument("--config", type=Path, required=True, help="JSON, written by the supervisor")
    options = parser.parse_args(argv)
    logging_config.configure("server", os.environ.get("STUDIO_LOG_LEVEL", "INFO"))
    os.umask(0o077)
    sys.setswitchinterval(SWITCH_S)
    try:
        uvloop.run(serve(configs.load(options.config)))
    except StudioError as error:
        log.error("%s", error)
        return 1
    return 0


async def serve(config: configs.Config) -> None:
    """Opens everything, waits for TERM or INT, closes everything in the other order."""
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    server = Server(config)
    try:
        await server.open()
        keep_imports()
        log.info("ready")
        await ended.wait()
    finally:
        await server.close()


def keep_imports() -> None:
    """What is there after the start stays: collections need not walk it, nor come at every few hundred objects."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


if __name__ == "__main__":
    sys.exit(main())
