"""Which endpoint a replica belongs to, for the ledger."""

from dataclasses import dataclass

from sqlalchemy import Connection, select

from studio.store.tables.serving import endpoints, replicas, variants
from studio.store.tenancy import EVERY, scope_query


@dataclass(frozen=True, slots=True)
class Served:
    """An endpoint as the ledger needs it."""

    name: str
    owner: str
    instance_type: str


def endpoints_of_replicas(db: Connection) -> dict[str, Served]:
    """Replica id → its endpoint, of all domains."""
    query = (
        scope_query(
            select(replicas.c.id, endpoints.c.name, endpoints.c.owner, variants.c.instance_type), endpoints, EVERY
        )
        .join(variants, variants.c.id == replicas.c.variant)
        .join(endpoints, endpoints.c.id == variants.c.endpoint)
    )
    return {row.id: Served(row.name, row.owner, row.instance_type) for row in db.execute(query)}
