"""Domains, sandboxes wanted, instance types."""

from sqlalchemy import BigInteger, Boolean, Column, Float, ForeignKey, Index, Integer, String, Table, false

from studio.store.tables.base import metadata, name_column, time_column

domains = Table(
    "domains",
    metadata,
    name_column(primary_key=True),
    Column("title", String(200), nullable=False),
    Column("network_mode", String(16), nullable=False),
    Column("port", Integer),  # of its lab, where <domain>.localhost does not resolve; null = by name
    # What each of its sandboxes may use: null = what fits this host, 0 = no limit.
    Column("memory_mb", Integer),
    Column("cpu", Float),
    Column("processes", Integer),
    # The weakest isolation below which nothing of it runs: `runtime.isolation_report.LEVELS`.
    Column("required_isolation", String(16), nullable=False, server_default="none"),
    # A sandbox in which nothing happened for so long ends; 0 = never.
    Column("idle_minutes", Integer, nullable=False, server_default="480"),
    # Since when it is being removed; its name is taken until then.
    Column("removing_ms", BigInteger),
    time_column("created_ms"),
)

instance_types = Table(
    "instance_types",
    metadata,
    name_column(primary_key=True),
    Column("cpu", Float, nullable=False),
    Column("memory_mb", Integer, nullable=False),
    Column("gpu", Integer, nullable=False, default=0),
    Column("price_per_hour", Float, nullable=False),
)

# What is wanted of the sandbox of (domain, owner): desired state, which the sandbox loop makes so.
sandboxes = Table(
    "sandboxes",
    metadata,
    name_column("id", primary_key=True),
    Column("domain", ForeignKey("domains.name", ondelete="CASCADE"), nullable=False),
    Column("owner", String(80), nullable=False),
    Column("wanted", Boolean, nullable=False),
    Column("lab_wanted", Boolean, nullable=False, default=False),
    # Its token and its lab's secret are derived from this and the master key, so that none lies in the database.
    Column("nonce", String(64), nullable=False),
    # With what it was last started; another role now means it has to be started anew.
    Column("applied_role", String(16), nullable=False, default=""),
    Column("applied_network", String(16), nullable=False, server_default=""),
    # It shall end and start anew, with the settings that its domain has by then.
    Column("restart", Boolean, nullable=False, server_default=false()),
    Column("reason", String(1000), nullable=False, default=""),  # why it does not run, for people
    Column("wanted_ms", BigInteger),
    Index("ix_sandboxes_domain", "domain"),
)

fork_servers = Table(
    "fork_servers",
    metadata,
    Column("sandbox", ForeignKey("sandboxes.id", ondelete="CASCADE"), primary_key=True),
    Column("environment", String(80), primary_key=True),
    time_column("wanted_ms"),
)
