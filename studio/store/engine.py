"""`write` runs a function on the one writer and resolves after its group's commit; `read` has its own connections."""

import asyncio
import logging
import queue
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import OperationalError

from studio.errors import Unavailable
from studio.store import migrate
from studio.store.cache import forget
from studio.store.signals import Signal, Signals, take

T = TypeVar("T")
GROUP = 256  # writes in one commit; the loop's memory bounds the queue, a group bounds what one failure repeats
READERS = 4
PRAGMAS = (
    "journal_mode=WAL",
    "synchronous=FULL",
    "foreign_keys=ON",
    "busy_timeout=30000",
    "temp_store=MEMORY",
    "case_sensitive_like=ON",  # as in PostgreSQL, so that LIKE in a search filter means the same on both
)
log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Write:
    function: Callable[[Connection], Any]
    future: asyncio.Future[Any]


class Store:
    """The handle of the database of one server process."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.signals = Signals()
        self._queue: queue.SimpleQueue[_Write | None] = queue.SimpleQueue()
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="store-read")
        self._thread: threading.Thread | None = None

    async def start(self) -> None:
        """Brings the schema up to date and starts the writer."""
        self._loop = asyncio.get_running_loop()
        self._engine = await asyncio.to_thread(open_engine, self.url)
        await asyncio.to_thread(migrate.upgrade, self._engine)
        self._thread = threading.Thread(target=self._write_groups, name="store-write", daemon=True)
        self._thread.start()

    async def close(self) -> None:
        """Ends the writer after what is queued is committed."""
        if self._thread is not None:
            self._queue.put(None)
            await asyncio.to_thread(self._thread.join)
            self._thread = None
        self._readers.shutdown(wait=True)
        self._engine.dispose()

    async def write(self, function: Callable[[Connection], T]) -> T:
        """Runs `function(db)` under a savepoint; returns after the commit, raises what it raised with nothing written.

        No file, network or wait inside: every other writer waits as long.
        """
        future: asyncio.Future[T] = self._loop.create_future()
        self._queue.put(_Write(function, future))
        return await future

    async def read(self, function: Callable[[Connection], T]) -> T:
        """Runs `function(db)` on a read connection; sees everything acknowledged before the call."""
        return await self._loop.run_in_executor(self._readers, self._read, function)

    def _read(self, function: Callable[[Connection], T]) -> T:
        with self._engine.connect() as db:
            return function(db)

    def _write_groups(self) -> None:
        with self._engine.connect() as db:
            while (first := self._queue.get()) is not None:
                group = [first]
                stop = False
                while len(group) < GROUP and not self._queue.empty():
                    item = self._queue.get()
                    if item is None:
                        stop = True
                        break
                    group.append(item)
                self._commit(db, group)
                if stop:
                    return

    def _commit(self, db: Connection, group: list[_Write]) -> None:
        answers: list[tuple[_Write, Any, BaseException | None]] = []
        signals: list[Signal] = []
        try:
            with db.begin():
                for item in group:
                    # Written out: `begin_nested` costs five times as much, more than many a write itself.
                    db.exec_driver_sql("SAVEPOINT studio_write")
                    try:
                        answer = item.function(db)
                        db.exec_driver_sql("RELEASE SAVEPOINT studio_write")
                    except Exception as error:
                        db.exec_driver_sql("ROLLBACK TO SAVEPOINT studio_write")
                        db.exec_driver_sql("RELEASE SAVEPOINT studio_write")
                        take(db)
                        forget(db)
                        answers.append((item, None, error))
                    else:
                        signals += take(db)
                        answers.append((item, answer, None))
        except Exception as error:
            # The commit itself failed (disk full, database locked): nothing of the group is written, so all are told.
            log.exception("commit of %d writes failed", len(group))
            take(db)
            forget(db)
            signals = []
            answers = [(item, None, _unavailable(error)) for item in group]
        self._loop.call_soon_threadsafe(self._deliver, answers, signals)

    def _deliver(self, answers: list[tuple[_Write, Any, BaseException | None]], signals: list[Signal]) -> None:
        for item, answer, error in answers:
            if item.future.done():
                continue  # the caller was cancelled; its write stands, as with any request whose client went away
            if error is None:
                item.future.set_result(answer)
            else:
                item.future.set_exception(error)
        self.signals.deliver(signals)


def open_engine(url: str) -> Engine:
    """An engine with the durability and concurrency settings that the design states."""
    if not url.startswith("sqlite"):
        return create_engine(url, pool_size=READERS + 1, pool_pre_ping=True)
    engine = create_engine(url, pool_size=READERS + 1, connect_args={"check_same_thread": False, "timeout": 30})

    @event.listens_for(engine, "connect")
    def _connect(connection: Any, _record: Any) -> None:
        # sqlite3 would begin transactions by itself and break savepoints; SQLAlchemy begins them below.
        connection.isolation_level = None
        for pragma in PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN")

    return engine


def _unavailable(error: Exception) -> Exception:
    if isinstance(error, OperationalError):
        message = f"The database did not take the write: {error.orig}."
        return Unavailable(message, "Free disk space or wait, then try again.")
    return error
