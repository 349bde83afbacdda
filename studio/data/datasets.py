"""Data sets as rows: what was registered, what its versions are."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, Select, and_, func, insert, select, update

from studio.clock import now_ms
from studio.data import paths
from studio.data.reports import Profile, Report, decode_profile, encode
from studio.data.states import ALLOWED, State
from studio.errors import Conflict, NotFound
from studio.ids import check_name, new_id
from studio.store import signal
from studio.store.tables.data import dataset_versions, datasets
from studio.store.tenancy import EVERY, FOUND, Domain, scope_query


@dataclass(frozen=True, slots=True)
class Dataset:
    """A name with its newest version; `version` to `bytes` are None until one was profiled. `state` is of the newest
    look at the file, `attempt` names it."""

    domain: str
    name: str
    path: str
    owner: str
    state: State
    error: str
    attempt: str
    attempts: int
    version: int | None
    hash: str | None
    rows: int | None
    columns: int | None
    bytes: int | None
    created_ms: int
    requested_ms: int


@dataclass(frozen=True, slots=True)
class Version:
    """One content of a data set."""

    version: int
    hash: str
    path: str
    owner: str
    rows: int
    columns: int
    bytes: int
    created_ms: int


_OF_VERSION = [dataset_versions.c[name] for name in ("hash", "rows", "columns", "bytes")]


def register(db: Connection, domain: str, name: str, path: str, owner: str) -> Dataset:
    """Asks for a look at the file `path` as `owner` sees it; asked again while one is under way for the same file,
    nothing more happens. The loop profiles it: unchanged content keeps its version, another one becomes the next."""
    check_name(name, "data set")
    paths.parse(path, owner)
    values = {
        "path": path,
        "owner": owner,
        "state": State.profiling,
        "error": "",
        "attempt": new_id("profile"),
        "attempts": 0,
        "requested_ms": now_ms(),
    }
    row = db.execute(_query(domain).where(datasets.c.name == name)).one_or_none()
    if row is None:
        db.execute(insert(datasets).values(domain=domain, name=name, created_ms=values["requested_ms"], **values))
    else:
        found = _dataset(row)
        if found.state is State.profiling and (found.path, found.owner) == (path, owner):
            return found
        db.execute(scope_query(update(datasets), datasets, FOUND).where(_is(found)).values(values))
    signal(db, "datasets", domain, name)
    return get(db, domain, name)


def get(db: Connection, domain: str, name: str) -> Dataset:
    """The data set, or `NotFound`."""
    row = db.execute(_query(domain).where(datasets.c.name == name)).one_or_none()
    if row is None:
        raise NotFound(
            f"There is no data set {name!r} in {domain}.", "Register a file under that name in the Data panel."
        )
    return _dataset(row)


def list_all(db: Connection, domain: str) -> list[Dataset]:
    """The domain's data sets, by name."""
    return [_dataset(row) for row in db.execute(_query(domain).order_by(datasets.c.name))]


def profiling(db: Connection) -> list[Dataset]:
    """What is still to be looked at, in all domains, longest waiting first."""
    query = _query(EVERY).where(datasets.c.state == State.profiling).order_by(datasets.c.requested_ms, datasets.c.name)
    return [_dataset(row) for row in db.execute(query)]


def versions(db: Connection, domain: str, name: str) -> list[Version]:
    """Newest first."""
    columns = [dataset_versions.c[field] for field in Version.__slots__]
    query = scope_query(select(*columns), dataset_versions, domain).where(dataset_versions.c.dataset == name)
    return [Version(**row._mapping) for row in db.execute(query.order_by(dataset_versions.c.version.desc()))]


def profile(db: Connection, domain: str, name: str, version: int | None = None) -> Profile | None:
    """The profile of a version (default: the newest); None if there is no such version yet."""
    version = get(db, domain, name).version if version is None else version
    found = db.scalar(
        scope_query(select(dataset_versions.c.profile), dataset_versions, domain).where(
            dataset_versions.c.dataset == name, dataset_versions.c.version == version
        )
    )
    return None if found is None else decode_profile(found)


def count_attempt(db: Connection, dataset: Dataset) -> None:
    """Notes that its process is started once more."""
    db.execute(
        scope_query(update(datasets), datasets, FOUND).where(_is(dataset)).values(attempts=datasets.c.attempts + 1)
    )


def finish(db: Connection, dataset: Dataset, report: Report) -> Dataset:
    """Takes the result of the look: the version with that content, a new one if there is none."""
    if report.error or report.profile is None:
        return fail(db, dataset, report.error or "The profile came back empty. Register the file again.")
    of_dataset = (dataset_versions.c.domain == dataset.domain) & (dataset_versions.c.dataset == dataset.name)
    version = db.scalar(
        scope_query(select(dataset_versions.c.version), dataset_versions, FOUND).where(
            of_dataset, dataset_versions.c.hash == report.hash
        )
    )
    if version is None:
        newest = scope_query(select(func.max(dataset_versions.c.version)), dataset_versions, FOUND).where(of_dataset)
        version = (db.scalar(newest) or 0) + 1
        db.execute(
            insert(dataset_versions).values(
                domain=dataset.domain,
                dataset=dataset.name,
                version=version,
                hash=report.hash,
                path=dataset.path,
                owner=dataset.owner,
                rows=report.profile.row_count,
                columns=report.profile.column_count,
                bytes=report.bytes,
                profile=encode(report.profile).decode(),
                created_ms=now_ms(),
            )
        )
    return _change(db, dataset, State.ready, version=version, error="")


def fail(db: Connection, dataset: Dataset, error: str) -> Dataset:
    """The look failed; `error` says why and what to do. Versions stay."""
    return _change(db, dataset, State.failed, error=error[:2000])


def _change(db: Connection, dataset: Dataset, state: State, **values: Any) -> Dataset:
    found = get(db, dataset.domain, dataset.name)
    if found.attempt != dataset.attempt or state not in ALLOWED[found.state]:
        raise Conflict(f"{dataset.name} was registered again meanwhile.", "The newer look at the file counts.")
    db.execute(scope_query(update(datasets), datasets, FOUND).where(_is(dataset)).values(state=state, **values))
    signal(db, "datasets", dataset.domain, dataset.name)
    return get(db, dataset.domain, dataset.name)


def _query(domain: Domain) -> Select[Any]:
    newest = and_(
        dataset_versions.c.domain == datasets.c.domain,
        dataset_versions.c.dataset == datasets.c.name,
        dataset_versions.c.version == datasets.c.version,
    )
    return scope_query(select(datasets, *_OF_VERSION), datasets, domain).outerjoin(dataset_versions, newest)


def _is(dataset: Dataset) -> Any:
    return (datasets.c.domain == dataset.domain) & (datasets.c.name == dataset.name)


def _dataset(row: Row[Any]) -> Dataset:
    values = dict(row._mapping)
    return Dataset(**values | {"state": State(values["state"])})
