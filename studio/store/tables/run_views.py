"""Saved views of the table of runs: what a person has arranged, under a name that the domain shares."""

from sqlalchemy import Boolean, Column, ForeignKey, PrimaryKeyConstraint, String, Table, Text

from studio.store.tables.base import metadata, time_column

run_views = Table(
    "run_views",
    metadata,
    Column("domain", ForeignKey("domains.name", ondelete="CASCADE"), nullable=False),
    Column("name", String(100), nullable=False),
    Column("owner", String(80), nullable=False),  # who saved it last
    Column("state", Text, nullable=False),  # JSON, in the form that the wire checks
    Column("is_default", Boolean, nullable=False),  # at most one a domain
    time_column("updated_ms"),
    PrimaryKeyConstraint("domain", "name"),
)
