"""Versions of environments: every change of a definition is a new one; builds, and what became of them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection, insert, or_, select, update

from studio.clock import now_ms
from studio.environments import environments as rows
from studio.environments import store
from studio.environments.definitions import Definition, check_packages, check_preload, package_name
from studio.environments.environments import Environment, Progress, Version, version_of
from studio.environments.states import State, may_follow
from studio.errors import Conflict, Invalid, NotFound
from studio.store import signal
from studio.store.tables.environments import environment_versions as versions
from studio.store.tables.environments import environments
from studio.store.tenancy import EVERY, FOUND, scope_query


@dataclass(frozen=True, slots=True)
class Watched:
    """A version that something may have to be done about; `domain` "" is the catalogue."""

    domain: str
    name: str
    version: Version


@dataclass(frozen=True, slots=True)
class Change:
    """What is to be different: a whole new list (None: the one it has), then names taken away, then lines added, each
    in place of a line about the same package."""

    packages: Sequence[str] | None = None
    remove: Sequence[str] = ()
    add: Sequence[str] = ()
    preload: Sequence[str] | None = None


def list_versions(db: Connection, environment: Environment) -> list[Version]:
    """All of them, newest first."""
    query = select(versions).where(versions.c.environment == environment.id).order_by(versions.c.number.desc())
    return [version_of(row) for row in db.execute(query)]


def get(db: Connection, environment: Environment, number: int) -> Version:
    """One of them, or `NotFound`."""
    which = (versions.c.environment == environment.id) & (versions.c.number == number)
    row = db.execute(select(versions).where(which)).one_or_none()
    if row is None:
        have = f"Its versions are 1 to {environment.newest.number}."
        raise NotFound(f"{environment.name} has no version {number}.", have)
    return version_of(row)


def watched(db: Connection) -> list[Watched]:
    """In all domains: versions that are to be built or being built, in use, or the newest of their environment; those
    that wait longest first."""
    which = or_(
        versions.c.state.in_([State.queued, State.building]),
        versions.c.number == environments.c.current,
        versions.c.number == environments.c.newest,
    )
    query = (
        scope_query(select(versions), environments, EVERY)
        .join_from(versions, environments)
        .where(which)
        .order_by(versions.c.created_ms)
    )
    named = {
        row.id: row
        for row in db.execute(
            scope_query(select(environments.c.id, environments.c.domain, environments.c.name), environments, EVERY)
        )
    }
    found = [version_of(row) for row in db.execute(query)]
    return [Watched(named[item.environment].domain or "", named[item.environment].name, item) for item in found]


def create(db: Connection, domain: str, definition: Definition, user: str, note: str = "") -> Environment:
    """A new environment whose first version waits to be built."""
    store.check_python(definition.python)
    _add(db, rows.add(db, domain, definition, user), 1, definition, user, note or "The first version.", State.queued)
    return rows.get(db, domain, definition.name)


def change(db: Connection, environment: Environment, wanted: Change, user: str) -> Environment:
    """A new version that waits to be built; what is in use goes on until then. `Conflict` if nothing would differ."""
    before = environment.newest
    lines = check_packages(before.packages if wanted.packages is None else wanted.packages)
    lines = add_packages(remove_packages(lines, wanted.remove), wanted.add)
    preload = before.preload if wanted.preload is None else check_preload(wanted.preload)
    if (lines, preload) == (before.packages, before.preload):
        hint = f"Build it: `studio env build {environment.name}`." if before.state is State.failed else "Nothing to do."
        raise Conflict(f"Version {before.number} of {environment.name} has these packages already.", hint)
    definition = replace(before.definition(environment.name), packages=lines, preload=preload)
    _add(db, environment.id, before.number + 1, definition, user, difference(before.packages, lines), State.queued)
    return rows.get(db, environment.domain, environment.name)


def roll_back(db: Connection, environment: Environment, number: int, user: str) -> Environment:
    """A new version with what version `number` had. Its lock is there, so it becomes exactly the same again."""
    old = get(db, environment, number)
    newest = environment.newest
    if (old.packages, old.preload, old.python) == (newest.packages, newest.preload, newest.python):
        raise Conflict(f"{environment.name} has what version {number} had.", "Nothing to do.")
    note = f"Back to version {number}."
    _add(db, environment.id, newest.number + 1, old.definition(environment.name), user, note, State.queued)
    return rows.get(db, environment.domain, environment.name)


def define(db: Connection, definitions: list[Definition]) -> None:
    """Makes the catalogue that of `definitions`; one that changed has a new version, which waits to be asked for."""
    known = {item.name: item for item in rows.visible(db, rows.CATALOGUE)}
    for item in definitions:
        if item.name not in known:
            id = rows.add(db, rows.CATALOGUE, item, "")
            _add(db, id, 1, item, "", "The first version.", State.not_built)
            continue
        found = known[item.name]
        if (found.title, found.about) != (item.title, item.about):
            rows.describe(db, found, item.title, item.about)
        if differs(found.newest, item):
            note = difference(found.newest.packages, item.packages)
            _add(db, found.id, found.newest.number + 1, item, "", note, State.not_built)
    for name in known.keys() - {item.name for item in definitions}:
        rows.remove(db, known[name])


def differs(version: Version, item: Definition) -> bool:
    """Whether the definition asks for something else than the version is."""
    return (version.python, version.packages, version.preload) != (item.python, item.packages, item.preload)


def request_build(db: Connection, environment: Environment) -> Environment:
    """Queues the newest version, and the one in use if its folder is gone; nothing for what is ready or on its way."""
    for version in filter(None, {environment.newest, environment.current}):
        if version.state in (State.not_built, State.failed):
            values = {"state": State.queued, "error": "", "attempt": version.attempt + 1, **steps(text="Waiting")}
            move(db, version, values)
    return rows.get(db, environment.domain, environment.name)


def start_building(db: Connection, version: Version) -> None:
    """Its build was started."""
    move(db, version, {"state": State.building, **steps(text="Starting")})


def show_progress(db: Connection, version: Version, progress: Progress) -> None:
    """What the build is at."""
    move(db, version, {"state": State.building, **steps(progress.done, progress.total, progress.text[:300])})


def finish(db: Connection, version: Version, content_hash: str, size_bytes: int = 0) -> None:
    """It is complete in the store under `content_hash`; new processes start from it unless a later one is in use."""
    values = {"state": State.ready, "hash": content_hash, "error": "", **steps()}
    move(db, version, values | {"size_bytes": size_bytes or version.size_bytes, "built_ms": now_ms()})
    later = (environments.c.id == version.environment) & (environments.c.current < version.number)
    db.execute(scope_query(update(environments), environments, FOUND).where(later).values(current=version.number))


def fail(db: Connection, version: Version, error: str) -> None:
    """Its build ended without result; `error` says why and what to do."""
    move(db, version, {"state": State.failed, "error": error[:4000], **steps()})


def removed(db: Connection, content_hash: str) -> None:
    """The folder of that hash was taken from the disk; its versions can be built again from their locks."""
    gone = (versions.c.hash == content_hash) & (versions.c.state == State.ready)
    db.execute(update(versions).where(gone).values(state=State.not_built))
    signal(db, "environments")


def move(db: Connection, version: Version, values: dict[str, object]) -> None:
    """Changes what became of a version; `Conflict` if its state does not allow that (any more)."""
    which = (versions.c.environment == version.environment) & (versions.c.number == version.number)
    before = db.execute(select(versions.c.state).where(which)).scalar_one_or_none()
    after = State(str(values["state"]))
    if before is None or not may_follow(State(before), after):
        raise Conflict(f"{version.tool} cannot become {after}: it is {before or 'gone'}.", "Look at it again.")
    db.execute(update(versions).where(which).values(values))
    where = db.execute(
        scope_query(select(environments), environments, FOUND).where(environments.c.id == version.environment)
    ).one()
    signal(db, "environments", where.domain or "", where.name)


def steps(done: int = 0, total: int = 0, text: str = "") -> dict[str, object]:
    """The columns of a progress."""
    return {"progress_done": done, "progress_total": total, "progress_text": text}


def _add(
    db: Connection, environment: str, number: int, definition: Definition, user: str, note: str, state: State
) -> None:
    given = {"environment": environment, "number": number, "state": state, "attempt": 1, "note": note[:300]}
    what = {"python": definition.python, "packages": list(definition.packages), "preload": list(definition.preload)}
    made = {"created_by": user, "created_ms": now_ms(), "fingerprint": definition.fingerprint}
    waiting = "Waiting" if state is State.queued else ""
    empty = {"hash": "", "size_bytes": 0, "error": "", **steps(text=waiting)}
    db.execute(insert(versions).values(**given, **what, **made, **empty))
    db.execute(
        scope_query(update(environments), environments, FOUND)
        .where(environments.c.id == environment)
        .values(newest=number)
    )
    where = db.execute(
        scope_query(select(environments), environments, FOUND).where(environments.c.id == environment)
    ).one()
    signal(db, "environments", where.domain or "", where.name)


def add_packages(lines: Sequence[str], added: Sequence[str]) -> tuple[str, ...]:
    """`lines` with each of `added` in place of those about the same package."""
    fresh = check_packages(added)
    replaced = {package_name(line) for line in fresh}
    return check_packages([*(line for line in lines if package_name(line) not in replaced), *fresh])


def remove_packages(lines: Sequence[str], names: Sequence[str]) -> tuple[str, ...]:
    """`lines` without those about `names`; `Invalid` for one that is not among them."""
    gone = {package_name(name) for name in check_packages(names)}
    missing = sorted(gone - {package_name(line) for line in lines})
    if missing:
        raise Invalid(
            f"{', '.join(missing)} is not among the packages that were asked for.",
            "What only came along with another package cannot be taken away alone.",
        )
    return tuple(line for line in lines if package_name(line) not in gone)


def difference(before: Sequence[str], after: Sequence[str]) -> str:
    """In words, what was asked for differently; "Other settings." if the packages are the same."""
    old, new = ({package_name(line): line for line in lines} for lines in (before, after))
    added = [new[name] for name in new.keys() - old.keys()]
    changed = [new[name] for name in new.keys() & old.keys() if new[name] != old[name]]
    gone = sorted(old.keys() - new.keys())
    parts = [(f"Added {', '.join(sorted(added))}.", added), (f"Now {', '.join(sorted(changed))}.", changed)]
    parts.append((f"Without {', '.join(gone)}.", gone))
    return " ".join(text for text, found in parts if found) or "Other settings."
