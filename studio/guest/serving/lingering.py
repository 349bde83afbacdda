"""Whether a batch waits a little for whoever was just answered and asks again.

A slow model takes about as long for sixty rows as for one. Callers who ask again as soon as they are answered fall into
two groups then, each waiting while the other is predicted: half the throughput. Waiting a few milliseconds brings them
together. Whether it pays is measured: `k` calls that come while `m` wait for `t` seconds save `k` predictions' time and
cost `m · t`. Where calls come evenly, the two are about equal; so only twice as much counts as a gain.
"""

TICK_S = 0.001
_LEAST_S = 0.003  # a quicker model loses more by a tick than it can win
_LONGEST = 0.5  # of the time that a prediction takes
_TRY_EVERY = 16  # batches, while it does not pay
_NEW = 0.3


class Lingering:
    """Of one batcher; all times in seconds."""

    __slots__ = ("_before", "_gain", "_had", "_seen", "_since", "_spent", "_turn")

    def __init__(self) -> None:
        self._spent = 0.0  # for a prediction, lately
        self._before = 0  # calls in the batch before
        self._gain = 0.0
        self._turn = 0
        self._since = -1.0
        self._had = 0
        self._seen = 0

    def predicted(self, calls: int, spent: float) -> None:
        """A batch of so many calls has taken so long."""
        self._before = calls
        self._spent += _NEW * (spent - self._spent) if self._spent else spent

    def waits(self, calls: int, now: float) -> bool:
        """Whether `calls`, which could be predicted now, are looked at again after a tick instead."""
        if self._since < 0:
            if not self._tries():
                return False
            self._since, self._had, self._seen = now, calls, calls
            return True
        spent = now - self._since
        still = calls > self._seen or calls == self._had  # more are coming, or nobody has come yet
        self._seen = calls
        if still and spent < _LONGEST * self._spent:
            return True
        pays = (calls - self._had) * self._spent > 2 * self._had * spent
        self._gain += _NEW * ((1.0 if pays else -1.0) - self._gain)
        self._since = -1.0
        return False

    def _tries(self) -> bool:
        if self._spent < _LEAST_S or self._before < 2:
            return False
        self._turn += 1
        return self._gain > 0 or self._turn % _TRY_EVERY == 1
