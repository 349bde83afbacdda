"""Brings a database to this version's schema with Alembic."""

from pathlib import Path

from sqlalchemy import Engine, inspect, text

MIGRATIONS = Path(__file__).parent / "migrations"


def upgrade(engine: Engine) -> None:
    """Applies what is missing, in one transaction: an interrupted upgrade leaves the old schema."""
    with engine.connect() as db:
        if inspect(db).has_table("alembic_version"):
            found = db.execute(text("SELECT version_num FROM alembic_version")).scalars().all()
            if found == [head()]:
                return
    # Imported only when there is something to do: it costs a restart a good part of a second.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with engine.begin() as db:
        config.attributes["connection"] = db
        command.upgrade(config, "head")


def head() -> str:
    """The newest revision: files are called `<revision>_<words>.py`, revisions are counted in four digits."""
    return max(path.name.partition("_")[0] for path in (MIGRATIONS / "versions").glob("[0-9]*_*.py"))
