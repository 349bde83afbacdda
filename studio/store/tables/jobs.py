"""Jobs."""

from sqlalchemy import JSON, Boolean, Column, ForeignKey, Index, Integer, String, Table

from studio.store.tables.base import metadata, name_column, time_column

jobs = Table(
    "jobs",
    metadata,
    name_column("id", primary_key=True),
    Column("domain", ForeignKey("domains.name", ondelete="CASCADE"), nullable=False),
    Column("name", String(200), nullable=False),
    Column("owner", String(80), nullable=False),
    Column("environment", String(80), nullable=False),
    Column("instance_type", String(80), nullable=False),
    Column("experiment", String(500), nullable=False, default=""),
    Column("script", String(200), nullable=False),  # file name within the job's folder
    Column("params", JSON, nullable=False),  # name → text
    Column("sandbox", String(160), nullable=False, default=""),
    Column("state", String(16), nullable=False),
    Column("reason", String(2000), nullable=False, default=""),
    Column("is_stop_requested", Boolean, nullable=False, default=False),
    Column("exit_code", Integer),
    time_column("created_ms"),
    time_column("started_ms"),
    time_column("ended_ms"),
    Column("environment_hash", String(64), nullable=False, default="", server_default=""),
    Column("kind", String(16), nullable=False, default="script", server_default="script"),  # script | batch
    Index("ix_jobs_domain_created", "domain", "created_ms"),
    Index("ix_jobs_state", "state"),
)
