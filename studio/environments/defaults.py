"""Which environment a domain begins with: new notebooks, jobs and endpoints that name none."""

from sqlalchemy import Connection, delete, insert, select

from studio.environments import environments
from studio.store import signal
from studio.store.tables.environments import default_environments as table
from studio.store.tenancy import EVERY, scope_query


def get_chosen(db: Connection, domain: str) -> str:
    """The name chosen for `domain`; "" if none was chosen."""
    return db.execute(scope_query(select(table.c.environment), table, domain)).scalar_one_or_none() or ""


def list_all(db: Connection) -> dict[str, str]:
    """Domain → name, of the domains that chose one."""
    return {row.domain: row.environment for row in db.execute(scope_query(select(table), table, EVERY))}


def get_default(db: Connection, domain: str, otherwise: str = environments.DEFAULT) -> str:
    """The name chosen for `domain`; `otherwise` if none was chosen."""
    return get_chosen(db, domain) or otherwise


def set_default(db: Connection, domain: str, name: str) -> None:
    """Chooses an environment that the domain has and that is ready."""
    environments.require_ready(db, domain, name)
    db.execute(scope_query(delete(table), table, domain))
    db.execute(insert(table).values(domain=domain, environment=name))
    signal(db, "environments", domain, name)


def clear_default(db: Connection, domain: str) -> None:
    """Back to what a domain begins with that chose nothing."""
    db.execute(scope_query(delete(table), table, domain))
    signal(db, "environments", domain)
