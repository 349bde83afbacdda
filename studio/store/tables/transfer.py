"""What was brought here from elsewhere, so that bringing it again does nothing."""

from sqlalchemy import Column, ForeignKey, String, Table

from studio.store.tables.base import metadata

transfers = Table(
    "transfers",
    metadata,
    Column("domain", ForeignKey("domains.name", ondelete="CASCADE"), primary_key=True),
    Column("id", String(64), primary_key=True),  # of a run or a logged model, the same here and there
    Column("digest", String(64), nullable=False),  # of all that the other side had of it
    sqlite_with_rowid=False,
)
