"""Environments, their versions, and which one a domain begins with."""

from sqlalchemy import JSON, BigInteger, Column, ForeignKey, Integer, String, Table, Text, UniqueConstraint

from studio.store.tables.base import metadata, name_column, time_column

environments = Table(
    "environments",
    metadata,
    name_column("id", primary_key=True),
    Column("domain", ForeignKey("domains.name", ondelete="CASCADE")),  # null: of the catalogue, seen by all
    name_column("name"),
    Column("title", String(200), nullable=False, default=""),
    Column("about", String(1000), nullable=False, default=""),
    Column("current", Integer, nullable=False, default=0),  # the version in use; 0: none was ready yet
    Column("newest", Integer, nullable=False, default=0),
    Column("created_by", String(80), nullable=False, default=""),
    time_column("created_ms"),
    UniqueConstraint("domain", "name"),
)

# Never changed but in what became of it: another definition is another version.
environment_versions = Table(
    "environment_versions",
    metadata,
    Column("environment", ForeignKey("environments.id", ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("python", String(20), nullable=False, default=""),
    Column("packages", JSON, nullable=False),
    Column("preload", JSON, nullable=False),
    Column("fingerprint", String(64), nullable=False),  # names its lock
    Column("state", String(16), nullable=False),
    Column("hash", String(64), nullable=False, default=""),  # names its folder in the store, once it was built
    Column("size_bytes", BigInteger, nullable=False, default=0),
    Column("progress_done", Integer, nullable=False, default=0),
    Column("progress_total", Integer, nullable=False, default=0),
    Column("progress_text", String(300), nullable=False, default=""),
    Column("error", Text, nullable=False, default=""),
    Column("attempt", Integer, nullable=False, default=0),
    Column("note", String(300), nullable=False, default=""),  # what changed, for people
    Column("created_by", String(80), nullable=False, default=""),
    time_column("created_ms"),
    time_column("built_ms"),
)

default_environments = Table(
    "default_environments",
    metadata,
    Column("domain", ForeignKey("domains.name", ondelete="CASCADE"), primary_key=True),
    Column("environment", String(80), nullable=False),
)
