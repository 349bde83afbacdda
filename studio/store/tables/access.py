"""People, passwords, memberships, keys, sessions, one-time links."""

from sqlalchemy import JSON, BigInteger, Column, ForeignKey, Index, LargeBinary, String, Table

from studio.store.tables.base import metadata, name_column, time_column

users = Table("users", metadata, name_column(primary_key=True), time_column("created_ms"))

# Apart from the people, so that no list of them can show one.
passwords = Table(
    "passwords",
    metadata,
    Column("user", ForeignKey("users.name", ondelete="CASCADE"), primary_key=True),
    Column("hashed", String(300), nullable=False),  # with its salt and what it was made with: access/hashing.py
    Column("changed_ms", BigInteger, nullable=False),
)

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
    # The secret, for checking signed requests; null for keys that were made before it was kept.
    Column("sealed", LargeBinary),
    # What the key is narrowed to; empty = all that its user may.
    Column("actions", JSON, nullable=False, server_default="[]"),
    Column("resources", JSON, nullable=False, server_default="[]"),
    time_column("created_ms"),
    time_column("expires_ms"),
    time_column("used_ms"),  # to the minute
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
    Column("via", String(16), nullable=False, server_default="link"),  # link or password
    # Where it was opened, coarse: "Firefox on Linux", "192.0.2.x".
    Column("agent", String(100), nullable=False, server_default=""),
    Column("address", String(64), nullable=False, server_default=""),
    time_column("created_ms"),
    time_column("seen_ms"),  # to the minute
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
