"""A database of two domains: on SQLite in memory, on PostgreSQL a copy."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, Engine

from studio.domains import domains
from studio.store.engine import open_engine
from studio.store.tables import metadata


def make_engine(url: str = "sqlite://") -> Engine:
    """A database with the schema and the domains `demo` and `other`, and nothing else."""
    engine = open_engine(url)
    with engine.begin() as db:
        metadata.create_all(db)
        domains.create_domain(db, "demo")
        domains.create_domain(db, "other")
    return engine


@pytest.fixture
def engine(database: str, request: pytest.FixtureRequest) -> Iterator[Engine]:
    """Ended with the test."""
    made = make_engine("sqlite://" if database == "sqlite" else request.getfixturevalue("database_url"))
    yield made
    made.dispose()


@pytest.fixture
def db(engine: Engine) -> Iterator[Connection]:
    """One transaction of it."""
    with engine.begin() as connection:
        yield connection
