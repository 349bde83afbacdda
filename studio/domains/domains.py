"""Domains: rows; their folders are in `volumes`."""

from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert, select, update

from studio.clock import now_ms
from studio.errors import AlreadyExists, Invalid, NotFound
from studio.ids import check_name
from studio.store import signal
from studio.store.tables.domains import domains, sandboxes
from studio.store.tenancy import scope_query

NETWORK_MODES = ("studio", "open", "none")
IDLE_MINUTES = 480  # a sandbox that nobody used for a working day is gone the next morning


@dataclass(frozen=True, slots=True)
class Domain:
    """`network_mode`: studio, open or none; `port`: of its lab where names don't resolve; `memory_mb`, `cpu`,
    `processes`: what each of its sandboxes may use (None = what fits this host, 0 = no limit); `removing_ms`: since
    when it is being removed."""

    name: str
    title: str
    network_mode: str
    port: int | None
    created_ms: int
    memory_mb: int | None = None
    cpu: float | None = None
    processes: int | None = None
    required_isolation: str = "none"
    idle_minutes: int = IDLE_MINUTES
    removing_ms: int | None = None


def create_domain(
    db: Connection, name: str, title: str = "", network_mode: str = "studio", required_isolation: str = "none"
) -> Domain:
    """The row of a new domain; `AlreadyExists`, or `Invalid` for an odd name."""
    check_name(name, "domain")
    if name == "localhost":
        raise Invalid("A domain cannot be called localhost.", "Its lab would take the sign-in page's address.")
    if network_mode not in NETWORK_MODES:
        raise Invalid(f"{network_mode!r} is no network mode.", f"Use one of {', '.join(NETWORK_MODES)}.")
    check_title(title or name)
    if db.execute(select(domains.c.name).where(domains.c.name == name)).one_or_none():
        raise AlreadyExists(f"There is already a domain {name!r}.", "Open it, or choose another name.")
    values = {"title": title or name, "network_mode": network_mode, "created_ms": now_ms()}
    db.execute(insert(domains).values(name=name, port=None, required_isolation=required_isolation, **values))
    signal(db, "domains", name, name)
    return get(db, name)


def check_title(title: str) -> None:
    """`Invalid` if it is none."""
    if not title.strip() or len(title) > 200:
        raise Invalid("A domain's title has 1 to 200 characters.", "Choose another title.")


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


def begin_removal(db: Connection, name: str) -> None:
    """Nothing starts in it any more, what runs ends, and then it is gone; again: nothing happens."""
    if get(db, name).removing_ms is None:
        db.execute(update(domains).where(domains.c.name == name).values(removing_ms=now_ms()))
        db.execute(scope_query(update(sandboxes), sandboxes, name).values(wanted=False, lab_wanted=False))
        signal(db, "domains", name, name)
        signal(db, "sandboxes", name)


def remove(db: Connection, name: str) -> None:
    """Takes its row away and with it all that refers to it: members, keys, sessions, experiments, models, jobs, rules.
    What it cost stays in the ledger."""
    db.execute(delete(domains).where(domains.c.name == name))
    signal(db, "domains", name, name)
