"""The metadata and the column kinds that slices share."""

from sqlalchemy import BigInteger, Column, MetaData, String

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_label)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def name_column(name: str = "name", **options: object) -> Column[str]:
    """A checked name or an id."""
    return Column(name, String(80), nullable=False, **options)  # type: ignore[arg-type]


def time_column(name: str) -> Column[int]:
    """Milliseconds since 1970; null = not yet."""
    return Column(name, BigInteger)
