"""What a domain stores, when it is measured, and what being over its quota means; on both databases."""

from dataclasses import replace

import pytest
from sqlalchemy import Connection

from studio.domains import quotas
from studio.domains.quotas import Volume
from studio.errors import Invalid, OutOfSpace

MIB = 1 << 20
FULL = Volume("demo", 10, 4 * MIB, {"ann": 3 * MIB, "bob": MIB}, MIB, MIB, 7, 20, 1_000_000)


def test_a_measurement_leaves_the_quota_and_a_quota_the_measurement(db: Connection) -> None:
    assert quotas.get(db, "demo") == Volume("demo")
    quotas.measured(db, replace(FULL, quota_mb=0))
    assert quotas.get(db, "demo").measured_ms
    found = quotas.set_quota(db, "demo", 10)
    assert replace(found, measured_ms=FULL.measured_ms) == FULL
    assert found.measured_ms is None  # it is measured anew
    quotas.measured(db, replace(FULL, shared_bytes=0))
    assert (quotas.get(db, "demo").quota_mb, quotas.get(db, "demo").shared_bytes) == (10, 0)
    assert quotas.get(db, "other") == Volume("other")
    # Asked for while a measurement was on: that one does not count as the answer.
    quotas.begin(db, ["demo", "other"])
    assert quotas.get(db, "demo").measured_ms == quotas.get(db, "other").measured_ms == 0
    quotas.ask(db, "demo")
    for name in ("demo", "other"):
        quotas.measured(db, Volume(name))
    assert quotas.get(db, "demo").measured_ms is None and quotas.get(db, "other").measured_ms
    for wrong in (-1, quotas.MOST_MB + 1):
        with pytest.raises(Invalid):
            quotas.set_quota(db, "demo", wrong)


def test_over_is_said_with_both_figures_and_what_to_do() -> None:
    assert (FULL.used_bytes, FULL.is_over) == (10 * MIB, True)
    assert FULL.words == "demo stores 10 MiB; its quota is 10 MiB."
    assert replace(FULL, quota_mb=11).words == replace(FULL, quota_mb=0).words == ""
    with pytest.raises(OutOfSpace, match=r"10 MiB.*Remove files"):
        quotas.require({"demo": FULL.words}, "demo")
    quotas.require({"demo": FULL.words}, "other")


@pytest.mark.parametrize(
    ("measured_ms", "took_ms", "is_active", "at_ms", "expected"),
    [
        (None, 0, False, 0, True),
        (0, 20, True, 59_000, False),
        (0, 20, True, 61_000, True),
        (0, 20, False, 61_000, False),
        (0, 20, False, 3_601_000, True),
        # A minute's walk through millions of files is not taken every minute.
        (0, 60_000, True, 3_590_000, False),
        (0, 60_000, True, 3_610_000, True),
    ],
)
def test_it_is_measured_more_often_where_somebody_works_and_less_where_it_takes_long(
    measured_ms: int | None, took_ms: int, is_active: bool, at_ms: int, expected: bool
) -> None:
    found = Volume("demo", took_ms=took_ms, measured_ms=measured_ms)
    assert quotas.due(found, is_active, at_ms) is expected


def test_the_words_claim_no_more_than_is_so() -> None:
    assert quotas.enforcement(0).level == "none" and "may fill the disk" in quotas.enforcement(0).words
    assert quotas.enforcement(5).level == "measured" and "not stopped" in quotas.enforcement(5).words
