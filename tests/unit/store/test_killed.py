"""kill -9 under load: what was acknowledged is there afterwards, and nothing twice."""

import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

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
def test_kill_9_loses_no_acknowledged_write(tmp_path: Path, acknowledged: int) -> None:
    database = tmp_path / "studio.db"
    argv = [sys.executable, "-c", WRITER, f"sqlite:///{database}"]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout
        said = [child.stdout.readline().strip() for _ in range(acknowledged)]
        child.send_signal(signal.SIGKILL)
        # The last line may have been cut by the kill.
        rest = child.stdout.read()
    said += [line for line in rest.split("\n")[:-1] if line]
    with sqlite3.connect(database) as db:
        found = [name for (name,) in db.execute("select name from users")]
        assert db.execute("pragma integrity_check").fetchone() == ("ok",)
    db.close()
    assert len(said) >= acknowledged
    assert set(said) <= set(found)
    assert len(found) == len(set(found))
