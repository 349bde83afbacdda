"""Brings a database to this version's schema with Alembic."""

from pathlib import Path

from sqlalchemy import Engine, inspect, text

from studio.errors import Invalid

MIGRATIONS = Path(__file__).parent / "migrations"


def upgrade(engine: Engine) -> None:
    """Applies what is missing, in one transaction: an interrupted upgrade leaves the old schema. `Invalid` for the
    database of a newer Studio, which this one would only damage."""
    with engine.connect() as db:
        if inspect(db).has_table("alembic_version"):
            found = db.execute(text("SELECT version_num FROM alembic_version")).scalars().all()
            if found == [head()]:
                return
            if any(revision > head() for revision in found):
                newer = f"The database was made by a newer Studio: its schema is {found[0]}, this one knows {head()}."
                raise Invalid(newer, "Install that version again, or restore a backup that this one has made.")
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
