"""Rules of domains' policies."""

from sqlalchemy import JSON, Column, ForeignKey, Index, String, Table

from studio.store.tables.base import metadata, name_column, time_column

policy_rules = Table(
    "policy_rules",
    metadata,
    name_column("id", primary_key=True),
    Column("domain", ForeignKey("domains.name", ondelete="CASCADE"), nullable=False),
    Column("effect", String(8), nullable=False),  # allow | deny
    Column("who", JSON, nullable=False),  # ["role:editor", "user:b*"]
    Column("action", String(80), nullable=False),
    Column("resource", String(300), nullable=False),
    Column("condition", JSON, nullable=False),  # name of a condition → its parameters
    Column("why", String(300), nullable=False, default=""),
    Column("created_by", String(80), nullable=False),
    time_column("created_ms"),
    Index("ix_policy_rules_domain", "domain"),
)
