"""Missing values: their share, and whether it has moved more than chance moves it."""

from math import sqrt

LEAST = 0.05  # a difference of shares below this is nobody's alarm


def rate(missing: int, rows: int) -> float:
    """Share of missing values, 0 to 1."""
    return missing / rows if rows else 0.0


def has_moved(reference: tuple[int, int], current: tuple[int, int]) -> bool:
    """Whether the share of missing values differs by at least 5 points and by more than 4 standard errors.

    Each side is (missing, rows). The two-proportion z-test with pooled variance.
    """
    (m1, n1), (m2, n2) = reference, current
    if not n1 or not n2:
        return False
    difference = abs(m1 / n1 - m2 / n2)
    pooled = (m1 + m2) / (n1 + n2)
    error = sqrt(pooled * (1 - pooled) * (1 / n1 + 1 / n2))
    return difference >= LEAST and difference > 4 * error
