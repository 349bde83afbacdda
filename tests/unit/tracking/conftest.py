"""A database of two domains: on SQLite in memory, on PostgreSQL a copy, or one shared by tests that leave nothing."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, Engine

from studio.store.cache import forget
from tests.databases import make_engine

__all__ = ["make_engine"]


@pytest.fixture
def engine(database: str, request: pytest.FixtureRequest) -> Iterator[Engine]:
    """Ended with the test."""
    made = make_engine("sqlite://" if database == "sqlite" else request.getfixturevalue("database_url"))
    yield made
    made.dispose()


@pytest.fixture
def db(database: str, request: pytest.FixtureRequest) -> Iterator[Connection]:
    """One transaction of `engine`; on PostgreSQL of a shared database, if the test does not ask for its own."""
    is_shared = database == "postgresql" and "engine" not in request.fixturenames
    engine: Engine = request.getfixturevalue("shared_engine" if is_shared else "engine")
    with engine.connect() as connection:
        yield connection
        (connection.rollback if is_shared else connection.commit)()
        forget(connection)
