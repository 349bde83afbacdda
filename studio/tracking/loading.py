"""The data of runs, fetched for a whole page at once."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, Connection, Select, bindparam, select

from studio.store import statements
from studio.store.tables import tracking as t
from studio.store.tenancy import FOUND, scope_query
from studio.tracking import metrics, runs
from studio.tracking.records import Dataset, DatasetInput, Latest, ModelOutput, Pair, Run, RunInfo

SIZES = (1, 10, 100, 500)  # ids in one statement: databases bound them, SQLite at 32,766
_NAN = float("nan")
_r, _m, _l = t.runs.c, t.latest_metrics.c, t.datasets.c
# Name → the query, and the column that the ids are of.
_QUERIES: dict[str, tuple[Select[Any], ColumnElement[int]]] = {
    "info": (scope_query(select(*(_r[name] for name in runs.INFO)), _r, FOUND), _r.id),
    "metrics": (select(_m.run, _m.key, _m.value, _m.ts, _m.step, _m.low, _m.high, _m.is_nan), _m.run),
    "params": (select(t.params.c.run, t.params.c.key, t.params.c.value), t.params.c.run),
    "tags": (select(t.tags.c.run, t.tags.c.key, t.tags.c.value), t.tags.c.run),
    "inputs": (
        select(
            t.inputs.c.run, _l.id, _l.name, _l.digest, _l.source_type, _l.source, _l.schema, _l.profile
        ).join(t.datasets, _l.id == t.inputs.c.dataset),
        t.inputs.c.run,
    ),
    "input_tags": (select(t.input_tags), t.input_tags.c.run),
    "model_inputs": (select(t.model_inputs), t.model_inputs.c.run),
    "model_outputs": (select(t.model_outputs), t.model_outputs.c.run),
}  # fmt: skip


def get(db: Connection, domain: str, run_id: str) -> Run:
    """One run, deleted or not, with its data."""
    return load(db, [runs.info(db, domain, run_id)])[0]


def by_number(db: Connection, numbers: Sequence[int]) -> list[Run]:
    """The runs with those internal numbers, in this order, with their data; the numbers come from a search."""
    infos = {row[0]: runs.record(row) for row in _rows(db, "info", numbers)}
    return load(db, [infos[number] for number in numbers])


def load(db: Connection, infos: Sequence[RunInfo]) -> list[Run]:
    """The runs of `infos`, in their order, with their data: seven queries for each 500."""
    ids = [info.id for info in infos]
    values = _latest(db, ids)
    params, tags = _pairs(db, "params", ids), _pairs(db, "tags", ids)
    datasets = _datasets(db, ids)
    sources: dict[int, list[str]] = defaultdict(list)
    for run, model_id in _rows(db, "model_inputs", ids):
        sources[run].append(model_id)
    outputs: dict[int, list[ModelOutput]] = defaultdict(list)
    for run, model_id, step in _rows(db, "model_outputs", ids):
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
    found: dict[int, list[Latest]] = {number: [] for number in ids}
    names = metrics.known_names(db)
    for run, key, value, ts, step, low, high, is_nan in _rows(db, "metrics", ids):
        name = names.get(key)
        if name is None:
            names = metrics.key_names(db)
            name = names[key]
        found[run].append(Latest(name, _NAN if is_nan else value, ts, step, low, high))
    return found


def _pairs(db: Connection, name: str, ids: Sequence[int]) -> dict[int, list[Pair]]:
    found: dict[int, list[Pair]] = {number: [] for number in ids}
    for run, key, value in _rows(db, name, ids):
        found[run].append(Pair(key, value))
    return found


def _datasets(db: Connection, ids: Sequence[int]) -> dict[int, list[DatasetInput]]:
    found: dict[int, list[DatasetInput]] = defaultdict(list)
    used = list(_rows(db, "inputs", ids))
    tags: dict[tuple[int, int], list[Pair]] = defaultdict(list)
    for run, dataset, key, value in _rows(db, "input_tags", ids) if used else ():
        tags[run, dataset].append(Pair(key, value))
    for run, number, *fields in used:
        found[run].append(DatasetInput(Dataset(*fields), tags.get((run, number), [])))
    return found


def _rows(db: Connection, name: str, ids: Sequence[int]) -> Iterator[Any]:
    query, column = _QUERIES[name]
    for start in range(0, len(ids), SIZES[-1]):
        some = ids[start : start + SIZES[-1]]
        # Few texts for all sizes of pages: what is missing is filled up with the last id once more.
        size = next(size for size in SIZES if size >= len(some))
        values = {f"id_{n}": number for n, number in enumerate([*some, *[some[-1]] * (size - len(some))])}
        build = partial(_of, query, column, list(values))
        yield from statements.rows(db, ("loading", name, size), values, build)


def _of(query: Select[Any], column: ColumnElement[int], names: Sequence[str]) -> Select[Any]:
    marks: list[BindParameter[Any]] = [bindparam(name) for name in names]
    return query.where(column.in_(marks))
