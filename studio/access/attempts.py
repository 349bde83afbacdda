"""How often a password may be tried: the more failures, the longer the next one has to wait, per person and address.

Lives in memory. An attempt counts as a failure from its beginning, so that many at once are no way round it."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from studio import clock
from studio.errors import TooMany

FORGET_S = 3600.0
MOST = 10_000  # people and addresses that are remembered


@dataclass(frozen=True, slots=True)
class Pace:
    """`free` failures cost nothing; after them the wait begins with `first_s` and doubles up to `most_s`."""

    free: int
    first_s: float
    most_s: float

    def wait_s(self, failures: int) -> float:
        """Seconds until the next attempt, after so many failures in a row."""
        if failures <= self.free:
            return 0.0
        return min(self.most_s, self.first_s * 2.0 ** min(failures - self.free - 1, 60))


# Whoever knows a name can make its owner wait, so not for long: a sign-in link is not held back. Behind one address
# there may be many people.
PERSON = Pace(free=4, first_s=1.0, most_s=300.0)
ADDRESS = Pace(free=20, first_s=1.0, most_s=30.0)


@dataclass(slots=True)
class _Record:
    failures: int
    not_before: float
    last: float


class Attempts:
    """Failures in a row; `clock.monotonic` is its time."""

    def __init__(self) -> None:
        self._records: dict[str, _Record] = {}

    def begin(self, person: str, address: str) -> None:
        """Notes an attempt, a failure until `succeeded` says otherwise; `TooMany` if it comes too early."""
        now = clock.monotonic()
        waits = [self._records[key].not_before - now for key, _ in _keys(person, address) if key in self._records]
        if (wait_s := max(waits, default=0.0)) > 0:
            seconds = math.ceil(wait_s)
            raise TooMany(
                "There were too many attempts to sign in.",
                f"Try again in {seconds} s, or sign in with a link.",
                retry_s=seconds,
            )
        for key, pace in _keys(person, address):
            before = self._records.get(key)
            failures = 1 if before is None or now - before.last > FORGET_S else before.failures + 1
            self._records[key] = _Record(failures, now + pace.wait_s(failures), now)
        if len(self._records) > MOST:
            self._forget(now)

    def succeeded(self, person: str, address: str) -> None:
        """The attempt that was begun was right: the person's failures are forgotten, the address's are as before it."""
        for key, _ in _keys(person, address):
            found = self._records.pop(key, None)
            if found is not None and key.startswith("address ") and found.failures > 1:
                self._records[key] = _Record(found.failures - 1, 0.0, found.last)

    def _forget(self, now: float) -> None:
        """First what is old, then those who have failed least: a flood of new names buys nobody's failures back."""
        by_weight = sorted(self._records.items(), key=lambda item: (now - item[1].last <= FORGET_S, item[1].failures))
        for key, _ in by_weight[: len(by_weight) // 10]:
            del self._records[key]


def _keys(person: str, address: str) -> Iterator[tuple[str, Pace]]:
    if person:
        yield f"person {person}", PERSON
    yield f"address {address}", ADDRESS
