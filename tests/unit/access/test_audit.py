"""The audit log: sealed row to row, with the change or not at all, bounded where somebody is refused in a loop."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import Connection, delete, func, select, text, update

from studio.access import audit_search
from studio.access.audit import BURST_EACH, DENIED, DROPPED, REMOVED, Audit, Entry
from studio.access.audit_search import Sought
from studio.clock import now_ms
from studio.domains import domains
from studio.errors import Invalid
from studio.store import Store, beside
from studio.store.beside import Beside
from studio.store.tables.audit import audit as table
from studio.store.tenancy import EVERY


@pytest.fixture
async def store(database_url: str) -> AsyncIterator[Store]:
    found = Store(database_url)
    await found.start()
    yield found
    await found.close()


@pytest.fixture
def log(store: Store) -> Audit:
    return Audit(store, "the master key of this test")


def entry(user: str = "ada", **fields: Any) -> Entry:
    return Entry(**{"user": user, "kind": "person", "action": "jobs.write", "domain": "demo"} | fields)


async def verified(store: Store, log: Audit) -> tuple[int, int | None]:
    """(rows that are right, number of the first that is not)."""
    head = await store.read(log.anchor)
    count, _, _, broken = await store.read(lambda db: log.check(db, 0, head, 10_000))
    return count, broken


async def fill(store: Store, log: Audit, count: int = 5) -> None:
    for number in range(count):
        await store.write(lambda db, number=number: log.append(db, entry(resource=f"job/{number}")))


async def test_an_untouched_log_is_right_after_a_restart_too(store: Store, log: Audit) -> None:
    await fill(store, log)
    again = Audit(store, "the master key of this test")
    await fill(store, again)
    assert await verified(store, again) == (10, None)
    assert (await verified(store, Audit(store, "another key")))[1] is not None


TOUCHED = (
    update(table).where(table.c.seq == 3).values(user="bob"),
    update(table).where(table.c.seq == 3).values(at_ms=1),
    update(table).where(table.c.seq == 3).values(resource="job/other"),
    update(table).where(table.c.seq == 3).values(hash="0" * 64),
    delete(table).where(table.c.seq == 3),
    delete(table).where(table.c.seq == 1),
    delete(table).where(table.c.seq <= 3),
)


class Undo(Exception):
    """Takes a write back."""


async def test_a_row_that_was_touched_is_found(store: Store, log: Audit) -> None:
    await fill(store, log)
    for change in TOUCHED:
        found: list[Any] = []

        def touch(db: Connection, change: Any = change, found: list[Any] = found) -> None:
            db.execute(change)
            found += log.check(db, 0, log.anchor(db), 100)
            raise Undo

        with pytest.raises(Undo):
            await store.write(touch)
        assert found[0] < 5 and found[3] is not None, str(change)
    assert await verified(store, log) == (5, None)


async def test_a_row_put_in_between_is_found(store: Store, log: Audit) -> None:
    await fill(store, log)
    await store.write(lambda db: db.execute(update(table).where(table.c.seq > 2).values(seq=table.c.seq + 100)))
    forged = "insert into audit select 3, at_ms, 'eve', kind, credential, domain, action, resource, outcome, detail,"
    await store.write(lambda db: db.execute(text(f"{forged} request, address, hash from audit where seq = 2")))
    assert (await verified(store, log))[1] == 3


async def test_a_write_that_fails_leaves_no_row_and_breaks_no_chain(store: Store, log: Audit) -> None:
    await fill(store, log, 1)

    def fails(db: Connection) -> None:
        log.append(db, entry())
        raise Invalid("No.")

    async def one(good: bool) -> None:
        if good:
            await store.write(lambda db: log.append(db, entry()))
        else:
            with pytest.raises(Invalid):
                await store.write(fails)

    await asyncio.gather(*(one(number % 2 == 0) for number in range(20)))
    assert await verified(store, log) == (11, None)


async def test_what_is_beside_a_write_is_there_with_it_or_not_at_all(store: Store, log: Audit) -> None:
    def rows(db: Connection) -> int:
        return int(db.scalar(select(func.count()).select_from(table)) or 0)

    def fails(db: Connection) -> None:
        raise Invalid("No.")

    held = Beside()
    held.also = lambda db: log.append(db, entry())
    token = beside.current.set(held)
    try:
        with pytest.raises(Invalid):
            await store.write(fails)
        assert await store.read(rows) == 0
        await store.write(lambda db: domains.create_domain(db, "demo"))
        await store.write(lambda db: domains.create_domain(db, "other"))
        assert await store.read(rows) == 1
    finally:
        beside.current.reset(token)
    failing = Beside()
    failing.also = fails
    token = beside.current.set(failing)
    try:
        with pytest.raises(Invalid):
            await store.write(lambda db: domains.create_domain(db, "third"))
    finally:
        beside.current.reset(token)
    assert {item.name for item in await store.read(domains.list_all)} == {"demo", "other"}


async def test_old_rows_go_and_the_rest_is_still_right(store: Store, log: Audit) -> None:
    await fill(store, log, 6)
    limit = now_ms() + 1
    assert await store.write(lambda db: log.remove_before(db, limit, 4)) == 4
    right, broken = await verified(store, log)
    assert broken is None and right == 3
    assert await store.write(lambda db: log.remove_before(db, 0, 4)) == 0
    await fill(store, log, 2)
    found = await store.read(lambda db: audit_search.search(db, EVERY, Sought(outcome=REMOVED), None, 10))
    assert len(found) == 1 and found[0].detail.startswith("4 rows")
    # Taking more out than was said is found.
    await store.write(lambda db: db.execute(delete(table).where(table.c.seq == found[0].seq - 1)))
    assert (await verified(store, log))[1] is not None


async def test_a_flood_of_refusals_is_counted_not_written(store: Store, log: Audit) -> None:
    for _ in range(BURST_EACH + 50):
        await log.refused(entry("eve", outcome=DENIED))
    await log.refused(entry("bob", outcome=DENIED))
    await log.tell_dropped()
    await log.tell_dropped()
    found = await store.read(lambda db: audit_search.search(db, EVERY, Sought(), None, 500))
    assert [row.user for row in found].count("eve") == BURST_EACH
    assert [row.user for row in found].count("bob") == 1
    [dropped] = [row for row in found if row.outcome == DROPPED]
    assert dropped.detail.startswith("50 refusals")
    assert await verified(store, log) == (len(found), None)


async def test_what_an_attacker_writes_is_cut_and_plain(store: Store, log: Audit) -> None:
    nasty = entry("eve\n\x1b[31m\0", resource="job/" + "x" * 10_000, detail="\ud800")
    await store.write(lambda db: log.append(db, nasty))
    [row] = await store.read(lambda db: audit_search.search(db, EVERY, Sought(), None, 10))
    assert "\n" not in row.user and "\x1b" not in row.user and "\0" not in row.user
    assert len(row.resource) == 400
    assert await verified(store, log) == (1, None)


async def test_searching_by_every_field_and_in_pages(store: Store, log: Audit) -> None:
    def write(db: Connection) -> None:
        for number in range(10):
            who, domain = ("ada", "demo") if number % 2 else ("bob", "other")
            outcome = DENIED if number % 5 == 0 else "done"
            log.append(db, entry(who, domain=domain, resource=f"endpoint/prod_{number}", outcome=outcome))

    await store.write(write)

    async def found(domain: Any = EVERY, before: int | None = None, most: int = 100, **sought: Any) -> list[str]:
        rows = await store.read(lambda db: audit_search.search(db, domain, Sought(**sought), before, most))
        return [row.resource[-1] for row in rows]

    assert await found() == list("9876543210")
    assert await found("demo") == list("97531")
    assert await found(user="bob", outcome=DENIED) == ["0"]
    assert await found(action="jobs.*", resource="endpoint/prod_*") == list("9876543210")
    assert await found(resource="endpoint/prodx*") == []  # _ is a character, not any character
    assert await found(resource="*_3") == ["3"]
    assert await found(since_ms=now_ms() + 1000) == []
    assert await found(until_ms=now_ms() + 1000, most=3) == list("987")
    assert await found(before=4, most=2) == list("21")
    with pytest.raises(Invalid):
        await found(outcome="perhaps")
    with pytest.raises(Invalid):
        await found(action="*" * 9)
