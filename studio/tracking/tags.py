"""Tags of runs: the last value counts. Two mean something to Studio: the run's name and the job that made it."""

import json
from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, bindparam, delete, select, update

from studio.errors import Invalid, NotFound
from studio.store import signal
from studio.store.prepared import Prepared
from studio.store.tables import tracking as t
from studio.store.tenancy import FOUND, scope_query
from studio.tracking import handles, limits
from studio.tracking.records import Pair

JOB_TAG = "studio.job_id"
NAME_TAG = "mlflow.runName"
MODELS_TAG = "mlflow.log-model.history"
ENVIRONMENT_TAG = "studio.environment"
ENVIRONMENT_HASH_TAG = "studio.environment_hash"
_NAMES = ("run", "key", "value")


def _upsert(insert: object) -> object:
    statement = insert(t.tags).values({name: bindparam(name) for name in _NAMES})  # type: ignore[operator]
    return statement.on_conflict_do_update(index_elements=["run", "key"], set_={"value": statement.excluded.value})


_INSERT = Prepared(lambda insert: insert(t.tags).values({name: bindparam(name) for name in _NAMES}), _NAMES)
_PUT = Prepared(_upsert, _NAMES)  # type: ignore[arg-type]


def set_all(db: Connection, domain: str, run_id: str, given: Sequence[Pair]) -> None:
    """Sets tags of an active run."""
    handle = handles.active(db, domain, run_id)
    wanted = {tag.key: tag.value for tag in (limits.clean_tag(g, f"tags[{n}].key") for n, g in enumerate(given))}
    _PUT.many(db, [(handle.id, key, value) for key, value in wanted.items()])
    if name := wanted.get(NAME_TAG):
        db.execute(scope_query(update(t.runs).where(t.runs.c.id == handle.id).values(name=name), t.runs, FOUND))
    if job := wanted.get(JOB_TAG):
        db.execute(scope_query(update(t.runs).where(t.runs.c.id == handle.id).values(job_id=job), t.runs, FOUND))
    if wanted:
        signal(db, "runs", domain, run_id)


def of_runs(db: Connection, domain: str, run_ids: Sequence[str], keys: Sequence[str]) -> dict[str, dict[str, str]]:
    """Run id → key → value, of those `keys` that the runs have."""
    which = (t.runs.c.run_id.in_(set(run_ids)), t.tags.c.key.in_(keys))
    query = select(t.runs.c.run_id, t.tags.c.key, t.tags.c.value).join_from(t.tags, t.runs, t.runs.c.id == t.tags.c.run)
    found: dict[str, dict[str, str]] = {}
    for run_id, key, value in db.execute(scope_query(query.where(*which), t.runs, domain)):
        found.setdefault(run_id, {})[key] = value
    return found


def put(db: Connection, run: int, key: str, value: str) -> None:
    """Sets one tag of a run that is known to be active."""
    _PUT.many(db, [(run, key, value)])


def put_many(db: Connection, rows: list[tuple[int, str, str]]) -> None:
    """Sets (run, key, value) of runs that are known to be active."""
    _PUT.many(db, rows)


def insert_new(db: Connection, run: int, wanted: Mapping[str, str]) -> None:
    """The tags of a run that has none yet."""
    _INSERT.many(db, [(run, key, value) for key, value in wanted.items()])


def delete_one(db: Connection, domain: str, run_id: str, key: str) -> None:
    """Deletes a tag; `NotFound` if the run has none of that key."""
    handle = handles.active(db, domain, run_id)
    if db.execute(delete(t.tags).where(t.tags.c.run == handle.id, t.tags.c.key == key)).rowcount == 0:
        raise NotFound(f"No tag with name: {key} in run with id {run_id}")
    signal(db, "runs", domain, run_id)


def add_model(db: Connection, domain: str, run_id: str, model_json: str) -> None:
    """Adds a model, as clients before MLflow 3 describe it, to the list in the tag mlflow.log-model.history."""
    try:
        model = json.loads(model_json)
    except ValueError as error:
        raise Invalid(f"Malformed model info. {model_json[:200]!r} is not a valid JSON.") from error
    missing = sorted(
        {"artifact_path", "flavors", "utc_time_created", "run_id"} - set(model if isinstance(model, dict) else ())
    )
    if missing:
        raise Invalid(f"Model json is missing mandatory fields: {missing}")
    handle = handles.active(db, domain, run_id)
    c = t.tags.c
    old = db.execute(select(c.value).where(c.run == handle.id, c.key == MODELS_TAG)).scalar()
    history = [*(json.loads(old) if old else []), model]
    put(db, handle.id, MODELS_TAG, limits.clean_tag(Pair(MODELS_TAG, json.dumps(history))).value)
    signal(db, "runs", domain, run_id)
