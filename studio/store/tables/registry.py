"""Registered models, their versions, aliases and tags."""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, String, Table, Text, UniqueConstraint

from studio.store.tables.base import metadata

registered_models = Table(
    "registered_models",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("domain", ForeignKey("domains.name", ondelete="CASCADE"), nullable=False),
    Column("name", String(256), nullable=False),
    Column("description", Text),
    Column("owner", String(80), nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("updated_ms", BigInteger, nullable=False),
    # Counted here, so that the number of a deleted version is never given again.
    Column("last_version", Integer, nullable=False),
    UniqueConstraint("domain", "name"),
)


def _model() -> Column[int]:
    return Column("model", ForeignKey("registered_models.id", ondelete="CASCADE"), primary_key=True)


registered_model_tags = Table(
    "registered_model_tags",
    metadata,
    _model(),
    Column("key", String(250), primary_key=True),
    Column("value", Text, nullable=False),
)

model_versions = Table(
    "model_versions",
    metadata,
    _model(),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("description", Text),
    Column("owner", String(80), nullable=False),
    Column("stage", String(20), nullable=False),
    Column("source", String(2400), nullable=False),  # as the client gave it
    Column("location", String(2400), nullable=False),  # mlflow-artifacts:/… where it lies
    Column("run_id", String(32)),
    Column("run_link", String(500)),
    Column("model_id", String(64)),
    Column("status", String(20), nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("updated_ms", BigInteger, nullable=False),
    Index("ix_model_versions_run", "run_id"),
)

model_version_tags = Table(
    "model_version_tags",
    metadata,
    _model(),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("key", String(250), primary_key=True),
    Column("value", Text, nullable=False),
)

aliases = Table(
    "registered_model_aliases",
    metadata,
    _model(),
    Column("alias", String(255), primary_key=True),
    Column("version", Integer, nullable=False),
)

# What people decided about versions, newest last; nothing is ever changed or taken out while the version is there.
version_approvals = Table(
    "model_version_approvals",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("model", ForeignKey("registered_models.id", ondelete="CASCADE"), nullable=False),
    Column("version", Integer, nullable=False),
    Column("state", String(16), nullable=False),  # Pending | Approved | Rejected
    Column("by", String(80), nullable=False),
    Column("reason", String(2000), nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Index("ix_model_version_approvals_version", "model", "version", "id"),
)
