"""Writes the next migration from the tables: python -m tests.checks.migration "what changes"."""

import sys
import tempfile
from pathlib import Path

from alembic import command
from alembic.config import Config

from studio.store import migrate
from studio.store.engine import open_engine


def main(message: str) -> None:
    """One file in studio/store/migrations/versions; read it before you commit it."""
    versions = migrate.MIGRATIONS / "versions"
    number = f"{len(list(versions.glob('[0-9]*.py'))) + 1:04d}"
    config = Config()
    config.set_main_option("script_location", str(migrate.MIGRATIONS))
    config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    with tempfile.TemporaryDirectory() as folder:
        engine = open_engine(f"sqlite:///{Path(folder) / 'at-head.db'}")
        if number != "0001":
            migrate.upgrade(engine)
        with engine.connect() as db:
            config.attributes["connection"] = db
            command.revision(config, message=message, autogenerate=True, rev_id=number)
        engine.dispose()


if __name__ == "__main__":
    main(sys.argv[1])
