"""Endpoints, their variants and replicas (desired state and what was seen of it), and what happened to them."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
    true,
)

from studio.store.tables.base import metadata, name_column, time_column

endpoints = Table(
    "endpoints",
    metadata,
    name_column("id", primary_key=True),
    Column("domain", ForeignKey("domains.name", ondelete="CASCADE"), nullable=False),
    name_column("name"),
    Column("owner", String(80), nullable=False),
    Column("mode", String(16), nullable=False),  # always | serverless
    Column("instance_type", String(80), nullable=False),
    Column("capture", Boolean, nullable=False),
    Column("idle_s", Float, nullable=False),
    Column("timeout_s", Float, nullable=False),
    Column("model", String(256), nullable=False),
    Column("version", Integer, nullable=False),  # the version asked for last
    Column("previous_version", Integer),
    Column("state", String(16), nullable=False),
    Column("reason", Text, nullable=False, default=""),
    Column("notice", Text, nullable=False, default=""),  # why the last update did not take, while the old one serves
    Column("deleting", Boolean, nullable=False, default=False),
    Column("stopped", Boolean, nullable=False, default=False),  # shall be at zero until a request wakes it
    Column("capture_percent", Float, nullable=False, default=100.0, server_default="100"),
    Column("capture_days", Integer, nullable=False, default=30, server_default="30"),
    Column("redact", Text, nullable=False, default="[]", server_default="[]"),  # JSON: columns that are not kept
    Column("rate_limit", Float),  # requests per second; null: none
    Column("max_body", BigInteger, nullable=False, default=16 << 20, server_default=str(16 << 20)),
    Column("cors", Text, nullable=False, default="[]", server_default="[]"),  # JSON: origins whose pages may call it
    Column("fast_path", Boolean, nullable=False, default=True, server_default=true()),
    Column("target_load", Float, nullable=False, default=4.0, server_default="4"),  # in flight + queued, per replica
    Column("rollout", Text, nullable=False, default="", server_default=""),  # JSON: the shift under way; empty: none
    time_column("created_ms"),
    UniqueConstraint("domain", "name"),
)

variants = Table(
    "variants",
    metadata,
    name_column("id", primary_key=True),
    Column("endpoint", ForeignKey("endpoints.id", ondelete="CASCADE"), nullable=False),
    Column("version", Integer, nullable=False),
    Column("environment", String(80), nullable=False),
    Column("state", String(16), nullable=False),
    Column("digest", String(64), nullable=False, default=""),  # of the materialised version; empty: not yet
    Column("baseline", String(64), nullable=False, default=""),  # of the materialised baseline; empty: none
    Column("failures", Integer, nullable=False, default=0),
    Column("retry_ms", BigInteger, nullable=False, default=0),
    Column("reason", Text, nullable=False, default=""),
    Column("detail", Text, nullable=False, default=""),
    Column("signature", Text, nullable=False, default=""),  # JSON, as the replica reported it
    Column("example", Text, nullable=False, default=""),  # JSON body of the prediction that it has passed
    name_column("name", default="", server_default=""),  # what callers see and may ask for
    Column("weight", Float, nullable=False, default=0.0, server_default="0"),  # relative; of a shadow: per cent copied
    Column("instance_type", String(80), nullable=False, default="", server_default=""),
    Column("min_replicas", Integer, nullable=False, default=1, server_default="1"),
    Column("max_replicas", Integer, nullable=False, default=1, server_default="1"),
    Column("wanted", Integer, nullable=False, default=1, server_default="1"),  # replicas, between the two
    Column("calm_ms", BigInteger, nullable=False, default=0, server_default="0"),  # since when fewer would do
    Column("shadow", Boolean, nullable=False, default=False, server_default=false()),
    Column("joins", Boolean, nullable=False, default=False, server_default=false()),  # takes weight beside the others
    Column("loaded", Text, nullable=False, default="", server_default=""),  # JSON: how the replica loaded it
    time_column("created_ms"),
    Index("ix_variants_endpoint", "endpoint"),
)

replicas = Table(
    "replicas",
    metadata,
    name_column("id", primary_key=True),
    Column("variant", ForeignKey("variants.id", ondelete="CASCADE"), nullable=False),
    Column("state", String(16), nullable=False),
    Column("pid", Integer, nullable=False, default=0),
    Column("reason", Text, nullable=False, default=""),
    Column("detail", Text, nullable=False, default=""),
    time_column("created_ms"),
    time_column("ready_ms"),
    Index("ix_replicas_variant", "variant"),
)

endpoint_events = Table(
    "endpoint_events",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=True),
    Column("endpoint", ForeignKey("endpoints.id", ondelete="CASCADE"), nullable=False),
    time_column("at_ms"),
    Column("text", Text, nullable=False),
    Column("detail", Text, nullable=False, default=""),
    Index("ix_endpoint_events_endpoint", "endpoint"),
)
