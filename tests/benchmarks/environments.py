"""Building an environment of ten packages: the first time, again with its wheels in uv's cache, and with one more."""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from studio.environments import store
from studio.environments.definitions import Definition
from tests.benchmarks import report
from tests.benchmarks.report import Row
from tests.live import Live

TEN = ("numpy", "pandas", "scikit-learn", "matplotlib", "requests", "pyyaml", "joblib", "tqdm", "pillow", "networkx")
MOST_ROUNDS = 2  # each fetches some 100 MB
FIRST = "the first time"


def measure(live: Live) -> list[Row]:
    """Seconds of the whole build, from the definition to what kernels can start from. Needs a network."""
    del live
    again = Row("environment of 10 packages, built again", "s", [], [], FIRST, limit=30)
    more = Row("the same with one package more", "s", [], [], FIRST, limit=15)
    for _ in range(min(report.ROUNDS, MOST_ROUNDS)):
        with tempfile.TemporaryDirectory(prefix="studio-bench-") as name:
            root = Path(name)
            first, content_hash = _build(root, "ten", *TEN)
            again.peer.append(first)
            more.peer.append(first)
            # As if it had been removed as unused: wheels are cached, bytecode is not.
            store.folder(root, content_hash).rename(root / "removed")
            again.studio.append(_build(root, "ten", *TEN)[0])
            more.studio.append(_build(root, "eleven", *TEN, "tabulate")[0])
    return [again, more]


def _build(root: Path, name: str, *packages: str) -> tuple[float, str]:
    """Seconds, and the hash of what was built."""
    definition = Definition(name, name, "", packages, ())
    file = root / f"{name}.toml"
    file.write_text(definition.toml)
    argv = [sys.executable, "-m", "studio.environments.build", "--definition", str(file), "--store", str(root)]
    started = time.perf_counter()
    done = subprocess.run(argv, env=os.environ | {"UV_CACHE_DIR": str(root / "cache")}, capture_output=True, text=True)
    took = time.perf_counter() - started
    assert done.returncode == 0, done.stdout[-2000:]
    return took, store.find_complete(root, definition.fingerprint)
