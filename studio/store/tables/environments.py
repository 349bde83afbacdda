"""Environments: what was asked to be built and what became of it."""

from sqlalchemy import JSON, BigInteger, Column, Integer, String, Table, Text

from studio.store.tables.base import metadata, name_column

environments = Table(
    "environments",
    metadata,
    name_column(primary_key=True),
    Column("title", String(200), nullable=False, default=""),
    Column("python", String(20), nullable=False, default=""),
    Column("packages", JSON, nullable=False),
    Column("preload", JSON, nullable=False),
    Column("state", String(16), nullable=False),
    Column("hash", String(64), nullable=False, default=""),
    # Of what the current state was made: another definition now means it is not built yet.
    Column("built_from", String(64), nullable=False, default=""),
    Column("progress_done", Integer, nullable=False, default=0),
    Column("progress_total", Integer, nullable=False, default=0),
    Column("progress_text", String(300), nullable=False, default=""),
    Column("error", Text, nullable=False, default=""),
    Column("attempt", Integer, nullable=False, default=0),
    Column("updated_ms", BigInteger),
)
