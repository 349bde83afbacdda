"""How long callers waited for endpoints that they woke."""

from sqlalchemy import BigInteger, Boolean, Column, Float, ForeignKey, Index, Integer, String, Table

from studio.store.tables.base import metadata, name_column

wakes = Table(
    "wakes",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=True),
    Column("domain", ForeignKey("domains.name", ondelete="CASCADE"), nullable=False),
    name_column("endpoint"),  # its name: what was measured outlives it
    Column("environment", String(80), nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("ms", Float, nullable=False),
    Column("cold", Boolean, nullable=False),  # the environment's fork server had to be started first
    Index("ix_wakes_environment", "domain", "environment", "cold"),
)
