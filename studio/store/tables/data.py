"""Data sets and their versions."""

from sqlalchemy import BigInteger, Column, ForeignKey, Integer, PrimaryKeyConstraint, String, Table, Text

from studio.store.tables.base import metadata, name_column, time_column

# One row a name: the newest wish to look at a file, and how far that has come.
datasets = Table(
    "datasets",
    metadata,
    Column("domain", ForeignKey("domains.name", ondelete="CASCADE"), nullable=False),
    name_column(),
    Column("path", String(1024), nullable=False),  # relative to the volume as the owner's sandbox sees it
    Column("owner", String(80), nullable=False),
    Column("state", String(16), nullable=False),
    Column("error", String(2000), nullable=False, default=""),
    name_column("attempt"),  # names the process that profiles and the file it writes
    Column("attempts", Integer, nullable=False, default=0),
    Column("version", Integer),  # the newest version; null until one was profiled
    time_column("created_ms"),
    time_column("requested_ms"),
    PrimaryKeyConstraint("domain", "name"),
)

dataset_versions = Table(
    "dataset_versions",
    metadata,
    Column("domain", ForeignKey("domains.name", ondelete="CASCADE"), nullable=False),
    name_column("dataset"),
    Column("version", Integer, nullable=False),
    Column("hash", String(64), nullable=False),
    Column("path", String(1024), nullable=False),
    Column("owner", String(80), nullable=False),
    Column("rows", BigInteger, nullable=False),
    Column("columns", Integer, nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("profile", Text, nullable=False),  # JSON as studio.data.reports encodes it
    time_column("created_ms"),
    PrimaryKeyConstraint("domain", "dataset", "version"),
)
