"""Domains: rows; their folders are in `volumes`."""

from dataclasses import dataclass

from sqlalchemy import Connection, insert, select, update

from studio.clock import now_ms
from studio.errors import AlreadyExists, Invalid, NotFound
from studio.ids import check_name
from studio.store import signal
from studio.store.tables.domains import domains

NETWORK_MODES = ("studio", "open", "none")


@dataclass(frozen=True, slots=True)
class Domain:
    """`network_mode`: studio, open or none; `port`: of its lab where names don't resolve."""

    name: str
    title: str
    network_mode: str
    port: int | None
    created_ms: int


def create_domain(db: Connection, name: str, title: str = "", network_mode: str = "studio") -> Domain:
    """The row of a new domain; `AlreadyExists`, or `Invalid` for an odd name."""
    check_name(name, "domain")
    if name == "localhost":
        raise Invalid("A domain cannot be called localhost.", "Its lab would take the sign-in page's address.")
    if network_mode not in NETWORK_MODES:
        raise Invalid(f"{network_mode!r} is no network mode.", f"Use one of {', '.join(NETWORK_MODES)}.")
    if len(title) > 200:
        raise Invalid("A domain's title has at most 200 characters.", "Shorten it.")
    if db.execute(select(domains.c.name).where(domains.c.name == name)).one_or_none():
        raise AlreadyExists(f"There is already a domain {name!r}.", "Open it, or choose another name.")
    domain = Domain(name, title or name, network_mode, None, now_ms())
    values = {"title": domain.title, "network_mode": network_mode, "created_ms": domain.created_ms}
    db.execute(insert(domains).values(name=name, port=None, **values))
    signal(db, "domains", name, name)
    return domain


def get(db: Connection, name: str) -> Domain:
    """The domain `name`, or `NotFound`."""
    row = db.execute(select(domains).where(domains.c.name == name)).one_or_none()
    if row is None:
        raise NotFound(f"There is no domain {name!r}.", "See `studio domain list`.")
    return Domain(**row._mapping)


def list_all(db: Connection) -> list[Domain]:
    """All domains, oldest first."""
    rows = db.execute(select(domains).order_by(domains.c.created_ms, domains.c.name))
    return [Domain(**row._mapping) for row in rows]


def set_port(db: Connection, name: str, port: int | None) -> Domain:
    """Gives the domain's lab a port of its own (None: it is reached by name)."""
    get(db, name)
    db.execute(update(domains).where(domains.c.name == name).values(port=port))
    signal(db, "domains", name, name)
    return get(db, name)
