"""Webhooks of domains, and what is still to be sent to them."""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, LargeBinary, String, Table, Text

from studio.store.tables.base import metadata

webhooks = Table(
    "webhooks",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("domain", ForeignKey("domains.name", ondelete="CASCADE"), nullable=False),
    Column("name", String(63), nullable=False),
    Column("url", String(2000), nullable=False),
    Column("events", Text, nullable=False),  # "registered_model.created model_version.created"
    Column("description", Text),
    Column("status", String(16), nullable=False),  # ACTIVE | DISABLED
    Column("secret", LargeBinary),  # sealed with the installation's master key
    Column("created_ms", BigInteger, nullable=False),
    Column("updated_ms", BigInteger, nullable=False),
    Index("ix_webhooks_domain", "domain", "created_ms", "id"),
)

# Written with the change they tell of, in the same transaction; taken out once they are delivered or given up.
webhook_deliveries = Table(
    "webhook_deliveries",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("webhook", ForeignKey("webhooks.id", ondelete="CASCADE"), nullable=False),
    Column("delivery", String(36), nullable=False),  # the same at every try, so that a receiver knows it again
    Column("event", String(64), nullable=False),
    Column("body", Text, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("due_ms", BigInteger, nullable=False),
    Index("ix_webhook_deliveries_due", "due_ms", "id"),
    Index("ix_webhook_deliveries_webhook", "webhook", "id"),
)
