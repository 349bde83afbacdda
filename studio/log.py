"""One logging form for every process of Studio."""

import logging
import sys
import time


def configure(process: str, level: str = "INFO") -> None:
    """Logs of `process` to standard error, one line each, in UTC; tokens never belong in a log line."""
    handler = logging.StreamHandler(sys.stderr)
    formatter = logging.Formatter(f"%(asctime)s {process} %(levelname)s %(name)s: %(message)s", "%Y-%m-%dT%H:%M:%SZ")
    formatter.converter = time.gmtime
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for noisy in ("httpx", "httpcore", "alembic"):
        logging.getLogger(noisy).setLevel("WARNING")
