"""The migrations lead to exactly the tables that the code declares."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import String, insert, select

from studio.errors import Invalid
from studio.store import migrate
from studio.store.engine import open_engine
from studio.store.tables import metadata
from studio.store.tables.access import users
from tests.postgres import Cluster

EXPRESSIONS = {"ix_runs_newest"}


def _is_comparable(item: object, name: str | None, kind: str, *_: object) -> bool:
    """Alembic cannot read back an index over an expression; the next test looks at those."""
    return not (kind == "index" and name in EXPRESSIONS)


@pytest.fixture
def empty_url(database: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database without a schema."""
    if database == "sqlite":
        yield f"sqlite:///{tmp_path / 'studio.db'}"
        return
    cluster: Cluster = request.getfixturevalue("postgres")
    yield cluster.url("empty")
    cluster.drop("empty")


def test_migrations_give_the_declared_tables(empty_url: str) -> None:
    engine = open_engine(empty_url)
    migrate.upgrade(engine)
    with engine.connect() as db:
        options = {"compare_type": True, "include_object": _is_comparable}
        assert compare_metadata(MigrationContext.configure(db, opts=options), metadata) == []
    engine.dispose()


def test_text_of_every_column_sorts_by_its_bytes(empty_url: str) -> None:
    engine = open_engine(empty_url)
    migrate.upgrade(engine)
    tables = metadata.tables.values()
    texts = [(table.name, column.name) for table in tables for column in table.c if isinstance(column.type, String)]
    with engine.begin() as db:
        if db.dialect.name == "postgresql":
            rows = db.exec_driver_sql(
                "SELECT table_name, column_name, collation_name FROM information_schema.columns"
                " WHERE table_schema = 'public' AND data_type IN ('text', 'character varying')"
            )
            found = {(row[0], row[1]): row[2] for row in rows if row[0] != "alembic_version"}
            assert found == dict.fromkeys(texts, "C")
        db.execute(insert(users), [{"name": name} for name in ("b", "a", "B", "A", "ä", "_")])
        assert db.execute(select(users.c.name).order_by(users.c.name)).scalars().all() == ["A", "B", "_", "a", "b", "ä"]
    engine.dispose()


def test_migrations_give_what_creating_everything_gives(tmp_path: Path) -> None:
    found = []
    for name, make in (("migrated", migrate.upgrade), ("created", metadata.create_all)):
        engine = open_engine(f"sqlite:///{tmp_path / name}.db")
        make(engine)
        with engine.connect() as db:
            rows = db.exec_driver_sql("SELECT type, name FROM sqlite_master WHERE name NOT LIKE 'sqlite_%'").all()
            found.append({tuple(row) for row in rows} - {("table", "alembic_version")})
        engine.dispose()
    assert found[0] == found[1]
    assert all(("index", name) in found[0] for name in EXPRESSIONS)


def test_upgrade_of_a_current_database_changes_nothing(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'studio.db'}")
    migrate.upgrade(engine)
    with engine.connect() as db:
        before = db.exec_driver_sql("SELECT sql FROM sqlite_master ORDER BY name").all()
    migrate.upgrade(engine)
    with engine.connect() as db:
        assert db.exec_driver_sql("SELECT sql FROM sqlite_master ORDER BY name").all() == before
    engine.dispose()


def test_the_database_of_a_newer_studio_is_left_alone(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'studio.db'}")
    migrate.upgrade(engine)
    with engine.begin() as db:
        db.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
        before = db.exec_driver_sql("SELECT sql FROM sqlite_master ORDER BY name").all()
    with pytest.raises(Invalid, match=r"newer Studio.*9999"):
        migrate.upgrade(engine)
    with engine.connect() as db:
        assert db.exec_driver_sql("SELECT version_num FROM alembic_version").scalar() == "9999"
        assert db.exec_driver_sql("SELECT sql FROM sqlite_master ORDER BY name").all() == before
    engine.dispose()
