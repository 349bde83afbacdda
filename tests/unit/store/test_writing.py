"""One writer: groups of writes in one commit, each under a savepoint of its own."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import Connection, event, select

from studio.access import users
from studio.errors import AlreadyExists, Invalid
from studio.store import Signal, Store, signal
from studio.store.tables.access import users as table


@pytest.fixture
async def store(database_url: str) -> AsyncIterator[Store]:
    found = Store(database_url)
    await found.start()
    yield found
    await found.close()


def names(db: Connection) -> set[str]:
    return set(db.execute(select(table.c.name)).scalars())


async def test_many_writes_share_commits(store: Store) -> None:
    commits = []
    event.listen(store._engine, "commit", commits.append)
    await asyncio.gather(*(store.write(lambda db, n=n: users.create_user(db, f"u{n}")) for n in range(500)))
    assert len(await store.read(names)) == 500
    assert len(commits) < 100


async def test_a_failing_write_leaves_the_others_of_its_group(store: Store) -> None:
    def half(db: Connection) -> None:
        users.create_user(db, "half")
        raise Invalid("on purpose")

    writes = [store.write(lambda db: users.create_user(db, "before")), store.write(half)]
    writes += [
        store.write(lambda db: users.create_user(db, "before")),
        store.write(lambda db: users.create_user(db, "after")),
    ]
    answers = await asyncio.gather(*writes, return_exceptions=True)
    assert [type(answer) for answer in answers] == [users.User, Invalid, AlreadyExists, users.User]
    assert await store.read(names) == {"before", "after"}


async def test_signals_come_after_the_commit_and_only_then(store: Store) -> None:
    heard: list[Signal] = []
    store.signals.listen(heard.append)

    def fails(db: Connection) -> None:
        signal(db, "lost")
        raise Invalid("on purpose")

    with pytest.raises(Invalid):
        await store.write(fails)
    await store.write(lambda db: signal(db, "kept", "demo", "a", "b"))
    assert heard == [Signal("kept", "demo", ("a", "b"))]


async def test_waiting_events_wake_for_their_topics_only(store: Store) -> None:
    jobs, runs = store.signals.event("jobs"), store.signals.event("runs")
    await store.write(lambda db: signal(db, "jobs"))
    assert jobs.is_set()
    assert not runs.is_set()
    store.signals.forget(jobs)
    jobs.clear()
    await store.write(lambda db: signal(db, "jobs"))
    assert not jobs.is_set()


async def test_a_read_sees_what_was_acknowledged(store: Store) -> None:
    for number in range(20):
        await store.write(lambda db, n=number: users.create_user(db, f"u{n}"))
        assert f"u{number}" in await store.read(names)


async def test_a_cancelled_caller_does_not_stop_the_writer(store: Store) -> None:
    waiting = asyncio.ensure_future(store.write(lambda db: users.create_user(db, "left")))
    await asyncio.sleep(0)
    waiting.cancel()
    await store.write(lambda db: users.create_user(db, "stayed"))
    assert "stayed" in await store.read(names)


async def test_close_finishes_what_is_queued(database_url: str) -> None:
    store = Store(database_url)
    await store.start()
    writes = [asyncio.ensure_future(store.write(lambda db, n=n: users.create_user(db, f"u{n}"))) for n in range(50)]
    await asyncio.sleep(0)
    await store.close()
    await asyncio.gather(*writes)
    again = Store(database_url)
    await again.start()
    assert len(await again.read(names)) == 50
    await again.close()
