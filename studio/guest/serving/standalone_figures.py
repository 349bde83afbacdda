"""Figures of the standalone host for Prometheus, shared by its workers: each writes its own, any of them tells all."""

import mmap

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_INFLIGHT, _SECONDS, _ROWS = 0, 1, 2
_STATUSES = range(100, 600)
_WIDTH = _STATUSES.stop


class Figures:
    """Made before the workers are forked. `name`: of the endpoint; the families are called as Studio's gateway does."""

    def __init__(self, name: str, workers: int) -> None:
        self._name = name
        self._workers = workers
        self._all = memoryview(mmap.mmap(-1, 8 * _WIDTH * workers)).cast("d")
        self._mine = self._all[:_WIDTH]

    def use(self, worker: int) -> None:
        """Writes from now on as that worker."""
        self._mine = self._all[worker * _WIDTH : (worker + 1) * _WIDTH]

    def begin(self) -> None:
        """A prediction is asked for."""
        self._mine[_INFLIGHT] += 1

    def end(self, status: int, seconds: float, rows: int) -> None:
        """It is answered, or nobody waits for it any more."""
        self._mine[_INFLIGHT] -= 1
        self._mine[_SECONDS] += seconds
        self._mine[_ROWS] += rows
        self._mine[status if status in _STATUSES else 500] += 1

    def _sum(self, at: int) -> float:
        return sum(self._all[worker * _WIDTH + at] for worker in range(self._workers))

    def render(self) -> bytes:
        """Prometheus text (exposition format 0.0.4)."""
        of = f'endpoint="{self._name}"'
        counts = [(f'{of},status="{status}"', count) for status in _STATUSES if (count := self._sum(status))]
        lines: list[str] = []
        for name, kind, text, rows in (
            ("studio_endpoint_requests_total", "counter", "Answered predictions by status.", counts),
            ("studio_endpoint_inflight", "gauge", "Predictions under way.", [(of, self._sum(_INFLIGHT))]),
            ("studio_endpoint_seconds_total", "counter", "Time of all predictions.", [(of, self._sum(_SECONDS))]),
            ("studio_endpoint_rows_total", "counter", "Rows of all predictions.", [(of, self._sum(_ROWS))]),
        ):
            lines += [f"# HELP {name} {text}", f"# TYPE {name} {kind}"]
            lines += [f"{name}{{{labels}}} {value:.17g}" for labels, value in rows]
        return ("\n".join(lines) + "\n").encode()
