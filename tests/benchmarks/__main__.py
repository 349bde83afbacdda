"""`make bench`: every benchmark against its peer in one run; nothing else should run on the machine meanwhile.

`make bench ARGS="tracking memory --rounds 1 --seconds 0.3"` for a look.
"""

import argparse
import sys
import tempfile
from pathlib import Path

from tests.benchmarks import (
    artifacts,
    browser,
    environments,
    inference,
    isolation,
    memory,
    notebooks,
    permissions,
    report,
    searching,
    serving,
    shifting,
    tracking,
)
from tests.benchmarks.report import Row, show
from tests.live import running

BENCHMARKS = {
    "notebooks": notebooks.measure,
    "serving": serving.measure,
    "inference": inference.measure,
    "shifting": shifting.measure,
    "tracking": tracking.measure,
    "searching": searching.measure,
    "postgresql": tracking.measure_postgresql,
    "artifacts": artifacts.measure,
    "memory": memory.measure,
    "permissions": permissions.measure,
    "isolation": isolation.measure,
    "environments": environments.measure,
    "browser": browser.measure,
}


def main() -> None:
    """Runs the named benchmarks, or all."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(BENCHMARKS))
    parser.add_argument("--rounds", type=int, default=report.ROUNDS)
    parser.add_argument("--seconds", type=float, default=report.SECONDS, help="of each load in each round")
    options = parser.parse_args()
    if unknown := set(options.names) - set(BENCHMARKS):
        parser.error(f"no such benchmark: {', '.join(sorted(unknown))}")
    report.ROUNDS, report.SECONDS = options.rounds, options.seconds
    rows: list[Row] = []
    kept = report.new_file()
    with tempfile.TemporaryDirectory(prefix="studio-bench-") as home, running(Path(home)) as live:
        for name in options.names or BENCHMARKS:
            print(f"… {name}", file=sys.stderr)
            show(found := BENCHMARKS[name](live))  # each at its end: a run that is broken off still tells what it saw
            report.keep(rows := rows + found, kept)
    print(f"raw rounds: {kept.relative_to(report.RESULTS.parent)}")


if __name__ == "__main__":
    main()
