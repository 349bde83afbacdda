"""Searching experiments and logged models."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, exists, false, func, select, true

from studio.errors import Invalid
from studio.store.tables import tracking as t
from studio.store.tenancy import FOUND, scope_query
from studio.tracking import conditions, experiments, filters, logged_models, pages
from studio.tracking.filters import Comparison
from studio.tracking.grammars import EXPERIMENTS, LOGGED_MODELS
from studio.tracking.pages import Sort
from studio.tracking.records import Experiment, LoggedModel
from studio.tracking.searching import STAGES

_e, _m = t.experiments.c, t.logged_models.c
_EXPERIMENT = {
    "name": _e.name,
    "experiment_id": _e.id,
    "creation_time": _e.created_ms,
    "last_update_time": _e.updated_ms,
}
_MODEL: dict[str, ColumnElement[Any]] = {
    "name": _m.name,
    "model_id": _m.model_id,
    "model_type": _m.model_type,
    "source_run_id": _m.source_run_id,
    "status": _m.status,
    "experiment_id": _m.experiment,
    "creation_timestamp_ms": _m.created_ms,
    "last_updated_timestamp_ms": _m.updated_ms,
}


def search_experiments(
    db: Connection,
    domain: str,
    *,
    filter_text: str = "",
    view: str = "ACTIVE_ONLY",
    max_results: int = 1000,
    order_by: Sequence[str] = (),
    page_token: str | None = None,
) -> tuple[list[Experiment], str | None]:
    """A page of experiments, newest first unless ordered, and the token of the next."""
    if view not in STAGES:
        raise Invalid(f"Invalid view type '{view}'", f"Use one of {sorted(STAGES)}.")
    sorts = [
        Sort(_EXPERIMENT[key], down)
        for _, key, down in (filters.parse_order(text, EXPERIMENTS) for text in order_by or ["creation_time DESC"])
    ]
    sorts.append(Sort(_e.id, bool(order_by)))  # as MLflow breaks ties: the newest first only where an order was given
    wanted = [_on_experiment(part) for part in filters.parse(filter_text, EXPERIMENTS).parts]
    query = scope_query(select(t.experiments), _e, domain).where(_e.stage.in_(STAGES[view]), *wanted)
    mark = ["experiments", domain, filter_text, view, list(order_by)]
    start = pages.decode(page_token, mark, len(sorts))
    if start is not None:
        query = query.where(pages.after(sorts, start))
    rows = db.execute(query.order_by(*pages.order(sorts)).limit(max_results + 1)).all()
    token = None
    if len(rows) > max_results:
        token = pages.encode(mark, [getattr(rows[max_results - 1], str(sort.column.key)) for sort in sorts])
    return experiments.load(db, rows[:max_results]), token


def run_counts(db: Connection, domain: str) -> dict[str, tuple[int, int | None]]:
    """Experiment id → (number of active runs, start of the newest in epoch ms), for those that have runs."""
    query = scope_query(select(t.runs.c.experiment, func.count(), func.max(t.runs.c.start_ms)), t.runs, domain)
    query = query.where(t.runs.c.stage == experiments.ACTIVE)
    return {str(number): (runs, last) for number, runs, last in db.execute(query.group_by(t.runs.c.experiment))}


def search_logged_models(
    db: Connection,
    domain: str,
    experiment_ids: Sequence[str],
    *,
    filter_text: str = "",
    datasets: Sequence[tuple[str, str]] = (),
    max_results: int = 50,
    order_by: Sequence[tuple[str, bool, str, str]] = (),
    page_token: str | None = None,
) -> tuple[list[LoggedModel], str | None]:
    """A page of logged models, newest first unless ordered by (field, ascending, data set's name, digest)."""
    parts = filters.parse(filter_text, LOGGED_MODELS).parts
    wanted = [_on_model(part, datasets) for part in parts]
    if datasets and not any(part.entity == "metric" for part in parts):
        wanted.append(exists().where(t.logged_model_metrics.c.model_id == _m.model_id, _on_datasets(datasets)))
    sorts: list[Sort] = []
    for field, ascending, name, digest in order_by:
        entity, key, _ = filters.parse_order(field, LOGGED_MODELS)
        column = _MODEL[key] if entity == "attribute" else _metric_of(key, name, digest)
        sorts.append(Sort(column, not ascending, nullable=entity == "metric"))
    sorts += [Sort(_m.created_ms, True), Sort(_m.model_id)]
    numbers = experiments.numbers(db, domain, experiment_ids)
    columns = [sort.column.label(f"sort_{n}") for n, sort in enumerate(sorts)]
    query = scope_query(select(t.logged_models, *columns), _m, FOUND).where(
        _m.experiment.in_(numbers), _m.stage != experiments.DELETED
    )
    query = query.where(*wanted)
    mark = ["models", domain, sorted(experiment_ids), filter_text, [list(item) for item in order_by]]
    start = pages.decode(page_token, mark, len(sorts))
    if start is not None:
        query = query.where(pages.after(sorts, start))
    rows = db.execute(query.order_by(*pages.order(sorts)).limit(max_results + 1)).all()
    token = pages.encode(mark, rows[max_results - 1][-len(sorts) :]) if len(rows) > max_results else None
    return logged_models.load(db, rows[:max_results]), token


def _on_experiment(part: Comparison) -> ColumnElement[bool]:
    if part.entity == "tag":
        return conditions.on_pairs(t.experiment_tags, t.experiment_tags.c.experiment == _e.id, part)
    if part.key == "experiment_id":
        if part.op in filters.STRING_OPS[2:]:
            raise Invalid(f"Invalid comparator for experiment_id: {part.op}")
        texts = part.value if isinstance(part.value, tuple) else (str(part.value),)
        numbers = tuple(experiments.parse_id(text) for text in texts)
        value: Any = numbers if isinstance(part.value, tuple) else numbers[0]
        return conditions.compare(_e.id, Comparison(part.entity, part.key, part.op, value))
    return conditions.compare(_EXPERIMENT[part.key], part)


def _on_model(part: Comparison, datasets: Sequence[tuple[str, str]]) -> ColumnElement[bool]:
    if part.entity == "attribute":
        return conditions.compare(_MODEL[part.key], part)
    if part.entity == "param":
        return conditions.on_pairs(t.logged_model_params, t.logged_model_params.c.model_id == _m.model_id, part)
    if part.entity == "tag":
        return conditions.on_pairs(t.logged_model_tags, t.logged_model_tags.c.model_id == _m.model_id, part)
    held = t.logged_model_metrics.c
    match = and_(held.model_id == _m.model_id, held.key == part.key, held.is_nan.is_(False))
    return exists().where(match, conditions.compare(held.value, part), _on_datasets(datasets))


def _on_datasets(datasets: Sequence[tuple[str, str]]) -> ColumnElement[bool]:
    held = t.logged_model_metrics.c
    if not datasets:
        return true()
    wanted: ColumnElement[bool] = false()
    for name, digest in datasets:
        one = held.dataset_name == name
        wanted = wanted | (one & (held.dataset_digest == digest) if digest else one)
    return wanted


def _metric_of(key: str, name: str, digest: str) -> ColumnElement[Any]:
    held = t.logged_model_metrics.alias()
    query = scope_query(select(held.c.value), _m, FOUND).where(held.c.model_id == _m.model_id, held.c.key == key)
    if name:
        query = query.where(held.c.dataset_name == name)
    if digest:
        query = query.where(held.c.dataset_digest == digest)
    newest = held.c.ts.desc(), held.c.step.desc(), held.c.run_id
    return query.order_by(*newest).limit(1).correlate(t.logged_models).scalar_subquery()


def datasets(db: Connection, domain: str, experiment_ids: Sequence[str]) -> list[tuple[str, str, str, str]]:
    """(experiment id, name, digest, context) of data sets that active runs of those experiments used, at most 1000."""
    held, used, tags = t.datasets.c, t.inputs.c, t.input_tags.c
    same = (tags.run == used.run) & (tags.dataset == used.dataset) & (tags.key == conditions.CONTEXT_TAG)
    source = t.inputs.join(t.datasets, held.id == used.dataset).join(t.runs, t.runs.c.id == used.run)
    query = select(held.experiment, held.name, held.digest, func.coalesce(tags.value, "")).distinct()
    query = query.select_from(source.outerjoin(t.input_tags, same)).where(
        held.experiment.in_(experiments.numbers(db, domain, experiment_ids)), t.runs.c.stage == experiments.ACTIVE
    )
    rows = db.execute(query.order_by(held.experiment, held.name, held.digest).limit(1000))
    return [(str(number), name, digest, context) for number, name, digest, context in rows]
