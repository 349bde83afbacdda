"""Jobs as rows."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from studio import environments
from studio.clock import now_ms
from studio.domains import instance_types
from studio.environments.defaults import get_default
from studio.errors import Conflict, Invalid, NotFound
from studio.ids import new_id
from studio.jobs.states import ENDS, State, may_follow
from studio.store import signal
from studio.store.tables.jobs import jobs
from studio.store.tenancy import EVERY, FOUND, scope_query


@dataclass(frozen=True, slots=True)
class Wanted:
    """A job to make. `params` are checked (`scripts.check_params`); `environment` and `experiment` "" mean the
    domain's default; `kind`: script, or batch (`jobs.batch`)."""

    name: str
    script: str
    params: dict[str, str]
    environment: str = ""
    instance_type: str = instance_types.DEFAULT
    experiment: str = ""
    kind: str = "script"


@dataclass(frozen=True, slots=True)
class Job:
    """`reason` says what it waits for or why it ended; `sandbox` "" until it was given one; `environment_hash`: of
    what its process was made, "" before there is one."""

    id: str
    domain: str
    name: str
    owner: str
    environment: str
    instance_type: str
    experiment: str
    script: str
    params: dict[str, str]
    sandbox: str
    state: State
    reason: str
    is_stop_requested: bool
    exit_code: int | None
    created_ms: int
    started_ms: int | None
    ended_ms: int | None
    environment_hash: str
    kind: str


def new_job_id() -> str:
    """The id of a job that is about to be made: its script is staged under it first."""
    return new_id("job")


def check(db: Connection, domain: str, wanted: Wanted) -> None:
    """Raises what `create` would, for those who prepare something first."""
    environments.get(db, domain, wanted.environment or get_default(db, domain))
    instance_types.get(db, wanted.instance_type)
    if not wanted.name.strip() or len(wanted.name) > 200 or any(ord(sign) < 32 for sign in wanted.name):
        raise Invalid("A job's name has 1 to 200 characters on one line.", "Choose another, or leave it out.")
    if len(wanted.experiment) > 500:
        raise Invalid("An experiment's name has at most 500 characters.", "Shorten it.")


def create(db: Connection, domain: str, owner: str, job_id: str, wanted: Wanted) -> Job:
    """Queues a job whose script is staged; `NotFound` for an unknown environment or instance type."""
    check(db, domain, wanted)
    db.execute(
        insert(jobs).values(
            id=job_id,
            domain=domain,
            name=wanted.name.strip(),
            owner=owner,
            environment=wanted.environment or get_default(db, domain),
            environment_hash="",
            instance_type=wanted.instance_type or instance_types.DEFAULT,
            experiment=wanted.experiment,
            script=wanted.script,
            params=wanted.params,
            sandbox=f"{domain}.{owner}",
            state=State.queued,
            reason="It waits for its place.",
            is_stop_requested=False,
            created_ms=now_ms(),
            kind=wanted.kind,
        )
    )
    signal(db, "jobs", domain, job_id)
    return get(db, domain, job_id)


def get(db: Connection, domain: str, job_id: str) -> Job:
    """The job of `domain`, or `NotFound`."""
    row = db.execute(scope_query(select(jobs), jobs, domain).where(jobs.c.id == job_id)).one_or_none()
    if row is None:
        raise NotFound(f"There is no job {job_id!r} in {domain}.", "See the Jobs panel.")
    return _job(row)


def list_all(db: Connection, domain: str, limit: int = 200) -> list[Job]:
    """The domain's jobs, newest first."""
    query = scope_query(select(jobs), jobs, domain).order_by(jobs.c.created_ms.desc(), jobs.c.id).limit(limit)
    return [_job(row) for row in db.execute(query)]


def active(db: Connection) -> list[Job]:
    """What has not ended, in all domains, oldest first."""
    query = (
        scope_query(select(jobs), jobs, EVERY).where(jobs.c.state.not_in(ENDS)).order_by(jobs.c.created_ms, jobs.c.id)
    )
    return [_job(row) for row in db.execute(query)]


def named(db: Connection, ids: list[str]) -> dict[str, Job]:
    """The jobs with these ids, by id."""
    query = scope_query(select(jobs), jobs, EVERY).where(jobs.c.id.in_(ids))
    return {row.id: _job(row) for row in db.execute(query)} if ids else {}


def request_stop(db: Connection, domain: str, job_id: str) -> Job:
    """Asks for its end; asked again nothing more happens. `Conflict` if it has ended."""
    job = get(db, domain, job_id)
    if job.state.is_end:
        raise Conflict(f"{job.name} has ended already: {job.state}.", "Start another one if you need it.")
    if not job.is_stop_requested:
        _set(db, job, is_stop_requested=True, reason="It is being stopped.")
    return get(db, domain, job_id)


def request_stop_all(db: Connection, domain: str) -> list[str]:
    """Asks for the end of every job of `domain`; their ids."""
    found = [job for job in active(db) if job.domain == domain]
    for job in found:
        request_stop(db, domain, job.id)
    return [job.id for job in found]


def explain(db: Connection, job: Job, reason: str) -> None:
    """What it waits for, for people."""
    if job.reason != reason[:2000]:
        _set(db, job, reason=reason[:2000])


def start(db: Connection, job: Job, environment_hash: str = "") -> Job:
    """Its process is about to be asked for. To be committed first: no process without its row."""
    return _move(db, job, State.starting, reason="Its process is starting.", environment_hash=environment_hash)


def run(db: Connection, job: Job, started_ms: int) -> Job:
    """Its process runs since `started_ms`."""
    return _move(db, job, State.running, reason="", started_ms=started_ms)


def end(
    db: Connection,
    job: Job,
    state: State,
    reason: str,
    *,
    exit_code: int | None = None,
    started_ms: int | None = None,
    ended_ms: int | None = None,
) -> Job:
    """It is over; the times are its exit record's, where there is one."""
    return _move(
        db,
        job,
        state,
        reason=reason[:2000],
        exit_code=exit_code,
        started_ms=started_ms if started_ms is not None else job.started_ms,
        ended_ms=ended_ms if ended_ms is not None else now_ms(),
    )


def _move(db: Connection, job: Job, state: State, **values: Any) -> Job:
    found = get(db, job.domain, job.id)
    if found.state is state:
        return found
    if not may_follow(found.state, state):
        raise Conflict(f"{job.name} is {found.state} and cannot become {state}.", "Look at it again.")
    _set(db, found, state=state, **values)
    return get(db, job.domain, job.id)


def _set(db: Connection, job: Job, **values: Any) -> None:
    db.execute(scope_query(update(jobs), jobs, FOUND).where(jobs.c.id == job.id).values(values))
    signal(db, "jobs", job.domain, job.id)


def _job(row: Row[Any]) -> Job:
    values = dict(row._mapping)
    return Job(**values | {"state": State(values["state"])})
