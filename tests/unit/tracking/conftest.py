"""A database of two domains in memory."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, Engine

from studio.domains import domains
from studio.store.engine import open_engine
from studio.store.tables import metadata


def make_engine() -> Engine:
    """An empty database with the schema and the domains `demo` and `other`."""
    engine = open_engine("sqlite://")
    with engine.begin() as db:
        metadata.create_all(db)
        domains.create_domain(db, "demo")
        domains.create_domain(db, "other")
    return engine


@pytest.fixture
def engine() -> Iterator[Engine]:
    """Ended with the test."""
    made = make_engine()
    yield made
    made.dispose()


@pytest.fixture
def db(engine: Engine) -> Iterator[Connection]:
    """One transaction of it."""
    with engine.begin() as connection:
        yield connection
