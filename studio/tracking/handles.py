"""Which run a write goes to; the writer remembers the last ones, so that logging asks the database nothing."""

from msgspec import Struct
from sqlalchemy import Connection, bindparam, select

from studio.errors import Invalid, NotFound
from studio.store.cache import cache
from studio.store.prepared import Prepared
from studio.store.tables import tracking as t
from studio.store.tenancy import scope_query

KNOWN = 4096  # runs that the writer remembers
ACTIVE = "active"
_FIND = Prepared(
    lambda _: scope_query(
        select(t.runs.c.id, t.runs.c.experiment, t.runs.c.stage).where(t.runs.c.run_id == bindparam("run_id")),
        t.runs,
        bindparam("domain"),
    ),
    ("run_id", "domain"),
)


class Handle(Struct, frozen=True):
    """What writing to a run needs of it."""

    id: int
    experiment: int


class Found(Struct, frozen=True):
    """A run of either stage."""

    id: int
    experiment: int
    stage: str


def find(db: Connection, domain: str, run_id: str) -> Found:
    """A run of this domain, deleted or not."""
    row = _FIND.first(db, (run_id, domain))
    if row is None:
        raise missing(run_id)
    return Found(*row)


def active(db: Connection, domain: str, run_id: str) -> Handle:
    """The handle of a run that may be written to; for use inside writes only, as the writer remembers it."""
    known: dict[tuple[str, str], Handle] = cache(db).setdefault("tracking.runs", {})
    handle = known.get((domain, run_id))
    if handle is not None:
        return handle
    row = find(db, domain, run_id)
    if row.stage != ACTIVE:
        raise Invalid(f"The run {run_id} must be in the 'active' state. Current state is {row.stage}.")
    handle = Handle(row.id, row.experiment)
    remember(db, domain, run_id, handle)
    return handle


def remember(db: Connection, domain: str, run_id: str, handle: Handle) -> None:
    """Keeps a handle of an active run."""
    known: dict[tuple[str, str], Handle] = cache(db).setdefault("tracking.runs", {})
    if len(known) >= KNOWN:
        known.clear()
    known[domain, run_id] = handle


def forget(db: Connection, domain: str, run_id: str) -> None:
    """To be called when a run is no longer active."""
    cache(db).get("tracking.runs", {}).pop((domain, run_id), None)


def missing(run_id: str) -> NotFound:
    """The error for a run that is not there, or not this domain's."""
    return NotFound(f"Run with id={run_id} not found")
