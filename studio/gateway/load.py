"""How much is under way, averaged over the last seconds: what a variant is scaled by."""

from itertools import pairwise

_WINDOW_S = 2.0
_POINT_S = 1.0
_POINTS = 6


class Load:
    """`level` now, and the area under it since the beginning at some points of time: the average over any window is a
    difference of two areas."""

    __slots__ = ("_area", "_due", "_points", "_since", "level")

    def __init__(self, now: float) -> None:
        self.level = 0
        self._area = 0.0
        self._since = now
        self._due = now + _POINT_S
        self._points = [(now, 0.0)]

    def change(self, by: int, now: float) -> None:
        """`by` more under way from `now` on."""
        if now > self._due:
            # With the change before it: in between, nothing changed for a while perhaps.
            before, self._due = (self._since, self._area), now + _POINT_S
            after = (now, self._area + self.level * (now - self._since))
            self._points = [*self._points, before, after][-_POINTS:]
        self._area += self.level * (now - self._since)
        self._since = now
        self.level += by

    def average(self, now: float) -> float:
        """Over the last two seconds; before the beginning there was nothing."""
        whole = self._area + self.level * (now - self._since)
        points = [*self._points, (self._since, self._area), (now, whole)]
        return (whole - _area_at(now - _WINDOW_S, points)) / _WINDOW_S


def _area_at(at: float, points: list[tuple[float, float]]) -> float:
    """Linear between the points, which is exact wherever nothing changed between them."""
    if at <= points[0][0]:
        return points[0][1]
    for (left, low), (right, high) in pairwise(points):
        if left <= at < right:
            return low + (high - low) * (at - left) / (right - left)
    return points[-1][1]
