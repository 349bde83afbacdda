"""How many replicas a variant should have: up at once with its load, down after a calm minute. Pure."""

from math import ceil

CALM_MS = 60_000


def scale(wanted: int, least: int, most: int, load: float, target: float, calm_ms: int, now_ms: int) -> tuple[int, int]:
    """(replicas, since when fewer would do or 0). `load`: requests in flight and queued, averaged over seconds;
    `target`: as many of them as one replica should have."""
    needed = min(most, max(least, ceil(load / target)))
    if not least <= wanted <= most:
        return needed, 0  # the limits have been changed
    if needed > wanted:
        return needed, 0
    if needed == wanted:
        return wanted, 0
    if not calm_ms:
        return wanted, now_ms
    if now_ms - calm_ms < CALM_MS:
        return wanted, calm_ms
    # One at a time: each replica that ends makes the others' load larger.
    return wanted - 1, now_ms
