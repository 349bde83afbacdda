"""Environments as rows: the catalogue's, which everybody has, and each domain's own."""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, or_, select, update

from studio.clock import now_ms
from studio.environments.definitions import Definition
from studio.environments.states import State
from studio.errors import AlreadyExists, Conflict, Denied, NotFound
from studio.ids import check_name, new_id
from studio.store import signal
from studio.store.tables.environments import environment_versions as versions
from studio.store.tables.environments import environments
from studio.store.tenancy import FOUND, SHARED, scope_query

DEFAULT = "sklearn"
CATALOGUE = ""  # in place of a domain
MOST = 50


@dataclass(frozen=True, slots=True)
class Progress:
    """`done` of `total` steps; `text` says what is being done."""

    done: int
    total: int
    text: str


@dataclass(frozen=True, slots=True)
class Version:
    """One definition of an environment and what became of it. `hash` names its folder in the store once it was built;
    `note` says what changed."""

    environment: str
    number: int
    python: str
    packages: tuple[str, ...]
    preload: tuple[str, ...]
    fingerprint: str
    state: State
    hash: str
    size_bytes: int
    progress: Progress
    error: str
    attempt: int
    note: str
    created_by: str
    created_ms: int
    built_ms: int | None

    @property
    def tool(self) -> str:
        """The name of its build under the supervisor; one per attempt."""
        return f"{self.environment}-{self.number}-{self.attempt}"

    def definition(self, name: str) -> Definition:
        """What is built, as a definition of that name."""
        return Definition(name, "", self.python, self.packages, self.preload)


@dataclass(frozen=True, slots=True)
class Environment:
    """`domain` "" is the catalogue; `current`: the version that new processes start from; `newest`: the one that was
    defined last, which becomes the current one when it is ready."""

    id: str
    domain: str
    name: str
    title: str
    about: str
    current: Version | None
    newest: Version
    created_by: str
    created_ms: int

    @property
    def is_ready(self) -> bool:
        """Whether kernels, jobs and replicas can be made of it."""
        return self.current is not None and self.current.state is State.ready

    @property
    def used(self) -> Version:
        """The version that describes it: the one in use, else the newest."""
        return self.current or self.newest

    @property
    def hash(self) -> str:
        """Names what new processes start from; "" if there is nothing yet."""
        return self.used.hash if self.is_ready else ""

    def folder(self, store: Path) -> Path:
        """The virtual environment. `store`: `settings.paths.environments`."""
        return store / "store" / self.used.hash

    def python_path(self, store: Path) -> Path:
        """Its interpreter; the same path on the host and in sandboxes."""
        return self.folder(store) / "bin" / "python"


def get(db: Connection, domain: str, name: str) -> Environment:
    """The environment that `name` means in `domain` (`CATALOGUE`: there), or `NotFound` naming those it has."""
    found = {item.name: item for item in visible(db, domain)}
    if name not in found:
        known = ", ".join(found) or "none"
        raise NotFound(f"There is no environment {name!r}{f' in {domain}' if domain else ''}.", f"There are: {known}.")
    return found[name]


def visible(db: Connection, domain: str) -> list[Environment]:
    """What a domain may use, by name: its own, and the catalogue's. One of its own is meant before one of the
    catalogue that came later under the same name."""
    mine = environments.c.domain.is_(None)
    found = {item.name: item for item in _select(db, mine)}
    if domain != CATALOGUE:
        found |= {item.name: item for item in _select(db, environments.c.domain == domain)}
    return sorted(found.values(), key=lambda item: item.name)


def list_all(db: Connection) -> list[Environment]:
    """Those of the catalogue and of all domains."""
    return _select(db)


def usable(found: Collection[Environment], domain: str) -> dict[str, Environment]:
    """Of `list_all`: name → environment of those that `domain` may use and that are ready."""
    mine = [item for item in found if item.domain in (CATALOGUE, domain)]
    # Sorted so that the domain's own replaces the catalogue's.
    named = {item.name: item for item in sorted(mine, key=lambda item: item.domain)}
    return {name: item for name, item in named.items() if item.is_ready}


def require_ready(db: Connection, domain: str, name: str) -> Environment:
    """The environment if it is ready; else `Conflict` that says what to do."""
    found = get(db, domain, name)
    if not found.is_ready:
        raise Conflict(
            f"The environment {name} is not ready ({found.used.state}).",
            "Wait for its build." if found.newest.state.is_on_its_way else f"Build it: `studio env build {name}`.",
        )
    return found


def require_own(db: Connection, domain: str, name: str) -> Environment:
    """The domain's own environment; `Denied` with a way out for one of the catalogue."""
    found = get(db, domain, name)
    if found.domain != domain:
        raise Denied(
            f"{name} is an environment of the catalogue, which whoever runs this installation defines.",
            "Clone it into the domain, and change the clone.",
        )
    return found


def add(db: Connection, domain: str, definition: Definition, user: str) -> str:
    """The id of a new environment that has no version yet. `AlreadyExists` if the name means one here."""
    check_name(definition.name, "environment")
    known = {item.name: item for item in visible(db, domain)}
    if definition.name in known:
        where = domain if known[definition.name].domain else "the catalogue"
        raise AlreadyExists(f"There is an environment {definition.name} in {where}.", "Choose another name.")
    if domain != CATALOGUE and sum(item.domain == domain for item in known.values()) >= MOST:
        raise Conflict(f"{domain} has {MOST} environments already.", "Delete one that nobody uses.")
    # One of the catalogue keeps its id through all installations, so that its builds' names say what they are.
    made = {"id": new_id("env") if domain else f"env-{definition.name}", "domain": domain or None}
    text = {"name": definition.name, "title": definition.title[:200], "about": definition.about[:1000]}
    db.execute(insert(environments).values(**made, **text, created_by=user, created_ms=now_ms()))
    return str(made["id"])


def describe(db: Connection, found: Environment, title: str, about: str) -> None:
    """Other words for people; no new version."""
    values = {"title": title[:200], "about": about[:1000]}
    db.execute(
        scope_query(update(environments), environments, FOUND).where(environments.c.id == found.id).values(values)
    )
    signal(db, "environments", found.domain, found.name)


def remove(db: Connection, found: Environment) -> None:
    """Forgets it with its versions. What runs from it goes on; its folders go when nothing needs them."""
    db.execute(scope_query(delete(environments), environments, FOUND).where(environments.c.id == found.id))
    signal(db, "environments", found.domain, found.name)


def _select(db: Connection, *where: Any) -> list[Environment]:
    rows = db.execute(
        scope_query(select(environments), environments, SHARED).where(*where).order_by(environments.c.name)
    ).all()
    which = or_(versions.c.number == environments.c.current, versions.c.number == environments.c.newest)
    joined = scope_query(select(versions), environments, SHARED).join_from(versions, environments).where(which, *where)
    known = {(row.environment, row.number): version_of(row) for row in db.execute(joined)}
    return [
        Environment(
            *(row.id, row.domain or CATALOGUE, row.name, row.title, row.about),
            *(known.get((row.id, row.current)), known[row.id, row.newest], row.created_by, row.created_ms),
        )
        for row in rows
    ]


def version_of(row: Row[Any]) -> Version:
    """The version in a row of `environment_versions`."""
    values = dict(row._mapping)
    done, total, text = (values.pop(f"progress_{name}") for name in ("done", "total", "text"))
    values |= {"packages": tuple(values["packages"]), "preload": tuple(values["preload"])}
    return Version(**values | {"state": State(values["state"]), "progress": Progress(done, total, text)})
