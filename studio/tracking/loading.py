"""The data of runs, fetched for a whole page at once."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import BindParameter, Connection, Select, bindparam, select

from studio.store.tables import tracking as t
from studio.tracking import metrics, runs
from studio.tracking.records import Dataset, DatasetInput, Latest, ModelOutput, Pair, Run, RunInfo

CHUNK = 500  # ids in one statement: databases bound them, SQLite at 32,766
_NAN = float("nan")
_IDS: BindParameter[Any] = bindparam("ids", expanding=True)
_m, _l = t.latest_metrics.c, t.datasets.c
_METRICS = select(_m.run, _m.key, _m.value, _m.ts, _m.step, _m.low, _m.high, _m.is_nan).where(_m.run.in_(_IDS))
_PARAMS = select(t.params).where(t.params.c.run.in_(_IDS))
_TAGS = select(t.tags).where(t.tags.c.run.in_(_IDS))
_INPUTS = (
    select(t.inputs.c.run, _l.id, _l.name, _l.digest, _l.source_type, _l.source, _l.schema, _l.profile)
    .join(t.datasets, _l.id == t.inputs.c.dataset)
    .where(t.inputs.c.run.in_(_IDS))
)
_INPUT_TAGS = select(t.input_tags).where(t.input_tags.c.run.in_(_IDS))
_MODEL_INPUTS = select(t.model_inputs).where(t.model_inputs.c.run.in_(_IDS))
_MODEL_OUTPUTS = select(t.model_outputs).where(t.model_outputs.c.run.in_(_IDS))


def get(db: Connection, domain: str, run_id: str) -> Run:
    """One run, deleted or not, with its data."""
    return load(db, [runs.info(db, domain, run_id)])[0]


def load(db: Connection, infos: Sequence[RunInfo]) -> list[Run]:
    """The runs of `infos`, in their order, with their data: seven queries for each 500."""
    ids = [info.id for info in infos]
    values = _latest(db, ids)
    params, tags = _pairs(db, _PARAMS, ids), _pairs(db, _TAGS, ids)
    datasets = _datasets(db, ids)
    sources: dict[int, list[str]] = defaultdict(list)
    for run, model_id in _rows(db, _MODEL_INPUTS, ids):
        sources[run].append(model_id)
    outputs: dict[int, list[ModelOutput]] = defaultdict(list)
    for run, model_id, step in _rows(db, _MODEL_OUTPUTS, ids):
        outputs[run].append(ModelOutput(model_id, step))
    return [
        Run(
            info,
            values.get(info.id, []),
            params.get(info.id, []),
            tags.get(info.id, []),
            datasets.get(info.id, []),
            sources.get(info.id, []),
            outputs.get(info.id, []),
        )
        for info in infos
    ]


def _latest(db: Connection, ids: Sequence[int]) -> dict[int, list[Latest]]:
    found: dict[int, list[Latest]] = defaultdict(list)
    names: dict[int, str] = {}
    for run, key, value, ts, step, low, high, is_nan in _rows(db, _METRICS, ids):
        name = names.get(key)
        if name is None:
            names = metrics.key_names(db)
            name = names[key]
        found[run].append(Latest(name, _NAN if is_nan else value, ts, step, low, high))
    return found


def _pairs(db: Connection, query: Select[Any], ids: Sequence[int]) -> dict[int, list[Pair]]:
    found: dict[int, list[Pair]] = defaultdict(list)
    for run, key, value in _rows(db, query, ids):
        found[run].append(Pair(key, value))
    return found


def _datasets(db: Connection, ids: Sequence[int]) -> dict[int, list[DatasetInput]]:
    tags: dict[tuple[int, int], list[Pair]] = defaultdict(list)
    for run, dataset, key, value in _rows(db, _INPUT_TAGS, ids):
        tags[run, dataset].append(Pair(key, value))
    found: dict[int, list[DatasetInput]] = defaultdict(list)
    for run, number, *fields in _rows(db, _INPUTS, ids):
        found[run].append(DatasetInput(Dataset(*fields), tags.get((run, number), [])))
    return found


def _rows(db: Connection, query: Select[Any], ids: Sequence[int]) -> Iterator[Any]:
    for start in range(0, len(ids), CHUNK):
        result = db.execute(query, {"ids": ids[start : start + CHUNK]})
        # The driver's own tuples: a page has thousands of rows, and SQLAlchemy's cost as much again.
        yield from result.cursor.fetchall()
        result.close()
