"""A PostgreSQL of the tests' own: one cluster in a temporary folder, reached by a unix socket, a database per name.

`with cluster() as made: made.url("bench")`. Its programs are those of `.ci/postgres`, the driver is that of the extra
`postgresql`. Started as this account, or as another one by root, whom PostgreSQL refuses. It ends with the block, and
with the process that opened it, however that ends (Linux)."""

import contextlib
import functools
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
from psycopg import sql

from tests import lowered
from tests.live import until

ROLE = "studio"
# A person's database rarely has the order of bytes: what Studio answers must not depend on that.
LOCALE = ("--encoding=UTF8", "--locale-provider=icu", "--icu-locale=en-US", "--locale=C.UTF-8")
# The tests kill processes, never the machine, and a cluster lives no longer than they do.
HASTY = {"fsync": "off", "full_page_writes": "off", "wal_level": "minimal", "max_wal_senders": "0"}
_FOLDERS = ("/usr/lib/postgresql/*/bin", "/opt/homebrew/opt/postgresql*/bin", "/usr/local/opt/postgresql*/bin")


class Cluster:
    """A PostgreSQL that can be stopped and started again on the same files."""

    def __init__(self, folder: Path, options: dict[str, str]) -> None:
        self.folder = folder
        self._options = options
        self._process: subprocess.Popen[bytes] | None = None

    def url(self, name: str, template: str | None = None) -> str:
        """The SQLAlchemy URL of the database `name`, made at the first call (as a copy of `template`)."""
        if not self.admin("SELECT FROM pg_database WHERE datname = %s", name):
            copied = sql.SQL("TEMPLATE {}").format(sql.Identifier(template)) if template else sql.SQL("")
            self.admin(sql.SQL("CREATE DATABASE {} {}").format(sql.Identifier(name), copied))
        return f"postgresql+psycopg://{ROLE}@/{name}?host={self.folder}"

    def drop(self, name: str) -> None:
        """Deletes the database `name`; who is connected to it is thrown out."""
        self.admin(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

    def admin(
        self, statement: "str | sql.Composed", *values: object, database: str = "postgres"
    ) -> list[tuple[object]]:
        """Runs one statement as the cluster's owner; its rows, if it has any."""
        with psycopg.connect(host=str(self.folder), user=ROLE, dbname=database, autocommit=True) as connection:
            found = connection.execute(statement, values or None)  # type: ignore[arg-type]
            return found.fetchall() if found.description is not None else []

    def start(self) -> None:
        """Returns when it takes connections."""
        options = {"listen_addresses": "", "unix_socket_directories": str(self.folder), **self._options}
        words = [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
        argv = [str(_programs() / "postgres"), "-D", str(self.folder / "data"), *words]
        with (self.folder / "log").open("ab") as log:
            self._process = process = _start(argv, log.fileno())
        until(lambda: process.poll() is not None or self._answers(), "PostgreSQL")
        assert process.poll() is None, (self.folder / "log").read_text()[-2000:]

    def stop(self, number: int = signal.SIGINT) -> None:
        """Ends it: INT throws the connected out in order, QUIT is like a crash. Returns when it has ended."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(number)
            self._process.wait(60)
        self._process = None

    def _answers(self) -> bool:
        try:
            return bool(self.admin("SELECT 1"))
        except psycopg.OperationalError:
            return False


@contextlib.contextmanager
def cluster(folder: Path | None = None, *, durable: bool = False) -> Iterator[Cluster]:
    """A running cluster; `durable`: with fsync, as an installation has it (for benchmarks). Its files are in `folder`,
    which is made (default: a temporary one), and deleted at the end. The path must be short: a socket lies in it."""
    place = folder or Path(tempfile.mkdtemp(prefix="studio-pg-"))
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        if account := lowered.account():
            os.chown(place, account.pw_uid, account.pw_gid)
        made = Cluster(place, {"max_connections": "60", "shared_buffers": "64MB", **({} if durable else HASTY)})
        options = ["--auth=trust", f"--username={ROLE}", *LOCALE, *([] if durable else ["--no-sync"])]
        argv = [str(_programs() / "initdb"), "-D", str(place / "data"), *options]
        with (place / "log").open("ab") as log:
            assert _start(argv, log.fileno()).wait(120) == 0, (place / "log").read_text()[-2000:]
        try:
            made.start()
            yield made
        finally:
            made.stop()
    finally:
        shutil.rmtree(place)


@functools.cache
def _programs() -> Path:
    """The folder of initdb and postgres."""
    found = shutil.which("initdb")
    if found and shutil.which("postgres"):
        return Path(found).resolve().parent
    for pattern in _FOLDERS:
        for folder in sorted(Path("/").glob(pattern[1:]), reverse=True):
            if (folder / "initdb").exists() and (folder / "postgres").exists():
                return folder
    raise FileNotFoundError("PostgreSQL's initdb and postgres are not here; `sh .ci/postgres` installs them.")


def _start(argv: list[str], log: int) -> subprocess.Popen[bytes]:
    wrapped = [sys.executable, "-I", str(Path(lowered.__file__).resolve()), *argv]
    return subprocess.Popen(wrapped, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/", start_new_session=True)
