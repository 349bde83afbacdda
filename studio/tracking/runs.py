"""Runs: made, changed, deleted, restored; what a running client may write to."""

import random
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, select, update

from studio.clock import now_ms
from studio.errors import Invalid, NotFound
from studio.ids import hex32
from studio.store import signal
from studio.store.prepared import Prepared
from studio.store.tables import tracking as t
from studio.store.tenancy import FOUND, scope_query
from studio.tracking import experiments, handles, limits, tags
from studio.tracking.records import Pair, Run, RunInfo

STATUSES = ("RUNNING", "SCHEDULED", "FINISHED", "FAILED", "KILLED")
_ADJECTIVES = "able bold brave bright calm clever crisp eager fair fine fond gentle glad keen kind lively neat proud"
_NOUNS = "ant bee boar cod colt crab crow deer dove duck eel elk finch fox goat gull hare hawk jay koi lark lynx mole"

INFO = (
    "id", "run_id", "experiment", "name", "user_id", "owner", "job_id", "status", "start_ms", "end_ms", "stage",
    "artifact_uri",
)  # fmt: skip
_COLUMNS = (
    "run_id", "domain", "experiment", "name", "user_id", "owner", "job_id", "status", "start_ms", "stage",
    "artifact_uri",
)  # fmt: skip
_INSERT = Prepared(lambda insert: insert(t.runs).values({n: bindparam(n) for n in _COLUMNS}), _COLUMNS)
_EXPERIMENT = Prepared(
    lambda _: scope_query(
        select(t.experiments.c.stage, t.experiments.c.artifact_location).where(t.experiments.c.id == bindparam("id")),
        t.experiments,
        bindparam("domain"),
    ),
    ("id", "domain"),
)


def create(
    db: Connection,
    domain: str,
    experiment_id: str,
    *,
    owner: str,
    user_id: str = "",
    start_ms: int = 0,
    name: str = "",
    given: Sequence[Pair] = (),
) -> Run:
    """Starts a run in an active experiment; without a name it gets one of three words."""
    number = experiments.parse_id(experiment_id) or int(experiments.ensure_default(db, domain))
    found = _EXPERIMENT.first(db, (number, domain))
    if found is None:
        raise NotFound(f"No Experiment with id={number} exists")
    stage, location = found
    experiments.check_stage(number, stage)
    wanted = {tag.key: tag.value for tag in map(limits.clean_tag, given)}
    if name and wanted.get(tags.NAME_TAG, name) != name:
        raise Invalid(
            "Both 'run_name' argument and 'mlflow.runName' tag are specified, but with different values "
            f"(run_name='{name}', mlflow.runName='{wanted[tags.NAME_TAG]}')."
        )
    name = name or wanted.get(tags.NAME_TAG) or random_name()
    wanted.setdefault(tags.NAME_TAG, name)
    run_id = hex32()
    uri = f"{location.rstrip('/')}/{run_id}/artifacts"
    job = wanted.get(tags.JOB_TAG)
    row = (run_id, domain, number, name, user_id, owner, job, STATUSES[0], start_ms, experiments.ACTIVE, uri)
    id_ = _INSERT.made(db, row)
    tags.insert_new(db, id_, wanted)
    handles.remember(db, domain, run_id, handles.Handle(id_, number))
    signal(db, "runs", domain, run_id)
    info = RunInfo(
        id_, run_id, str(number), name, user_id, owner, job, STATUSES[0], start_ms, None, experiments.ACTIVE, uri
    )
    return Run(info, tags=[Pair(key, value) for key, value in wanted.items()])


def change(
    db: Connection, domain: str, run_id: str, *, status: str | None = None, end_ms: int | None = None, name: str = ""
) -> RunInfo:
    """Sets status, end and name of an active run; what is not given stays."""
    handle = handles.active(db, domain, run_id)
    values: dict[str, object] = {}
    if status is not None:
        if status not in STATUSES:
            raise Invalid(f"Invalid value {status} for parameter 'status' supplied.", f"Use one of {STATUSES}.")
        values["status"] = status
    if end_ms is not None:
        values["end_ms"] = end_ms
    if name:
        values["name"] = name
        tags.put(db, handle.id, tags.NAME_TAG, name)
    if values:
        db.execute(scope_query(update(t.runs).where(t.runs.c.id == handle.id).values(**values), t.runs, FOUND))
        signal(db, "runs", domain, run_id)
    return info(db, domain, run_id)


def remove(db: Connection, domain: str, run_id: str) -> None:
    """Marks a run deleted; `restore` undoes it."""
    _stage(db, domain, run_id, experiments.DELETED, now_ms())
    handles.forget(db, domain, run_id)


def restore(db: Connection, domain: str, run_id: str) -> None:
    """Makes a deleted run active again."""
    _stage(db, domain, run_id, experiments.ACTIVE, None)


def info(db: Connection, domain: str, run_id: str) -> RunInfo:
    """The run, deleted or not, without its data."""
    query = scope_query(select(*(t.runs.c[name] for name in INFO)), t.runs, domain)
    row = db.execute(query.where(t.runs.c.run_id == run_id)).first()
    if row is None:
        raise handles.missing(run_id)
    return record(tuple(row))


def of_job(db: Connection, domain: str, job_id: str) -> list[str]:
    """The ids of the runs that a job made, oldest first."""
    query = scope_query(select(t.runs.c.run_id).where(t.runs.c.job_id == job_id), t.runs, domain)
    return list(db.execute(query.order_by(t.runs.c.start_ms, t.runs.c.id)).scalars())


def record(row: Sequence[Any]) -> RunInfo:
    """The record of a row of the columns INFO."""
    id_, run_id, experiment, *rest = row
    return RunInfo(id_, run_id, str(experiment), *rest)


def random_name() -> str:
    """A name such as calm-finch-217, for a run that was given none."""
    chosen = random.choice(_ADJECTIVES.split()), random.choice(_NOUNS.split())
    return f"{chosen[0]}-{chosen[1]}-{random.randrange(1000)}"


def _stage(db: Connection, domain: str, run_id: str, stage: str, deleted_ms: int | None) -> None:
    change = scope_query(update(t.runs), t.runs, domain).where(t.runs.c.run_id == run_id)
    if db.execute(change.values(stage=stage, deleted_ms=deleted_ms)).rowcount == 0:
        raise handles.missing(run_id)
    signal(db, "runs", domain, run_id)
