"""Saved views of the table of runs. A view is a domain's, whoever saved it; one of them may be what is shown first."""

from typing import Any

from msgspec import Struct
from sqlalchemy import Connection, Row, delete, func, insert, select, update

from studio.clock import now_ms
from studio.errors import Invalid, NotFound
from studio.store import signal
from studio.store.tables.run_views import run_views as t
from studio.store.tenancy import scope_query

MOST = 500  # in a domain
MOST_CHARACTERS = 60_000


class View(Struct, frozen=True):
    """`state` is JSON: what is shown, as the panel wrote it."""

    name: str
    owner: str
    state: str
    is_default: bool
    updated_ms: int


def all_of(db: Connection, domain: str) -> list[View]:
    """The views of `domain` by name."""
    return [_view(row) for row in db.execute(scope_query(select(t).order_by(t.c.name), t, domain))]


def put(db: Connection, domain: str, name: str, owner: str, state: str, is_default: bool) -> View:
    """Saves a view under a name, over what was there; as the default it takes the place of another."""
    name = name.strip()
    if not name or len(name) > 100:
        raise Invalid("A view needs a name of 1 to 100 characters.", "Give it another name.")
    if len(state) > MOST_CHARACTERS:
        raise Invalid(f"The view takes {len(state)} characters; {MOST_CHARACTERS} are the most.", "Show fewer columns.")
    values = {"owner": owner, "state": state, "is_default": is_default, "updated_ms": now_ms()}
    if is_default:
        db.execute(scope_query(update(t).values(is_default=False), t, domain))
    keep = t.c.name == name
    if db.execute(scope_query(update(t).where(keep).values(**values), t, domain)).rowcount == 0:
        if db.execute(scope_query(select(func.count()).select_from(t), t, domain)).scalar_one() >= MOST:
            raise Invalid(f"The domain has {MOST} views already.", "Delete some first.")
        db.execute(insert(t).values(domain=domain, name=name, **values))
    signal(db, "experiments", domain)
    return _view(db.execute(scope_query(select(t).where(keep), t, domain)).one())


def remove(db: Connection, domain: str, name: str) -> View:
    """Deletes a view and returns it, so that it can be saved again; `NotFound` if there is none."""
    keep = t.c.name == name
    row = db.execute(scope_query(select(t).where(keep), t, domain)).first()
    if row is None:
        raise NotFound(f"There is no view {name!r}.", "Somebody may have deleted it: look at the list again.")
    db.execute(scope_query(delete(t).where(keep), t, domain))
    signal(db, "experiments", domain)
    return _view(row)


def _view(row: Row[Any]) -> View:
    return View(row.name, row.owner, row.state, row.is_default, row.updated_ms)
