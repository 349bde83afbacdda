"""`make bench`: every benchmark against its peer in one run; nothing else should run on the machine meanwhile."""

import sys
import tempfile
from pathlib import Path

from tests.benchmarks import notebooks, serving, tracking
from tests.benchmarks.report import Row, show
from tests.live import running

BENCHMARKS = {"notebooks": notebooks.measure, "serving": serving.measure, "tracking": tracking.measure}


def main(names: list[str]) -> None:
    """Runs the named benchmarks, or all."""
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="studio-bench-") as home, running(Path(home)) as live:
        for name in names or BENCHMARKS:
            print(f"… {name}", file=sys.stderr)
            rows += BENCHMARKS[name](live)
    show(rows)


if __name__ == "__main__":
    main(sys.argv[1:])
