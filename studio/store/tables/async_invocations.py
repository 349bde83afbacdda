"""Predictions that are asked for now and made later: their bodies and answers are files, the rest stands here."""

from sqlalchemy import BigInteger, Column, Float, ForeignKey, Index, Integer, LargeBinary, String, Table, Text

from studio.store.tables.base import metadata, name_column, time_column

async_invocations = Table(
    "async_invocations",
    metadata,
    Column("number", Integer, primary_key=True),  # in the order in which they came
    name_column("id", unique=True),
    Column("domain", ForeignKey("domains.name", ondelete="CASCADE"), nullable=False),
    Column("endpoint", ForeignKey("endpoints.id", ondelete="CASCADE"), nullable=False),
    Column("owner", String(80), nullable=False),
    Column("inference_id", String(64), nullable=False),
    Column("content_type", String(200), nullable=False),
    Column("accept", String(200), nullable=False, default=""),
    Column("target", String(80), nullable=False, default=""),  # the variant that it is pinned to
    Column("size", BigInteger, nullable=False),  # bytes of the body
    Column("timeout_s", Float, nullable=False),
    Column("state", String(16), nullable=False),
    Column("reason", Text, nullable=False, default=""),
    Column("attempts", Integer, nullable=False, default=0),
    Column("due_ms", BigInteger, nullable=False),  # not asked before
    Column("expires_ms", BigInteger, nullable=False),  # not begun after
    Column("answer", Text, nullable=False, default=""),  # JSON: what the gateway said of the answer
    time_column("created_ms"),
    time_column("started_ms"),
    time_column("ended_ms"),
    Column("notify_url", String(2000), nullable=False, default=""),
    Column("notify_secret", LargeBinary),  # sealed with the installation's master key
    Column("notify_tries", Integer, nullable=False, default=0),
    time_column("notify_ms"),  # when its end is told next; null: nothing to tell
    Index("ix_async_invocations_endpoint", "endpoint", "state", "number"),
    Index("ix_async_invocations_state", "state", "ended_ms"),
    Index("ix_async_invocations_notify", "notify_ms"),
)
