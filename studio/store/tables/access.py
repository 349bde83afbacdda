"""People, memberships, keys, sessions, one-time links."""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, String, Table

from studio.store.tables.base import metadata, name_column, time_column

users = Table("users", metadata, name_column(primary_key=True), time_column("created_ms"))

memberships = Table(
    "memberships",
    metadata,
    Column("domain", ForeignKey("domains.name", ondelete="CASCADE"), primary_key=True),
    Column("user", ForeignKey("users.name", ondelete="CASCADE"), primary_key=True),
    Column("role", String(16), nullable=False),
)

access_keys = Table(
    "access_keys",
    metadata,
    name_column("id", primary_key=True),
    Column("domain", ForeignKey("domains.name", ondelete="CASCADE"), nullable=False),
    Column("user", ForeignKey("users.name", ondelete="CASCADE"), nullable=False),
    Column("title", String(200), nullable=False, default=""),
    Column("digest", String(64), nullable=False),
    time_column("created_ms"),
    time_column("expires_ms"),
    Index("ix_access_keys_domain", "domain"),
)

sessions = Table(
    "sessions",
    metadata,
    name_column("id", primary_key=True),
    Column("digest", String(64), nullable=False, unique=True),
    Column("user", ForeignKey("users.name", ondelete="CASCADE"), nullable=False),
    # Null = the apex's session; a lab's origin has one of its own, made from it.
    Column("domain", ForeignKey("domains.name", ondelete="CASCADE")),
    Column("parent", ForeignKey("sessions.id", ondelete="CASCADE")),
    Column("csrf", String(64), nullable=False),
    time_column("created_ms"),
    Column("expires_ms", BigInteger, nullable=False),
    Index("ix_sessions_user", "user"),
    Index("ix_sessions_parent", "parent"),
)

codes = Table(
    "codes",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("kind", String(16), nullable=False),  # signin: a link, 10 minutes; enter: apex → lab origin, 30 seconds
    Column("user", ForeignKey("users.name", ondelete="CASCADE"), nullable=False),
    Column("domain", String(80)),
    Column("session", ForeignKey("sessions.id", ondelete="CASCADE")),
    Column("expires_ms", BigInteger, nullable=False),
)
