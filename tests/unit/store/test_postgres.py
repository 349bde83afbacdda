"""PostgreSQL away, restarted, taken by another: retries, then clean errors; nothing acknowledged is lost."""

import asyncio
import importlib.util
import signal
from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, select

from studio.access import users
from studio.errors import Invalid, StudioError, Unavailable
from studio.settings import POSTGRESQL, Settings
from studio.store import Store, postgres
from studio.store.engine import open_engine
from studio.store.tables.access import users as table
from tests.live import until
from tests.postgres import Cluster, cluster


@pytest.fixture
def own() -> Iterator[Cluster]:
    """A cluster that may be stopped."""
    with cluster() as made:
        yield made


def names(db: Connection) -> list[str]:
    return list(db.execute(select(table.c.name)).scalars())


async def test_restarted_under_load_every_acknowledged_write_is_there_once(own: Cluster) -> None:
    store = Store(own.url("studio"))
    await store.start()
    said: list[str] = []
    refused: list[StudioError] = []
    is_over = asyncio.Event()

    async def writer(who: int) -> None:
        number = 0
        while not is_over.is_set():
            name = f"u{who}-{number}"
            number += 1
            try:
                await store.write(lambda db, name=name: users.create_user(db, name))
                said.append(name)
            except StudioError as error:
                refused.append(error)

    writers = [asyncio.create_task(writer(who)) for who in range(8)]

    async def more() -> None:
        goal = len(said) + 200
        await asyncio.to_thread(until, lambda: len(said) >= goal, "200 writes")

    for number in (signal.SIGINT, signal.SIGQUIT):
        await more()
        await asyncio.to_thread(own.stop, number)
        await asyncio.to_thread(own.start)
    await more()
    is_over.set()
    await asyncio.gather(*writers)
    found = await store.read(names)
    await store.close()
    assert set(said) <= set(found)
    assert len(found) == len(set(found))
    # Only a commit that was under way may have been refused: whether it was done could not be told.
    assert all("during the commit" in error.message for error in refused)


async def test_away_for_long_is_a_clean_error_and_heals(own: Cluster) -> None:
    store = Store(own.url("studio"), patience_s=0.3)
    await store.start()
    await store.write(lambda db: users.create_user(db, "before"))
    own.stop()
    with pytest.raises(Unavailable, match="did not take the request"):
        await store.write(lambda db: users.create_user(db, "meanwhile"))
    with pytest.raises(Unavailable, match="did not take the request"):
        await store.read(names)
    own.start()
    await store.write(lambda db: users.create_user(db, "after"))
    assert await store.read(names) == ["before", "after"]
    await store.close()


async def test_a_connection_that_was_cut_is_made_again(postgres: Cluster, database_url: str) -> None:
    if not database_url.startswith("postgresql"):
        return
    store = Store(database_url)
    await store.start()
    name = database_url.partition("@/")[2].partition("?")[0]
    cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s"
    for number in range(3):
        assert postgres.admin(cut, name)
        await store.write(lambda db, number=number: users.create_user(db, f"u{number}"))
        assert f"u{number}" in await store.read(names)
    await store.close()


async def test_one_studio_writes_to_a_database(postgres: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    url = postgres.url("claimed")
    first, second = Store(url), Store(url)
    await first.start()
    monkeypatch.setattr("studio.store.postgres.CLAIM_S", 0.2)
    with pytest.raises(Unavailable, match="Another Studio"):
        await second.start()
    await first.close()
    await second.start()
    await second.write(lambda db: users.create_user(db, "ann"))
    await second.close()
    postgres.drop("claimed")


async def test_a_value_that_cannot_be_stored_is_refused(database_url: str) -> None:
    store = Store(database_url)
    await store.start()
    with pytest.raises(Invalid, match="cannot be stored"):
        await store.read(lambda db: db.execute(select(table).where(table.c.created_ms == 2**70)).all())
    await store.write(lambda db: users.create_user(db, "ann"))
    assert await store.read(names) == ["ann"]
    await store.close()


@pytest.mark.parametrize("url", ["mysql://u:secret@h/d", "postgresql://u:secret@h:x/d", "secret", ""])
def test_a_url_of_something_else_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(Invalid) as caught:
        open_engine(url)
    assert "secret" not in str(caught.value)
    assert caught.value.hint


def test_without_the_driver_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(Invalid, match="driver") as caught:
        Settings(database_url="postgres://u@h/d")
    assert "jupyterlab-studio[postgresql]" in caught.value.hint


def test_a_plain_url_gets_the_driver() -> None:
    for name in POSTGRESQL:
        engine = open_engine(f"{name}://u:p@h/d")
        assert engine.url.drivername == postgres.DRIVER
