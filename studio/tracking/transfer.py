"""Experiments, runs and logged models brought here from another tracking server, with their ids and times.

What is here already stays; what is missing is added. So the same again changes nothing, and a transfer that was cut
goes on where it ended."""

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct
from sqlalchemy import Connection, Select, bindparam, insert, select, update

from studio.errors import Conflict, Invalid, StudioError
from studio.store import signal
from studio.store.cache import forget
from studio.store.prepared import Insert, Prepared
from studio.store.tables import tracking as t
from studio.store.tables.transfer import transfers
from studio.store.tenancy import EVERY, scope_query
from studio.tracking import experiments, handles, inputs, limits, logged_models, metrics, params, places, runs, tags
from studio.tracking.places import Place
from studio.tracking.records import DatasetInput, Metric, ModelOutput, Pair

_MARK = ("domain", "id", "digest")
_OPEN, _DONE = "open", "done"  # of an experiment that a transfer has made


def _upsert_mark(insert: Insert) -> Any:
    statement = insert(transfers).values({name: bindparam(name) for name in _MARK})
    return statement.on_conflict_do_update(index_elements=["domain", "id"], set_={"digest": statement.excluded.digest})


_PUT_MARK = Prepared(_upsert_mark, _MARK)


class GivenExperiment(Struct, frozen=True):
    """As it was there; `is_default`: the one whose id was 0."""

    name: str
    created_ms: int
    updated_ms: int
    is_default: bool = False
    tags: Mapping[str, str] = {}


class GivenRun(Struct, frozen=True):
    """As it was there; `experiment_id` is the one here."""

    run_id: str
    experiment_id: str
    name: str
    user_id: str
    status: str
    start_ms: int
    end_ms: int | None
    params: Mapping[str, str] = {}
    tags: Mapping[str, str] = {}
    datasets: Sequence[DatasetInput] = ()
    model_inputs: Sequence[str] = ()
    model_outputs: Sequence[ModelOutput] = ()


class GivenModel(Struct, frozen=True):
    """A logged model as it was there."""

    model_id: str
    experiment_id: str
    name: str
    model_type: str
    source_run_id: str
    status: int
    created_ms: int
    updated_ms: int
    params: Mapping[str, str] = {}
    tags: Mapping[str, str] = {}
    metrics: Sequence[Metric] = ()


def put_experiment(db: Connection, domain: str, given: GivenExperiment) -> tuple[str, bool, str]:
    """(id here, whether it is new, stage) of the experiment of that name, which is made if there is none."""
    c = t.experiments.c
    same = c.is_default if given.is_default else c.name == given.name
    row = db.execute(scope_query(select(t.experiments).where(same), t.experiments, domain)).first()
    is_new = row is None
    if given.is_default:
        made = experiments.ensure_default(db, domain)
    elif row is None:
        made = experiments.create(db, domain, given.name)
        times = {"created_ms": given.created_ms, "updated_ms": given.updated_ms}
        change = scope_query(update(t.experiments), t.experiments, domain)
        db.execute(change.where(c.id == int(made)).values(**times))
        _PUT_MARK.many(db, [(domain, _mark(made), _OPEN)])
    else:
        made = str(row.id)
    stage = experiments.ACTIVE if row is None else str(row.stage)
    if stage == experiments.ACTIVE:
        old = {tag.key for tag in experiments.get(db, domain, made).tags}
        for key, value in given.tags.items():
            if key not in old:
                experiments.set_tag(db, domain, made, Pair(key, value))
    return made, is_new, stage


def put_run(db: Connection, domain: str, owner: str, given: GivenRun) -> bool:
    """Whether the run is new; `Conflict` if its id is another domain's or it was deleted here."""
    if given.status not in runs.STATUSES:
        raise Invalid(f"The status {given.status!r} is none of MLflow's.")
    row = db.execute(scope_query(select(t.runs).where(t.runs.c.run_id == given.run_id), t.runs, EVERY)).first()
    if row is None:
        _insert_run(db, domain, owner, given)
    elif row.domain != domain:
        raise Conflict(f"The id {given.run_id} is taken.", "A run keeps its id, so it can be in one domain only.")
    elif row.stage != experiments.ACTIVE:
        raise Conflict(f"The run {given.run_id} was deleted here.", "Restore it to bring what is missing.")
    elif row.end_ms is None and given.end_ms is not None:
        runs.change(db, domain, given.run_id, status=given.status, end_ms=given.end_ms)
    handle = handles.active(db, domain, given.run_id)
    params.log_all(db, domain, given.run_id, _pairs(given.params))
    old = set(db.execute(select(t.tags.c.key).where(t.tags.c.run == handle.id)).scalars())
    tags.set_all(db, domain, given.run_id, [pair for pair in _pairs(given.tags) if pair.key not in old])
    inputs.log_inputs(db, domain, given.run_id, given.datasets, given.model_inputs)
    inputs.log_outputs(db, domain, given.run_id, given.model_outputs)
    return row is None


def put_runs(
    db: Connection, domain: str, owner: str, given: Sequence[tuple[GivenRun, Sequence[Metric]]]
) -> list[tuple[bool, str]]:
    """(whether it is new, why it was not taken or "") of each; what is wrong with one leaves the others."""
    answers = []
    for run, values in given:
        try:
            with db.begin_nested():
                is_new = put_run(db, domain, owner, run)
                put_metrics(db, domain, run.run_id, values)
            answers.append((is_new, ""))
        except StudioError as error:
            forget(db)
            answers.append((False, str(error)))
    return answers


def put_metrics(db: Connection, domain: str, run_id: str, given: Sequence[Metric]) -> None:
    """Adds values; those that are here already stay once."""
    metrics.log(db, domain, run_id, given)


def put_model(db: Connection, domain: str, given: GivenModel) -> bool:
    """Whether the logged model is new; `Conflict` if its id is taken in another domain."""
    c = t.logged_models.c
    query = scope_query(select(t.logged_models), t.logged_models, EVERY)
    row = db.execute(query.where(c.model_id == given.model_id)).first()
    if row is not None and row.domain != domain:
        raise Conflict(f"The id {given.model_id} is taken.", "A model keeps its id, so it can be in one domain only.")
    if row is None:
        if not given.model_id.startswith("m-") or not given.model_id[2:].isalnum():
            raise Invalid(f"{given.model_id!r} is no id of a logged model.")
        experiment = experiments.find(db, domain, given.experiment_id)
        place = f"{experiment.artifact_location.rstrip('/')}/models/{given.model_id}/artifacts"
        times = {"created_ms": given.created_ms, "updated_ms": given.updated_ms, "status": given.status}
        what = {"name": given.name, "model_type": given.model_type, "source_run_id": given.source_run_id}
        own = {"model_id": given.model_id, "domain": domain, "experiment": experiment.id, "artifact_uri": place}
        db.execute(insert(t.logged_models).values(**own, **what, **times, stage=experiments.ACTIVE))
    elif row.stage != experiments.ACTIVE:
        raise Conflict(f"The model {given.model_id} was deleted here.")
    logged_models.log_params(db, domain, given.model_id, _pairs(given.params))
    held = t.logged_model_tags.c
    old = set(db.execute(select(held.key).where(held.model_id == given.model_id)).scalars())
    logged_models.set_tags(db, domain, given.model_id, [pair for pair in _pairs(given.tags) if pair.key not in old])
    for run_id in {metric.run_id for metric in given.metrics}:
        of_run = [metric for metric in given.metrics if metric.run_id == run_id]
        metrics.log_of_models(db, domain, run_id, of_run)
    if row is None:
        change = scope_query(update(t.logged_models), t.logged_models, domain)
        db.execute(change.where(c.model_id == given.model_id).values(updated_ms=given.updated_ms))
    return row is None


def finish(db: Connection, domain: str, digests: Mapping[str, str], deleted: Sequence[str] = ()) -> None:
    """Everything of these ids is here now; those of `deleted` were deleted there."""
    for run_id in deleted:
        if db.execute(_own(domain, run_id)).first() is not None:
            runs.remove(db, domain, run_id)
    _PUT_MARK.many(db, [(domain, key, digest) for key, digest in digests.items()])


def finish_experiment(db: Connection, domain: str, experiment_id: str) -> None:
    """Deletes an experiment that was deleted there; one that was here before the transfer stays."""
    c = transfers.c
    mark = scope_query(select(c.digest).where(c.id == _mark(experiment_id)), c, domain)
    if db.execute(mark).scalar() == _OPEN:
        experiments.remove(db, domain, experiment_id)
        _PUT_MARK.many(db, [(domain, _mark(experiment_id), _DONE)])


def finished(db: Connection, domain: str, ids: Sequence[str]) -> dict[str, str]:
    """Id → digest of those of `ids` that were brought here whole, and still are here."""
    c = transfers.c
    marks = db.execute(scope_query(select(c.id, c.digest).where(c.id.in_(ids)), c, domain)).all()
    here = set(
        db.execute(scope_query(select(t.runs.c.run_id).where(t.runs.c.run_id.in_(ids)), t.runs, domain)).scalars()
    )
    m = t.logged_models.c
    here |= set(db.execute(scope_query(select(m.model_id).where(m.model_id.in_(ids)), m, domain)).scalars())
    return {row.id: row.digest for row in marks if row.id in here}


def _insert_run(db: Connection, domain: str, owner: str, given: GivenRun) -> None:
    if len(given.run_id) != 32 or not given.run_id.isalnum() or not given.run_id.isascii():
        raise Invalid(f"{given.run_id!r} is no id of a run.")
    experiment = experiments.check_active(experiments.find(db, domain, given.experiment_id))
    row = {
        "run_id": given.run_id,
        "domain": domain,
        "experiment": experiment.id,
        "name": given.name or runs.random_name(),
        "user_id": limits.check_length("The user", 256, given.user_id),
        "owner": owner,
        "status": given.status,
        "start_ms": given.start_ms,
        "end_ms": given.end_ms,
        "stage": experiments.ACTIVE,
        "artifact_uri": f"{experiment.artifact_location.rstrip('/')}/{given.run_id}/artifacts",
    }
    db.execute(insert(t.runs).values(**row))
    signal(db, "runs", domain, given.run_id)


def _own(domain: str, run_id: str) -> Select[tuple[int]]:
    c = t.runs.c
    return scope_query(select(c.id).where(c.run_id == run_id, c.stage == experiments.ACTIVE), c, domain)


def _pairs(given: Mapping[str, str]) -> list[Pair]:
    return [Pair(key, value) for key, value in given.items()]


def place_of(db: Connection, domain: str, kind: str, key: str) -> Place:
    """Where the files of a run or logged model of this domain lie."""
    if kind == "run":
        return places.parse(runs.info(db, domain, key).artifact_uri)
    return places.parse(str(logged_models.find(db, domain, key).artifact_uri))


def _mark(experiment_id: str) -> str:
    return f"experiment:{experiment_id}"
