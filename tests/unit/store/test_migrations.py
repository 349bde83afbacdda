"""The migrations lead to exactly the tables that the code declares."""

from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from studio.store import migrate
from studio.store.engine import open_engine
from studio.store.tables import metadata

EXPRESSIONS = {"ix_runs_newest"}


def _is_comparable(item: object, name: str | None, kind: str, *_: object) -> bool:
    """Alembic cannot read back an index over an expression; the next test looks at those."""
    return not (kind == "index" and name in EXPRESSIONS)


def test_migrations_give_the_declared_tables(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'studio.db'}")
    migrate.upgrade(engine)
    with engine.connect() as db:
        options = {"compare_type": True, "include_object": _is_comparable}
        assert compare_metadata(MigrationContext.configure(db, opts=options), metadata) == []
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
