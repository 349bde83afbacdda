"""What people asked to be stopped."""

from sqlalchemy import Column, ForeignKey, String, Table

from studio.store.tables.base import metadata, time_column

# Desired state of something that has no row of its own (a kernel, the dashboards): the cost loop ends it.
stop_requests = Table(
    "stop_requests",
    metadata,
    Column("resource", String(300), primary_key=True),
    Column("domain", ForeignKey("domains.name", ondelete="CASCADE"), nullable=False),
    Column("user", String(80), nullable=False),
    time_column("requested_ms"),
)
