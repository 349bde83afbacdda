"""Fixtures: what is tested with `database` runs once on SQLite and once on PostgreSQL, as Studio must not differ."""

import contextlib
import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from studio.domains import domains
from studio.store import migrate
from studio.store.engine import open_engine
from studio.store.tables import metadata
from tests.postgres import Cluster, cluster

SCHEMA = "schema"  # the database of the cluster that others are copies of
_number = itertools.count(1)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Cluster]:
    """A PostgreSQL for the session, started when the first test needs it."""
    with cluster() as made:
        engine = open_engine(made.url(SCHEMA))
        migrate.upgrade(engine)
        engine.dispose()
        yield made


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> str:
    """Which kind of database a test runs on."""
    return str(request.param)


@pytest.fixture
def database_url(database: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database of the test's own, with the schema or about to get it."""
    if database == "sqlite":
        yield f"sqlite:///{tmp_path / 'studio.db'}"
        return
    made: Cluster = request.getfixturevalue("postgres")
    name = f"t{next(_number)}"
    yield made.url(name, template=SCHEMA)
    made.drop(name)


@pytest.fixture(scope="session")
def shared_url(
    database: str, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """One database for all tests of a session that ask a server."""
    with _database(database, request, tmp_path_factory) as url:
        yield url


@contextlib.contextmanager
def _database(kind: str, request: pytest.FixtureRequest, folders: pytest.TempPathFactory) -> Iterator[str]:
    if kind == "sqlite":
        yield f"sqlite:///{folders.mktemp('shared') / 'studio.db'}"
        return
    made: Cluster = request.getfixturevalue("postgres")
    name = f"t{next(_number)}"
    yield made.url(name, template=SCHEMA)
    made.drop(name)


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with the schema, to be copied: faster than making one."""
    path = tmp_path_factory.mktemp("migrated") / "studio.db"
    engine = open_engine(f"sqlite:///{path}")
    migrate.upgrade(engine)
    engine.dispose()
    return path


@pytest.fixture(scope="session")
def shared_engine(
    database: str, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Engine]:
    """A database of its own for tests that leave nothing behind."""
    with _database(database, request, tmp_path_factory) as url:
        made = make_engine(url)
        yield made
        made.dispose()


def make_engine(url: str = "sqlite://") -> Engine:
    """A database with the schema and the domains `demo` and `other`, and nothing else."""
    engine = open_engine(url)
    with engine.begin() as db:
        metadata.create_all(db)
        domains.create_domain(db, "demo")
        domains.create_domain(db, "other")
    return engine
