"""What a benchmark gives back, and how it is shown: medians of interleaved rounds, their ratio, the target."""

import json
import statistics
import time
from dataclasses import asdict, dataclass
from pathlib import Path

RESULTS = Path(__file__).resolve().parents[2] / "bench-results"


@dataclass(slots=True)
class Row:
    """One comparison; `studio` and `peer` hold a figure per round, in `unit`."""

    name: str
    unit: str
    studio: list[float]
    peer: list[float]
    peer_name: str
    higher_is_better: bool = False
    target_ratio: float = 1.0

    @property
    def ratio(self) -> float:
        """How many times better Studio is (medians); below 1 it is worse."""
        ours, theirs = statistics.median(self.studio), statistics.median(self.peer)
        return ours / theirs if self.higher_is_better else theirs / ours


def show(rows: list[Row]) -> None:
    """Prints the table and keeps the raw rounds as JSON."""
    print(f"{'what':<44}{'Studio':>12}{'peer':>12}  {'unit':<8}{'ratio':>7}{'target':>8}  peer")
    for row in rows:
        missed = "  MISSED" if row.ratio < row.target_ratio else ""
        ours, theirs = statistics.median(row.studio), statistics.median(row.peer)
        print(
            f"{row.name:<44}{ours:>12.4g}{theirs:>12.4g}  {row.unit:<8}{row.ratio:>7.2f}{row.target_ratio:>8.2g}"
            f"  {row.peer_name}{missed}"
        )
    RESULTS.mkdir(exist_ok=True)
    target = RESULTS / f"{time.strftime('%Y%m%d-%H%M%S')}.json"
    target.write_text(json.dumps([asdict(row) | {"ratio": row.ratio} for row in rows], indent=1))
    print(f"raw rounds: {target.relative_to(RESULTS.parent)}")
