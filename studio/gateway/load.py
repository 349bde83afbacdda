"""How much is under way, averaged over the last seconds: what a variant is scaled by."""

from itertools import pairwise

_WINDOW_S = 2.0
_POINT_S = 1.0


class Load:
    """`level` now, and the area under it since the beginning at points of time a second apart: the average over any
    window is a difference of two areas."""

    __slots__ = ("_area", "_older", "_point", "_since", "level")

    def __init__(self, now: float) -> None:
        self.level = 0
        self._area = 0.0
        self._since = now
        self._point = self._older = (now, 0.0)

    def change(self, by: int, now: float) -> None:
        """`by` more under way from `now` on."""
        self._area += self.level * (now - self._since)
        self._since = now
        self.level += by
        if now - self._point[0] > _POINT_S:
            self._older, self._point = self._point, (now, self._area)

    def average(self, now: float) -> float:
        """Over the last two seconds; before the beginning there was nothing."""
        begin = now - _WINDOW_S
        whole = self._area + self.level * (now - self._since)
        return (whole - self._area_at(begin, (now, whole))) / _WINDOW_S

    def _area_at(self, at: float, end: tuple[float, float]) -> float:
        """Linear between the points, which is exact wherever nothing changed between them."""
        points = (self._older, self._point, (self._since, self._area), end)
        if at <= points[0][0]:
            return points[0][1]
        for (left, low), (right, high) in pairwise(points):
            if left <= at < right:
                return low + (high - low) * (at - left) / (right - left)
        return end[1]
