"""`write` runs a function on the one writer and resolves after its group's commit; `read` has its own connections."""

import asyncio
import logging
import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, RootTransaction, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, OperationalError

from studio.errors import Invalid, Unavailable
from studio.settings import POSTGRESQL, check_database_url
from studio.store import beside, failures, migrate, postgres
from studio.store.cache import forget
from studio.store.signals import Signal, Signals, take

T = TypeVar("T")
GROUP = 256  # writes, after which a commit waits for no further ones
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


_Answer = tuple[_Write, Any, BaseException | None]


class Store:
    """The handle of the database of one server process."""

    def __init__(self, url: str, patience_s: float = failures.PATIENCE_S) -> None:
        self.url = url
        self._patience_s = patience_s  # how long a call waits for a database that is away
        self.signals = Signals()
        self._turn: list[_Write] = []  # what this turn of the event loop has asked for
        self._queue: queue.SimpleQueue[list[_Write]] = queue.SimpleQueue()
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="store-read")
        self._thread: threading.Thread | None = None
        self._engine = open_engine(url)
        self._is_claimed = self._is_file = self._engine.dialect.name == "sqlite"  # a file has a lock of its own
        self._is_down = False

    async def start(self) -> None:
        """Brings the schema up to date and starts the writer."""
        self._loop = asyncio.get_running_loop()
        await asyncio.to_thread(self._open)
        self._thread = threading.Thread(target=self._write_groups, name="store-write", daemon=True)
        self._thread.start()

    async def close(self) -> None:
        """Ends the writer after what is queued is committed."""
        if self._thread is not None:
            self._hand_over()
            self._queue.put([])
            await asyncio.to_thread(self._thread.join)
            self._thread = None
        self._readers.shutdown(wait=True)
        self._engine.dispose()

    async def write(self, function: Callable[[Connection], T]) -> T:
        """Runs `function(db)` under a savepoint; returns after the commit, raises what it raised with nothing written.

        No file, network or wait inside: every other writer waits as long.
        """
        held = beside.current.get()
        if held is None or not held.is_due:
            return await self._write(function)
        try:
            return await self._write(held.take(function))
        except Exception:
            held.give_back()
            raise

    async def _write(self, function: Callable[[Connection], T]) -> T:
        future: asyncio.Future[T] = self._loop.create_future()
        if not self._turn:
            # At the end of this turn: the writer is woken once for all that it asks for.
            self._loop.call_soon(self._hand_over)
        self._turn.append(_Write(function, future))
        return await future

    def _hand_over(self) -> None:
        if self._turn:
            turn, self._turn = self._turn, []
            self._queue.put(turn)

    async def read(self, function: Callable[[Connection], T]) -> T:
        """Runs `function(db)` on a read connection; sees everything acknowledged before the call."""
        return await self._loop.run_in_executor(self._readers, self._read, function)

    def _open(self) -> None:
        self._writer = self._patiently(self._connect)
        self._claim(self._writer)
        migrate.upgrade(self._engine)

    def _connect(self) -> Connection:
        try:
            return self._engine.connect()
        except OperationalError as error:
            if self._is_file:
                raise
            raise failures.Away from error

    def _claim(self, db: Connection) -> None:
        if not self._is_claimed:
            postgres.claim(db)
            self._is_claimed = True

    def _patiently(self, attempt: Callable[[], T]) -> T:
        """Calls `attempt` again while the database is away; once that was in vain, others are told at once."""
        deadline = time.monotonic() + self._patience_s
        while True:
            try:
                answer = attempt()
            except failures.Away as away:
                if self._is_down or time.monotonic() > deadline:
                    self._is_down = True
                    cause = away.__cause__
                    raise failures.explain(
                        cause if isinstance(cause, Exception) else away, self._engine.dialect
                    ) from away
                time.sleep(failures.RETRY_S)
            else:
                self._is_down = False
                return answer

    def _read(self, function: Callable[[Connection], T]) -> T:
        return self._patiently(lambda: self._read_once(function))

    def _read_once(self, function: Callable[[Connection], T]) -> T:
        with self._connect() as db:
            try:
                return function(db)
            except Exception as error:
                if failures.is_lost(db):
                    raise failures.Away from error
                explained = failures.explain(error, db.dialect)
                if explained is error:
                    raise
                raise explained from error

    def _write_groups(self) -> None:
        with self._writer as db:
            while turn := self._queue.get():
                group = turn
                while turn and len(group) < GROUP and not self._queue.empty():
                    turn = self._queue.get()
                    group = group + turn
                self._commit(db, group)
                if not turn:
                    return

    def _commit(self, db: Connection, group: list[_Write]) -> None:
        try:
            answers, signals = self._patiently(lambda: self._attempt(db, group))
        except Exception as error:
            # The commit itself failed (disk full, database locked): nothing of the group is written, so all are told.
            log.exception("commit of %d writes failed", len(group))
            if not failures.is_lost(db):
                take(db)
                forget(db)
            signals = []
            answers = [(item, None, failures.explain(error, db.dialect)) for item in group]
        self._loop.call_soon_threadsafe(self._deliver, answers, signals)

    def _attempt(self, db: Connection, group: list[_Write]) -> tuple[list[_Answer], list[Signal]]:
        is_sent = False
        try:
            self._claim(db)
            with db.begin() as transaction:
                done = self._one(db, group[0], transaction) if len(group) == 1 else self._run(db, group)
                is_sent = True
            return done
        except Exception as error:
            if not failures.is_lost(db):
                raise
            db.rollback()
            self._is_claimed = self._is_file
            if is_sent:
                message = "The database went away during the commit: the write may be there or not."
                raise Unavailable(message, "Look whether it is, then try again if not.") from error
            raise failures.Away from error

    @staticmethod
    def _one(db: Connection, item: _Write, transaction: RootTransaction) -> tuple[list[_Answer], list[Signal]]:
        """A write that nobody shares the commit with needs no savepoint: two ways to PostgreSQL less."""
        try:
            return [(item, item.function(db), None)], take(db)
        except Exception as error:
            if failures.is_lost(db):
                raise
            transaction.rollback()
            take(db)
            forget(db)
            return [(item, None, failures.explain(error, db.dialect))], []

    @staticmethod
    def _run(db: Connection, group: list[_Write]) -> tuple[list[_Answer], list[Signal]]:
        answers: list[_Answer] = []
        signals: list[Signal] = []
        # Straight to the driver: `begin_nested` costs more than many a write itself.
        execute = db.connection.cursor().execute
        for item in group:
            execute("SAVEPOINT studio_write")
            try:
                answer = item.function(db)
                execute("RELEASE SAVEPOINT studio_write")
            except Exception as error:
                execute("ROLLBACK TO SAVEPOINT studio_write")
                execute("RELEASE SAVEPOINT studio_write")
                take(db)
                forget(db)
                answers.append((item, None, failures.explain(error, db.dialect)))
            else:
                signals += take(db)
                answers.append((item, answer, None))
        return answers, signals

    def _deliver(self, answers: list[_Answer], signals: list[Signal]) -> None:
        for item, answer, error in answers:
            if item.future.done():
                continue  # the caller was cancelled; its write stands, as with any request whose client went away
            if error is None:
                item.future.set_result(answer)
            else:
                item.future.set_exception(error)
        self.signals.deliver(signals)


def open_engine(url: str) -> Engine:
    """An engine with the durability and concurrency settings that the design states; `Invalid` for other databases."""
    try:
        parsed = make_url(check_database_url(url))
    except (ArgumentError, ValueError) as error:
        # Not repeated: there may be a password in it.
        raise Invalid("STUDIO_DATABASE_URL cannot be read.", "Write postgresql://user@host/database.") from error
    if parsed.drivername in POSTGRESQL:
        return postgres.open_engine(parsed, READERS + 1)
    engine = create_engine(parsed, pool_size=READERS + 1, connect_args={"check_same_thread": False, "timeout": 30})

    @event.listens_for(engine, "connect")
    def _connect(connection: Any, _record: Any) -> None:
        # sqlite3 would begin transactions by itself and break savepoints; SQLAlchemy begins them below.
        connection.isolation_level = None
        for pragma in PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.connection.cursor().execute("BEGIN")

    return engine
