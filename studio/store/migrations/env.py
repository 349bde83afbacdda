"""Alembic's entry: runs on the connection of `migrate.upgrade`, or for developers on -x url=…."""

from alembic import context
from sqlalchemy import Connection

from studio.store.engine import open_engine
from studio.store.tables import metadata


def _run(db: Connection) -> None:
    context.configure(connection=db, target_metadata=metadata, render_as_batch=True, compare_type=True)
    with context.begin_transaction():
        context.run_migrations()


given = context.config.attributes.get("connection")
if given is not None:
    _run(given)
else:
    with open_engine(context.get_x_argument(as_dictionary=True)["url"]).connect() as connection:
        _run(connection)
