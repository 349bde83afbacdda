"""Who did what, and what was refused."""

from sqlalchemy import BigInteger, Column, Index, Integer, String, Table

from studio.store.tables.base import metadata

# No foreign keys: what was done stays on record when the person or the domain is gone. Rows are only ever added, and
# taken out from the oldest on when they are older than is kept.
audit = Table(
    "audit",
    metadata,
    Column("seq", Integer, primary_key=True),
    Column("at_ms", BigInteger, nullable=False),
    Column("user", String(80), nullable=False),
    Column("kind", String(16), nullable=False),  # operator, person, key, sandbox, anonymous; studio: itself
    Column("credential", String(160), nullable=False),  # id of the session, key or sandbox
    Column("domain", String(80), nullable=False),  # "": of none
    Column("action", String(80), nullable=False),
    Column("resource", String(400), nullable=False),
    Column("outcome", String(16), nullable=False),  # done | denied | dropped | removed
    Column("detail", String(500), nullable=False),
    Column("request", String(40), nullable=False),
    Column("address", String(64), nullable=False),  # coarse
    Column("hash", String(64), nullable=False),  # of this row and the hash before it, keyed
    Index("ix_audit_domain", "domain", "seq"),
    Index("ix_audit_user", "user", "seq"),
    Index("ix_audit_at", "at_ms"),
    sqlite_autoincrement=True,
)
