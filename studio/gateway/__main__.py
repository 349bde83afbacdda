"""`python -m studio.gateway --config FILE`, started by the supervisor."""

import argparse
import gc
from pathlib import Path

import uvloop

from studio import log
from studio.gateway.app import Gateway
from studio.gateway.config import Config, load


async def _serve(config: Config) -> None:
    await Gateway(config).run()


def main() -> None:
    """Runs one gateway until SIGTERM."""
    parser = argparse.ArgumentParser(prog="python -m studio.gateway")
    parser.add_argument("--config", type=Path, required=True)
    config = load(parser.parse_args().config)
    log.configure("gateway", config.log_level)
    # What is imported stays: collections need not walk it.
    gc.collect()
    gc.freeze()
    # A request makes some dozen objects and nearly no cycles: the default of 700 would collect all the time.
    gc.set_threshold(20_000, 20, 50)
    uvloop.run(_serve(config))


if __name__ == "__main__":
    main()
