"""Environments as rows: what is defined, what is asked for, what became of it."""

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, delete, insert, select, update

from studio.clock import now_ms
from studio.environments.definitions import Definition
from studio.environments.states import State, may_follow
from studio.errors import Conflict, NotFound
from studio.store import signal
from studio.store.tables.environments import environments

DEFAULT = "sklearn"


@dataclass(frozen=True, slots=True)
class Progress:
    """`done` of `total` steps; `text` says what is being done."""

    done: int
    total: int
    text: str


@dataclass(frozen=True, slots=True)
class Environment:
    """`hash` names the folder in the store once it is known; `preload`: what its fork server imports."""

    name: str
    title: str
    python: str
    packages: tuple[str, ...]
    preload: tuple[str, ...]
    state: State
    hash: str
    built_from: str
    progress: Progress
    error: str
    attempt: int
    updated_ms: int

    @property
    def is_ready(self) -> bool:
        """Whether kernels, jobs and replicas can be made of it."""
        return self.state is State.ready

    @property
    def tool(self) -> str:
        """The name of its build under the supervisor; one per attempt."""
        return f"env-{self.name}-{self.attempt}"

    def folder(self, store: Path) -> Path:
        """The virtual environment. `store`: `settings.paths.environments`."""
        return store / "store" / self.hash

    def python_path(self, store: Path) -> Path:
        """Its interpreter; the same path on the host and in sandboxes."""
        return self.folder(store) / "bin" / "python"


def get(db: Connection, name: str = DEFAULT) -> Environment:
    """The environment `name`, or `NotFound` naming those that are defined."""
    row = db.execute(select(environments).where(environments.c.name == name)).one_or_none()
    if row is None:
        known = ", ".join(item.name for item in list_all(db)) or "none"
        raise NotFound(f"There is no environment {name!r}.", f"Defined are: {known}.")
    return _environment(dict(row._mapping))


def list_all(db: Connection) -> list[Environment]:
    """All that are defined, by name."""
    rows = db.execute(select(environments).order_by(environments.c.name))
    return [_environment(dict(row._mapping)) for row in rows]


def require_ready(db: Connection, name: str) -> Environment:
    """The environment if it is ready; else `Conflict` that says what to do."""
    found = get(db, name)
    if not found.is_ready:
        raise Conflict(
            f"The environment {name} is not ready ({found.state}).",
            f"Build it: `studio env build {name}`." if found.state is not State.building else "Wait for its build.",
        )
    return found


def define(db: Connection, definitions: list[Definition]) -> None:
    """Makes the rows those of `definitions`; one whose definition changed has to be built again."""
    known = {item.name: item for item in list_all(db)}
    for item in definitions:
        values = {"title": item.title, "python": item.python, "packages": list(item.packages)}
        values |= {"preload": list(item.preload)}
        if item.name not in known:
            empty = {"state": State.not_built, "hash": "", "built_from": "", "error": "", "attempt": 0}
            db.execute(insert(environments).values(name=item.name, updated_ms=now_ms(), **_steps(), **empty, **values))
        else:
            before = known[item.name]
            if before.state in (State.ready, State.failed) and before.built_from != item.fingerprint:
                values |= {"state": State.not_built, "hash": "", "error": ""}
            db.execute(update(environments).where(environments.c.name == item.name).values(values))
    gone = set(known) - {item.name for item in definitions}
    db.execute(delete(environments).where(environments.c.name.in_(gone)))
    signal(db, "environments")


def request_build(db: Connection, name: str) -> Environment:
    """Queues a build; does nothing if one is queued, running or done."""
    found = get(db, name)
    if found.state in (State.queued, State.building, State.ready):
        return found
    values = {"state": State.queued, "error": "", "attempt": found.attempt + 1, **_steps(text="Waiting")}
    return _change(db, name, values)


def start_building(db: Connection, name: str, fingerprint: str) -> Environment:
    """Its build was started from the definition with `fingerprint`."""
    return _change(db, name, {"state": State.building, "built_from": fingerprint, **_steps(text="Starting")})


def show_progress(db: Connection, name: str, progress: Progress) -> None:
    """What the build is at."""
    found = get(db, name)
    if found.state is State.building and found.progress != progress:
        _change(db, name, _steps(progress.done, progress.total, progress.text[:300]))


def finish(db: Connection, name: str, fingerprint: str, content_hash: str) -> Environment:
    """It is complete in the store under `content_hash`."""
    values = {"state": State.ready, "hash": content_hash, "built_from": fingerprint, "error": "", **_steps()}
    return _change(db, name, values)


def fail(db: Connection, name: str, error: str) -> Environment:
    """Its build ended without result; `error` says why and what to do."""
    return _change(db, name, {"state": State.failed, "error": error[:4000], **_steps()})


def _change(db: Connection, name: str, values: dict[str, object]) -> Environment:
    found = get(db, name)
    after = values.get("state", found.state)
    if not may_follow(found.state, State(str(after))):
        raise Conflict(f"The environment {name} cannot become {after}: it is {found.state}.", "Look at it again.")
    db.execute(update(environments).where(environments.c.name == name).values(updated_ms=now_ms(), **values))
    signal(db, "environments", "", name)
    return get(db, name)


def _steps(done: int = 0, total: int = 0, text: str = "") -> dict[str, object]:
    return {"progress_done": done, "progress_total": total, "progress_text": text}


def _environment(row: dict[str, object]) -> Environment:
    done, total, text = row.pop("progress_done"), row.pop("progress_total"), row.pop("progress_text")
    row |= {"packages": tuple(row["packages"]), "preload": tuple(row["preload"])}  # type: ignore[arg-type]
    row |= {"state": State(str(row["state"])), "progress": Progress(done, total, text)}  # type: ignore[arg-type]
    return Environment(**row)  # type: ignore[arg-type]
