"""Logged models: what a run's `log_model` makes, before anybody registers it."""

import secrets
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, insert, select, update

from studio.clock import now_ms
from studio.errors import Invalid, NotFound
from studio.store import signal
from studio.store.prepared import Insert, Prepared
from studio.store.tables import tracking as t
from studio.store.tenancy import scope_query
from studio.tracking import experiments, limits, runs
from studio.tracking.records import LoggedModel, Metric, Pair

PENDING, READY, FAILED = 1, 2, 3
_BAD = ("/", ":", ".", "%", '"', "'")
_TAG = ("model_id", "key", "value")


def _upsert_tag(insert: Insert) -> Any:
    statement = insert(t.logged_model_tags).values({name: bindparam(name) for name in _TAG})
    return statement.on_conflict_do_update(index_elements=["model_id", "key"], set_={"value": statement.excluded.value})


_PUT_TAG = Prepared(_upsert_tag, _TAG)


def create(
    db: Connection,
    domain: str,
    experiment_id: str,
    *,
    name: str = "",
    model_type: str = "",
    source_run_id: str = "",
    params: Sequence[Pair] = (),
    tags: Sequence[Pair] = (),
) -> LoggedModel:
    """Makes a pending logged model, whose files the client then writes to its artifact URI."""
    if any(character in name for character in _BAD):
        raise Invalid(
            f"Invalid model name ({name!r}) provided. Model name must be a non-empty string and cannot contain the "
            f"following characters: {_BAD}"
        )
    number = experiments.parse_id(experiment_id) or int(experiments.ensure_default(db, domain))
    experiment = experiments.check_active(experiments.find(db, domain, str(number)))
    if source_run_id:
        runs.info(db, domain, source_run_id)
    model_id = f"m-{secrets.token_hex(16)}"
    now = now_ms()
    row = {
        "model_id": model_id,
        "domain": domain,
        "experiment": number,
        "name": name or runs.random_name(),
        "artifact_uri": f"{experiment.artifact_location.rstrip('/')}/models/{model_id}/artifacts",
        "model_type": model_type,
        "source_run_id": source_run_id,
        "status": PENDING,
        "stage": experiments.ACTIVE,
        "created_ms": now,
        "updated_ms": now,
    }
    db.execute(insert(t.logged_models).values(**row))
    _insert_params(db, model_id, params)
    _PUT_TAG.many(db, [(model_id, tag.key, tag.value) for tag in tags])
    signal(db, "models", domain, model_id)
    return get(db, domain, model_id)


def get(db: Connection, domain: str, model_id: str, *, with_deleted: bool = False) -> LoggedModel:
    """The logged model with its params, tags and metrics."""
    return load(db, [find(db, domain, model_id, with_deleted=with_deleted)])[0]


def find(db: Connection, domain: str, model_id: str, *, with_deleted: bool = False) -> Row[Any]:
    """The row of a logged model of this domain; `NotFound` else."""
    query = scope_query(select(t.logged_models), t.logged_models, domain).where(t.logged_models.c.model_id == model_id)
    if not with_deleted:
        query = query.where(t.logged_models.c.stage != experiments.DELETED)
    row = db.execute(query).first()
    if row is None:
        raise NotFound(f"Logged model with ID '{model_id}' not found.")
    return row


def finish(db: Connection, domain: str, model_id: str, status: int) -> LoggedModel:
    """Sets the status: its files are complete, or it failed."""
    if status not in (PENDING, READY, FAILED):
        raise Invalid(f"Invalid model status: {status}.", "Use 1 (pending), 2 (ready) or 3 (failed).")
    find(db, domain, model_id, with_deleted=True)
    _change(db, domain, model_id, status=status)
    return get(db, domain, model_id, with_deleted=True)


def remove(db: Connection, domain: str, model_id: str) -> None:
    """Marks a logged model deleted."""
    find(db, domain, model_id, with_deleted=True)
    _change(db, domain, model_id, stage=experiments.DELETED)


def set_tags(db: Connection, domain: str, model_id: str, tags: Sequence[Pair]) -> None:
    """Sets tags; the last value counts."""
    find(db, domain, model_id)
    wanted = {tag.key: tag.value for tag in tags}
    for key in wanted:
        limits.check_length("Tag key", limits.KEY, key)
    _PUT_TAG.many(db, [(model_id, key, value) for key, value in wanted.items()])
    signal(db, "models", domain, model_id)


def delete_tag(db: Connection, domain: str, model_id: str, key: str) -> None:
    """Deletes a tag; `NotFound` if there is none."""
    find(db, domain, model_id)
    keep = (t.logged_model_tags.c.model_id == model_id) & (t.logged_model_tags.c.key == key)
    if db.execute(delete(t.logged_model_tags).where(keep)).rowcount == 0:
        raise NotFound(f"No tag with key {key!r} found for model with ID {model_id!r}.")
    signal(db, "models", domain, model_id)


def log_params(db: Connection, domain: str, model_id: str, params: Sequence[Pair]) -> None:
    """Adds params."""
    find(db, domain, model_id)
    _insert_params(db, model_id, params)


def of_run(db: Connection, domain: str, run_id: str) -> list[LoggedModel]:
    """The models that a run logged, newest first."""
    c = t.logged_models.c
    query = scope_query(select(t.logged_models), c, domain).where(c.source_run_id == run_id)
    query = query.where(c.stage != experiments.DELETED)
    return load(db, db.execute(query.order_by(c.created_ms.desc(), c.model_id)).all())


def load(db: Connection, rows: Sequence[Row[Any]]) -> list[LoggedModel]:
    """The records of `rows`, in three queries."""
    ids = [row.model_id for row in rows]
    params, tags = _pairs(db, t.logged_model_params, ids), _pairs(db, t.logged_model_tags, ids)
    metrics: dict[str, list[Metric]] = defaultdict(list)
    table = t.logged_model_metrics
    for m in db.execute(select(table).where(table.c.model_id.in_(ids)).order_by(table.c.key, table.c.ts, table.c.step)):
        value = float("nan") if m.is_nan else m.value
        names = m.dataset_name or "", m.dataset_digest or ""
        metrics[m.model_id].append(Metric(m.key, value, m.ts, m.step, m.model_id, *names, m.run_id))
    return [_record(row, params[row.model_id], tags[row.model_id], metrics[row.model_id]) for row in rows]


def _record(row: Row[Any], params: list[Pair], tags: list[Pair], metrics: list[Metric]) -> LoggedModel:
    return LoggedModel(
        model_id=row.model_id,
        experiment_id=str(row.experiment),
        name=row.name,
        artifact_uri=row.artifact_uri,
        model_type=row.model_type,
        source_run_id=row.source_run_id,
        status=row.status,
        stage=row.stage,
        created_ms=row.created_ms,
        updated_ms=row.updated_ms,
        params=params,
        tags=tags,
        metrics=metrics,
    )


def _pairs(db: Connection, table: Any, ids: Sequence[str]) -> dict[str, list[Pair]]:
    found: dict[str, list[Pair]] = defaultdict(list)
    for row in db.execute(select(table).where(table.c.model_id.in_(ids))):
        found[row.model_id].append(Pair(row.key, row.value))
    return found


def _insert_params(db: Connection, model_id: str, params: Sequence[Pair]) -> None:
    wanted = {param.key: limits.clean_param(param).value for param in params}
    held = t.logged_model_params
    old = set(db.execute(select(held.c.key).where(held.c.model_id == model_id)).scalars()) if wanted else set()
    rows = [{"model_id": model_id, "key": key, "value": value} for key, value in wanted.items() if key not in old]
    if rows:
        db.execute(insert(t.logged_model_params), rows)


def _change(db: Connection, domain: str, model_id: str, **values: object) -> None:
    change = scope_query(update(t.logged_models), t.logged_models, domain).where(t.logged_models.c.model_id == model_id)
    db.execute(change.values(**values, updated_ms=now_ms()))
    signal(db, "models", domain, model_id)
