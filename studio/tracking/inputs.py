"""What runs used and made: data sets, models in, models out."""

from collections.abc import Sequence

from sqlalchemy import Connection, bindparam, insert, select

from studio.errors import Invalid
from studio.store import signal
from studio.store.prepared import Prepared
from studio.store.tables import tracking as t
from studio.store.tenancy import scope_query
from studio.tracking import handles, limits
from studio.tracking.records import Dataset, DatasetInput, ModelOutput

DATASETS_IN_CALL = 1000
SIZES = {"name": 500, "digest": 36, "source": 65_535, "schema": 1_048_575, "profile": 16_777_215}
_OUTPUT = ("run", "model_id", "step")
_INSERT_INPUT = Prepared(
    lambda insert: insert(t.inputs).values(run=bindparam("run"), dataset=bindparam("dataset")).on_conflict_do_nothing(),
    ("run", "dataset"),
)
_INSERT_MODEL = Prepared(
    lambda insert: (
        insert(t.model_inputs).values(run=bindparam("run"), model_id=bindparam("model_id")).on_conflict_do_nothing()
    ),
    ("run", "model_id"),
)
_INSERT_OUTPUT = Prepared(
    lambda insert: insert(t.model_outputs).values({name: bindparam(name) for name in _OUTPUT}).on_conflict_do_nothing(),
    _OUTPUT,
)


def log_inputs(
    db: Connection, domain: str, run_id: str, datasets: Sequence[DatasetInput], model_ids: Sequence[str] = ()
) -> None:
    """Says that a run used data sets and models; the same again changes nothing."""
    if len(datasets) > DATASETS_IN_CALL:
        raise Invalid(f"At most {DATASETS_IN_CALL} data sets can be logged in one call, not {len(datasets)}.")
    handle = handles.active(db, domain, run_id)
    for given in datasets:
        _check(given)
        number = _dataset(db, handle.experiment, given.dataset)
        if _INSERT_INPUT.one(db, (handle.id, number)).rowcount:
            rows = {tag.key: tag.value for tag in given.tags}
            for key, value in rows.items():
                db.execute(insert(t.input_tags).values(run=handle.id, dataset=number, key=key, value=value))
    _INSERT_MODEL.many(db, [(handle.id, model_id) for model_id in _own(db, domain, model_ids)])
    signal(db, "runs", domain, run_id)


def log_outputs(db: Connection, domain: str, run_id: str, outputs: Sequence[ModelOutput]) -> None:
    """Says which logged models a run made."""
    handle = handles.active(db, domain, run_id)
    own = _own(db, domain, [output.model_id for output in outputs])
    _INSERT_OUTPUT.many(db, [(handle.id, output.model_id, output.step) for output in outputs if output.model_id in own])
    signal(db, "runs", domain, run_id)


def _own(db: Connection, domain: str, model_ids: Sequence[str]) -> set[str]:
    if not model_ids:
        return set()
    query = scope_query(select(t.logged_models.c.model_id), t.logged_models, domain)
    return set(db.execute(query.where(t.logged_models.c.model_id.in_(model_ids))).scalars())


def _check(given: DatasetInput) -> None:
    for name, size in SIZES.items():
        limits.check_length(f"Dataset {name}", size, getattr(given.dataset, name) or "")
    if not given.dataset.name or not given.dataset.digest:
        raise Invalid("Dataset input must have a dataset with a name and a digest.")
    for tag in given.tags:
        limits.check_length("Dataset input tag key", 255, tag.key)
        limits.check_length("Dataset input tag value", 500, tag.value)


def _dataset(db: Connection, experiment: int, dataset: Dataset) -> int:
    c = t.datasets.c
    keep = (c.experiment == experiment) & (c.name == dataset.name) & (c.digest == dataset.digest)
    found = db.execute(select(c.id).where(keep)).scalar()
    if found is not None:
        return int(found)
    made = db.execute(
        insert(t.datasets).values(
            experiment=experiment,
            name=dataset.name,
            digest=dataset.digest,
            source_type=dataset.source_type,
            source=dataset.source,
            schema=dataset.schema,
            profile=dataset.profile,
        )
    )
    return int(made.inserted_primary_key[0])  # type: ignore[index]
