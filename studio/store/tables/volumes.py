"""What a domain stores: its quota and use, snapshots, restores of them, spaces."""

from sqlalchemy import JSON, BigInteger, Column, ForeignKey, Index, Integer, String, Table

from studio.store.tables.base import metadata, name_column, time_column

# One row a domain that was ever measured or given a quota. Bytes as they lie on the disk.
volumes = Table(
    "volumes",
    metadata,
    Column("domain", ForeignKey("domains.name", ondelete="CASCADE"), primary_key=True),
    Column("quota_mb", Integer, nullable=False, default=0),  # 0 = none
    Column("shared_bytes", BigInteger, nullable=False, default=0),
    Column("homes", JSON, nullable=False, default=dict),  # user → bytes
    Column("snapshots_bytes", BigInteger, nullable=False, default=0),
    Column("artifacts_bytes", BigInteger, nullable=False, default=0),
    Column("files", BigInteger, nullable=False, default=0),
    Column("took_ms", BigInteger, nullable=False, default=0),
    time_column("measured_ms"),
)

snapshots = Table(
    "snapshots",
    metadata,
    name_column("id", primary_key=True),
    Column("domain", ForeignKey("domains.name", ondelete="CASCADE"), nullable=False),
    Column("user", String(80), nullable=False),  # whose home; "" = the shared folder
    Column("title", String(200), nullable=False),
    Column("state", String(16), nullable=False),
    Column("made_by", String(80), nullable=False),
    time_column("created_ms"),
    time_column("finished_ms"),
    Column("bytes", BigInteger, nullable=False, default=0),  # of its files together
    Column("files", Integer, nullable=False, default=0),
    Column("is_cheap", Integer, nullable=False, default=0),  # files that share their blocks with the original
    Column("skipped", Integer, nullable=False, default=0),  # sockets, FIFOs, devices
    Column("changed", Integer, nullable=False, default=0),  # files that never stood still while they were copied
    Column("done", BigInteger, nullable=False, default=0),
    Column("total", BigInteger, nullable=False, default=0),
    Column("error", String(1000), nullable=False, default=""),
    Column("attempts", Integer, nullable=False, default=0),
    Index("ix_snapshots_domain", "domain"),
)

restores = Table(
    "restores",
    metadata,
    name_column("id", primary_key=True),
    Column("domain", ForeignKey("domains.name", ondelete="CASCADE"), nullable=False),
    Column("snapshot", String(80), nullable=False),  # its id; it cannot be deleted while this runs
    Column("user", String(80), nullable=False),
    Column("folder", String(200), nullable=False),  # the new folder; "" = in place
    Column("kept", String(80), nullable=False),  # the snapshot of what was there before; "" = none is needed
    Column("state", String(16), nullable=False),
    Column("made_by", String(80), nullable=False),
    time_column("created_ms"),
    time_column("finished_ms"),
    Column("done", BigInteger, nullable=False, default=0),
    Column("total", BigInteger, nullable=False, default=0),
    Column("error", String(1000), nullable=False, default=""),
    Column("attempts", Integer, nullable=False, default=0),
    Index("ix_restores_domain", "domain"),
)

spaces = Table(
    "spaces",
    metadata,
    name_column("id", primary_key=True),
    Column("domain", ForeignKey("domains.name", ondelete="CASCADE"), nullable=False),
    Column("owner", String(80), nullable=False),  # of a private one; "" = shared
    name_column(),
    Column("title", String(200), nullable=False),
    Column("made_by", String(80), nullable=False),
    time_column("created_ms"),
    time_column("trashed_ms"),
    Index("ix_spaces_domain", "domain", "owner", "name"),
)
