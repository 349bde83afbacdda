"""kill -9 under load: what was acknowledged is there afterwards, and nothing twice."""

import signal
import subprocess
import sys

import pytest
from sqlalchemy import select

from studio.store.engine import open_engine
from studio.store.tables.access import users

# Sixteen writers; each name is printed only after its write was acknowledged.
WRITER = """
import asyncio, sys
from studio.access import users
from studio.store import Store

async def write(store, who):
    for number in range(100_000):
        name = f"u{who}-{number}"
        await store.write(lambda db: users.create_user(db, name))
        sys.stdout.write(name + "\\n")
        sys.stdout.flush()

async def main():
    store = Store(sys.argv[1])
    await store.start()
    await asyncio.gather(*(write(store, who) for who in range(16)))

asyncio.run(main())
"""


@pytest.mark.parametrize("acknowledged", [1, 40, 173])
def test_kill_9_loses_no_acknowledged_write(database_url: str, acknowledged: int) -> None:
    argv = [sys.executable, "-c", WRITER, database_url]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout
        said = [child.stdout.readline().strip() for _ in range(acknowledged)]
        child.send_signal(signal.SIGKILL)
        # The last line may have been cut by the kill.
        rest = child.stdout.read()
    said += [line for line in rest.split("\n")[:-1] if line]
    engine = open_engine(database_url)
    with engine.connect() as db:
        found = list(db.execute(select(users.c.name)).scalars())
        if db.dialect.name == "sqlite":
            assert db.exec_driver_sql("pragma integrity_check").scalar() == "ok"
    engine.dispose()
    assert len(said) >= acknowledged
    assert set(said) <= set(found)
    assert len(found) == len(set(found))
