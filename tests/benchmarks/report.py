"""What a benchmark gives back, and how it is shown: medians of interleaved rounds, their ratio, what they had to be."""

import json
import statistics
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

RESULTS = Path(__file__).resolve().parents[2] / "bench-results"
ROUNDS = 5
SECONDS = 1.0  # of each load in each round


@dataclass(slots=True)
class Row:
    """One comparison; `studio` and `peer` hold a figure per round, in `unit`.

    `target_ratio` 0: nothing is asked of the ratio. `limit`: what Studio's own median may be at most, in `unit`.
    """

    name: str
    unit: str
    studio: list[float]
    peer: list[float] = field(default_factory=list)
    peer_name: str = ""
    higher_is_better: bool = False
    target_ratio: float = 1.0
    limit: float | None = None

    @property
    def ratio(self) -> float | None:
        """How many times better Studio is (medians); below 1 it is worse. None without a peer."""
        if not self.peer:
            return None
        ours, theirs = statistics.median(self.studio), statistics.median(self.peer)
        return ours / theirs if self.higher_is_better else theirs / ours

    @property
    def is_missed(self) -> bool:
        """Whether the ratio or the limit is not held."""
        too_much = self.limit is not None and statistics.median(self.studio) > self.limit
        return too_much or (self.ratio is not None and self.ratio < self.target_ratio)


def show(rows: list[Row]) -> None:
    """Prints the table."""
    print(f"{'what':<52}{'Studio':>10}{'peer':>10}  {'unit':<5}{'ratio':>7}{'asked':>7}{'limit':>9}  peer")
    for row in rows:
        theirs = f"{statistics.median(row.peer):.4g}" if row.peer else "-"
        ratio = f"{row.ratio:.2f}" if row.ratio is not None else "-"
        asked = f"{row.target_ratio:g}" if row.peer and row.target_ratio else "-"
        limit = f"≤ {row.limit:g}" if row.limit is not None else "-"
        print(
            f"{row.name:<52}{statistics.median(row.studio):>10.4g}{theirs:>10}  {row.unit:<5}{ratio:>7}{asked:>7}"
            f"{limit:>9}  {row.peer_name}{'  MISSED' if row.is_missed else ''}"
        )
    print(f"missed: {', '.join(row.name for row in rows if row.is_missed) or 'nothing'}", flush=True)


def new_file() -> Path:
    """Where a run's raw rounds are kept."""
    RESULTS.mkdir(exist_ok=True)
    return RESULTS / f"{time.strftime('%Y%m%d-%H%M%S')}.json"


def keep(rows: list[Row], target: Path) -> None:
    """Writes the raw rounds as JSON."""
    kept = [asdict(row) | {"ratio": row.ratio, "missed": row.is_missed} for row in rows]
    target.write_text(json.dumps(kept, indent=1))
