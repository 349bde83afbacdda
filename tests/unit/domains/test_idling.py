"""When a sandbox counts as unused: pure."""

from hypothesis import given
from hypothesis import strategies as st

from studio.domains.idling import MINUTE_MS, Activity, computes, is_over, unused_since

COUNTS = st.integers(0, 3)
TIMES = st.integers(0, 10**13)


@given(COUNTS, COUNTS, COUNTS, TIMES, st.none() | TIMES, TIMES)
def test_whoever_is_at_work_is_never_idle(
    pages: int, runs: int, busy: int, last: int, before: int | None, now: int
) -> None:
    since = unused_since(Activity(pages, runs, busy, last), before, now)
    assert (since is None) == (pages + runs + busy > 0)
    if since is not None:
        assert since <= now
        # Neither an earlier look nor an earlier use makes it unused for longer than it is.
        assert since >= min(now, last) and (before is None or since >= min(now, before))


@given(TIMES, st.integers(0, 43200), TIMES)
def test_it_ends_after_its_domains_time_and_not_before(since: int, minutes: int, passed: int) -> None:
    assert is_over(since, minutes, since + passed) == (minutes > 0 and passed >= minutes * MINUTE_MS)
    assert not is_over(None, minutes, since + passed)


def test_a_page_that_was_closed_starts_the_time_anew() -> None:
    first = unused_since(Activity(), None, 1_000)
    assert first == 1_000
    assert unused_since(Activity(pages=1), first, 2_000) is None
    again = unused_since(Activity(), None, 3_000)
    assert again == 3_000
    # A cell that ended meanwhile counts as use, though nobody looked while it ran.
    assert unused_since(Activity(last_ms=5_000), again, 6_000) == 5_000


def test_waiting_is_not_computing() -> None:
    # Ten kernels that wait, each with half a percent of a core; one that computes on half of one.
    assert not computes(10 * 100, 20_000, 10)
    assert computes(10_000, 20_000, 10)
    assert not computes(10_000, 20_000, 0)
    assert not computes(-5, 20_000, 1)  # the largest of them ended meanwhile
    assert not computes(0, 0, 1)
