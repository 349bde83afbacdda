"""Population stability index: how far the share of each bin has moved.

    PSI = Σ (c - r) · ln(c / r) over bins, with r and c the shares in reference and current rows

(Siddiqi, Credit Risk Scorecards, 2006; 0.1 slight, 0.2 clear change.) Half a row is added to every bin of both sides:
an empty bin then gives a finite value, and a rare category that is missing by chance a small one.
"""

from collections.abc import Sequence
from math import sqrt

import numpy as np
from numpy.typing import NDArray

HALF = 0.5
# 99.95 % of the standard normal distribution.
_Z = 3.2905


def psi(reference: Sequence[float] | NDArray[np.float64], current: Sequence[float] | NDArray[np.float64]) -> float:
    """PSI of two rows of counts per bin, the same bins in the same order; 0 for no rows or a single bin."""
    r = np.asarray(reference, dtype=np.float64)
    c = np.asarray(current, dtype=np.float64)
    if r.shape != c.shape:
        raise ValueError(f"{r.size} bins of the reference and {c.size} of the current rows do not go together")
    if r.size < 2 or not r.sum() or not c.sum():
        return 0.0
    shares_r = (r + HALF) / (r.sum() + HALF * r.size)
    shares_c = (c + HALF) / (c.sum() + HALF * c.size)
    return float(np.sum((shares_c - shares_r) * np.log(shares_c / shares_r)))


def noise(bins: int, reference_rows: int, current_rows: int) -> float:
    """What PSI exceeds once in 2,000 windows although nothing has drifted.

    Without drift PSI · nm/(n+m) is near a chi-square of bins - 1 degrees (Yurdakul, 2018), whose quantile is Wilson and
    Hilferty's. It matters for short baselines: a threshold below it would be noise.
    """
    degrees = bins - 1
    if degrees < 1 or not reference_rows or not current_rows:
        return 0.0
    part = 2.0 / (9.0 * degrees)
    quantile = degrees * (1.0 - part + _Z * sqrt(part)) ** 3
    return float(quantile * (1.0 / reference_rows + 1.0 / current_rows))
