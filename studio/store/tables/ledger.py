"""What ran, from when to when, at which price."""

from sqlalchemy import BigInteger, Column, Float, Index, String, Table

from studio.store.tables.base import metadata, name_column, time_column

# No foreign keys: what something cost stays on record when the thing, its owner or its domain is gone.
ledger = Table(
    "ledger",
    metadata,
    Column(
        "resource", String(300), primary_key=True
    ),  # names one run of one thing; starting it twice is starting it once
    name_column("domain"),
    name_column("user"),
    Column("kind", String(16), nullable=False),
    Column("name", String(200), nullable=False),
    Column("instance_type", String(80), nullable=False),
    Column("price_per_hour", Float, nullable=False),  # as it was at the start
    Column("started_ms", BigInteger, nullable=False),
    Column("ticked_ms", BigInteger, nullable=False),  # seen alive last
    time_column("ended_ms"),
    # What it used when it was seen last, for the list of what runs.
    Column("memory_bytes", BigInteger, nullable=False, default=0),
    Column("cpu_ms", BigInteger, nullable=False, default=0),
    Column("cpu_percent", Float, nullable=False, default=0.0),
    Index("ix_ledger_domain_started", "domain", "started_ms"),
    Index("ix_ledger_ended", "ended_ms"),
)
