"""Monitors of endpoints, the checks they made, the alerts that came of them."""

from sqlalchemy import BigInteger, Boolean, Column, Float, ForeignKey, Index, Integer, String, Table, Text

from studio.store.tables.base import metadata, name_column, time_column

monitors = Table(
    "monitors",
    metadata,
    Column("endpoint", ForeignKey("endpoints.id", ondelete="CASCADE"), primary_key=True),
    Column("threshold", Float, nullable=False),
    Column("cursor", BigInteger, nullable=False, default=0),  # sequence number of the last row that a window took
    Column("pending", Integer, nullable=False, default=0),  # rows after the cursor when last looked
    Column("captured", BigInteger, nullable=False, default=0),  # rows ever collected
    Column("baseline_rows", Integer, nullable=False, default=0),
    Column("run", String(80), nullable=False, default=""),  # the job that is out, by its name
    time_column("run_ms"),
    Column("wanted_ms", BigInteger, nullable=False, default=0),  # somebody asked for a check at
    Column("error", Text, nullable=False, default=""),
    time_column("looked_ms"),  # when the last job ended
    time_column("checked_ms"),  # when the last window was checked
)

checks = Table(
    "checks",
    metadata,
    name_column("id", primary_key=True),
    Column("endpoint", ForeignKey("endpoints.id", ondelete="CASCADE"), nullable=False),
    Column("version", Integer, nullable=False),
    time_column("at_ms"),
    time_column("from_ms"),
    time_column("to_ms"),
    Column("rows", Integer, nullable=False),
    Column("drifted", Boolean, nullable=False),
    Column("columns", Text, nullable=False),  # JSON list of studio.monitoring.results.ColumnResult
    Index("ix_checks_endpoint", "endpoint"),
)

alerts = Table(
    "alerts",
    metadata,
    name_column("id", primary_key=True),
    Column("endpoint", ForeignKey("endpoints.id", ondelete="CASCADE"), nullable=False),
    Column("domain", String(80), nullable=False),
    Column("state", String(16), nullable=False),
    Column("columns", Text, nullable=False),  # JSON list of names, worst first
    Column("message", Text, nullable=False),
    time_column("opened_ms"),
    time_column("updated_ms"),
    time_column("resolved_ms"),
    Column("check_id", ForeignKey("checks.id", ondelete="CASCADE"), nullable=False),
    Index("ix_alerts_domain", "domain"),
    Index("ix_alerts_endpoint", "endpoint"),
)
