"""Sums over the ledger against a model of it in plain Python, for any history of starts, ticks, ends and restarts."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, create_engine

from studio import ledger
from studio.domains import instance_types
from studio.domains.instance_types import InstanceType
from studio.ledger.decide import Seen, decide
from studio.ledger.writing import write
from studio.store import Store, tables
from studio.store.tables import metadata

HOUR = 3_600_000
T = TypeVar("T")


def fresh() -> Connection:
    """A database in memory with the price list."""
    engine = create_engine("sqlite://")
    metadata.create_all(engine, tables=[tables.ledger.ledger, tables.domains.instance_types])
    db = engine.connect()
    instance_types.ensure(db)
    return db


def seen(resource: str, started_ms: int, *, instance_type: str = "std.small", ended_ms: int | None = None) -> Seen:
    """Ann's job."""
    return Seen(resource, "demo", "ann", "job", resource, instance_type, started_ms, ended_ms=ended_ms)


def begin(
    db: Connection, resource: str, at_ms: int, domain: str = "demo", kind: str = "job", user: str = "ann"
) -> bool:
    """A small one."""
    return ledger.started(db, domain, user, kind, resource, resource, "std.small", at_ms)


def test_an_hour_costs_its_price() -> None:
    db = fresh()
    begin(db, "a", 0)
    ledger.ended(db, "a", HOUR)
    assert ledger.total(db, "demo", 0, 2 * HOUR) == pytest.approx(0.02)
    assert ledger.total(db, "demo", HOUR // 2, 2 * HOUR) == pytest.approx(0.01)
    assert ledger.total(db, "demo", 2 * HOUR, 3 * HOUR) == 0
    assert ledger.total(db, "other", 0, 2 * HOUR) == 0


def test_the_price_is_frozen_at_the_start() -> None:
    db = fresh()
    begin(db, "a", 0)
    instance_types.put(db, InstanceType("std.small", 1, 2048, 0, 5.0))
    ledger.tick(db, "a", HOUR)
    begin(db, "b", HOUR)
    ledger.tick(db, "b", 2 * HOUR)
    assert [entry.cost for entry in ledger.open_entries(db)] == [pytest.approx(0.02), pytest.approx(5.0)]


def test_starting_twice_is_starting_once() -> None:
    db = fresh()
    assert begin(db, "a", 0)
    assert not begin(db, "a", 5)
    assert [entry.started_ms for entry in ledger.open_entries(db)] == [0]


def test_time_never_runs_backwards() -> None:
    db = fresh()
    begin(db, "a", 1000)
    ledger.tick(db, "a", 5000)
    ledger.tick(db, "a", 2000)
    assert ledger.open_entries(db)[0].ticked_ms == 5000
    ledger.ended(db, "a", 10)
    ledger.ended(db, "a", 99_999)
    assert ledger.get(db, "demo", "a").ended_ms == 1000
    assert ledger.get(db, "demo", "a").cost == 0


def test_shares_add_up_to_the_total() -> None:
    db = fresh()
    for number, (kind, user) in enumerate([("job", "ann"), ("kernel", "bob"), ("kernel", "ann")]):
        begin(db, f"r{number}", 0, kind=kind, user=user)
        ledger.tick(db, f"r{number}", HOUR * (number + 1))
    whole = ledger.total(db, "demo", 0, 9 * HOUR)
    assert whole == pytest.approx(0.02 * 6)
    for by in ("kind", "user", "resource"):
        assert sum(share.cost for share in ledger.spend(db, "demo", 0, 9 * HOUR, by=by)) == pytest.approx(whole)
    assert [(s.name, s.hours) for s in ledger.spend(db, "demo", 0, 9 * HOUR, by="kind")] == [("kernel", 5), ("job", 1)]


def test_cpu_percent_is_of_the_last_tick() -> None:
    db = fresh()
    begin(db, "a", 0)
    ledger.tick(db, "a", 1000, memory_bytes=7, cpu_ms=500)
    ledger.tick(db, "a", 3000, memory_bytes=9, cpu_ms=4500)
    entry = ledger.open_entries(db)[0]
    assert (entry.memory_bytes, entry.cpu_percent) == (9, 200.0)


lives = st.lists(
    st.tuples(st.integers(0, 50), st.integers(0, 50)).map(lambda pair: (min(pair), max(pair))), min_size=1, max_size=6
)


@settings(max_examples=60, deadline=None)
@given(lives, st.sets(st.integers(0, 60)), st.integers(0, 60), st.integers(0, 60))
def test_whatever_was_missed_while_the_server_was_away_is_made_up_for(
    spans: list[tuple[int, int]], looks: set[int], since: int, until: int
) -> None:
    """The server looks at any moments it likes; at each it sees what lives and reads what ended since the last look."""
    db = fresh()
    last = -1
    for now in [*sorted(looks), 61]:
        alive = [seen(f"r{number}", start) for number, (start, end) in enumerate(spans) if start <= now < end]
        over = [
            seen(f"r{number}", start, ended_ms=end) for number, (start, end) in enumerate(spans) if last < end <= now
        ]
        for _ in range(2):  # a step that is done again changes nothing
            write(db, decide(alive, over, ledger.open_entries(db)), now)
        last = now
    first, final = min(since, until), max(since, until)
    expected = sum(max(0, min(end, final) - max(start, first)) for start, end in spans) * 0.02 / HOUR
    assert ledger.total(db, "demo", first, final) == pytest.approx(expected)
    assert ledger.open_entries(db) == []


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 50), st.integers(1, 50))
def test_what_vanished_without_a_record_costs_until_it_was_seen_last(ticks: int, gap: int) -> None:
    db = fresh()
    for now in range(0, ticks * 10, 10):
        write(db, decide([seen("a", 0)], [], ledger.open_entries(db)), now)
    write(db, decide([], [], ledger.open_entries(db)), ticks * 10 + gap)
    assert ledger.get(db, "demo", "a").ended_ms == (ticks - 1) * 10


def test_what_was_thought_gone_and_is_seen_again_goes_on() -> None:
    db = fresh()
    write(db, decide([seen("a", 0)], [], ledger.open_entries(db)), 10)
    write(db, decide([], [], ledger.open_entries(db)), 20)
    write(db, decide([seen("a", 0)], [], ledger.open_entries(db)), 30)
    assert [(entry.resource, entry.ticked_ms) for entry in ledger.open_entries(db)] == [("a", 30)]


async def test_signals_tell_of_starts_and_ends_only(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path / 'studio.db'}")
    await store.start()
    heard: list[tuple[str, tuple[str, ...]]] = []
    store.signals.listen(lambda signal: heard.append((signal.topic, signal.ids)))
    try:
        await store.write(instance_types.ensure)
        heard.clear()
        steps: list[Callable[[Connection], object]] = [
            lambda db: begin(db, "a", 0),
            lambda db: ledger.tick(db, "a", 10),
            lambda db: ledger.ended(db, "a", 20),
        ]
        for step in steps:
            await store.write(step)
        await asyncio.sleep(0)
    finally:
        await store.close()
    assert heard == [("running", ("a",)), ("running", ("a",))]
