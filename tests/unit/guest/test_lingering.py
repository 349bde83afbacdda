"""Waiting for more calls, in a simulated replica: where it pays it is done, where it does not it costs nothing."""

import heapq
import random

import pytest

from studio.guest.serving.lingering import TICK_S, Lingering


class Replica:
    """Predicts everything that waits in `cost` seconds, however much; calls are (time, who), answers go to `told`."""

    def __init__(self, cost: float, lingering: Lingering | None) -> None:
        self.cost = cost
        self.lingering = lingering
        self.batches: list[int] = []
        self.waits: list[float] = []

    def run(self, calls: list[tuple[float, int]], again: float | None, until: float) -> None:
        """`again`: seconds after an answer until its caller asks again, each a little after the one before."""
        heapq.heapify(calls)
        now = 0.0
        while calls and now < until:
            now = max(now, calls[0][0])
            waiting = self._arrived(calls, now)
            while self.lingering is not None and self.lingering.waits(len(waiting), now):
                now += TICK_S
                waiting += self._arrived(calls, now)
            now += self.cost
            if self.lingering is not None:
                self.lingering.predicted(len(waiting), self.cost)
            self.batches.append(len(waiting))
            self.waits += [now - asked for asked, _ in waiting]
            for place, (_, who) in enumerate(waiting):
                if again is not None:
                    heapq.heappush(calls, (now + again + place * 0.0001, who))

    @staticmethod
    def _arrived(calls: list[tuple[float, int]], now: float) -> list[tuple[float, int]]:
        found = []
        while calls and calls[0][0] <= now:
            found.append(heapq.heappop(calls))
        return found


def rate(replica: Replica, callers: int) -> float:
    replica.run([(0.0001 * who, who) for who in range(callers)], 0.002, 5.0)
    return sum(replica.batches) / 5.0


@pytest.mark.parametrize(("callers", "gain"), [(8, 1.2), (64, 1.1)])
def test_callers_that_ask_again_come_together(callers: int, gain: float) -> None:
    """Two groups that wait for each other become one."""
    assert rate(Replica(0.012, Lingering()), callers) > gain * rate(Replica(0.012, None), callers)


@pytest.mark.parametrize("per_s", [50, 300, 2000])
def test_calls_that_come_evenly_are_not_held_up(per_s: int) -> None:
    draw = random.Random(7)
    times, at = [], 0.0
    while at < 20:
        at += draw.expovariate(per_s)
        times.append((at, 0))
    with_it, without = Replica(0.012, Lingering()), Replica(0.012, None)
    with_it.run(list(times), None, 30)
    without.run(list(times), None, 30)
    mean = sum(with_it.waits) / len(with_it.waits)
    assert mean < 1.08 * sum(without.waits) / len(without.waits)


@pytest.mark.parametrize(("cost", "callers"), [(0.0005, 64), (0.012, 1)])
def test_a_quick_model_and_a_single_caller_never_wait(cost: float, callers: int) -> None:
    """The times are then those of a replica that does not know of waiting."""
    one, other = Replica(cost, Lingering()), Replica(cost, None)
    assert rate(one, callers) == rate(other, callers)
    assert one.waits == other.waits
