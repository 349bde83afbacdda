"""Logging metrics: every value kept once, and beside it the latest, lowest and highest of each key."""

import math
from collections.abc import Sequence
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, bindparam, case, select, tuple_

from studio.store import signal
from studio.store.cache import cache
from studio.store.prepared import Insert, Prepared
from studio.store.tables import tracking as t
from studio.store.tenancy import scope_query
from studio.tracking import handles, limits
from studio.tracking.records import Metric

_ORDER = itemgetter(2, 3, 4)  # step, timestamp, value of a row
_ROW = ("run", "key", "step", "ts", "value", "is_nan")
_LATEST = ("run", "key", "experiment", "value", "is_nan", "step", "ts", "low", "high")
_MODEL = ("model_id", "key", "ts", "step", "run_id", "value", "is_nan", "dataset_name", "dataset_digest")


def _upsert_latest(insert: Insert) -> Any:
    """The later of two values by (step, timestamp, value), as in MLflow; bounds leave NaN out."""
    statement = insert(t.latest_metrics).values({name: bindparam(name) for name in _LATEST})
    new, old = statement.excluded, t.latest_metrics.c
    is_newer = tuple_(new.step, new.ts, new.value) > tuple_(old.step, old.ts, old.value)
    changes: dict[str, Any] = {
        name: case((is_newer, new[name]), else_=old[name]) for name in ("value", "is_nan", "step", "ts")
    }
    changes["low"] = case((old.low.is_(None), new.low), (new.low < old.low, new.low), else_=old.low)
    changes["high"] = case((old.high.is_(None), new.high), (new.high > old.high, new.high), else_=old.high)
    return statement.on_conflict_do_update(index_elements=["run", "key"], set_=changes)


_INSERT = Prepared(
    lambda insert: insert(t.metrics).values({name: bindparam(name) for name in _ROW}).on_conflict_do_nothing(), _ROW
)
_UPSERT = Prepared(_upsert_latest, _LATEST)
_INSERT_MODEL = Prepared(
    lambda insert: (
        insert(t.logged_model_metrics).values({name: bindparam(name) for name in _MODEL}).on_conflict_do_nothing()
    ),
    _MODEL,
)
_INSERT_KEY = Prepared(
    lambda insert: insert(t.metric_keys).values(name=bindparam("name")).on_conflict_do_nothing(), ("name",)
)
_KEY_ID = Prepared(lambda _: select(t.metric_keys.c.id).where(t.metric_keys.c.name == bindparam("name")), ("name",))


def log(db: Connection, domain: str, run_id: str, metrics: Sequence[Metric]) -> None:
    """Logs metrics of an active run; what is there already (same key, step, time and value) stays as it is."""
    by_name = _by_name(metrics)
    handle = handles.active(db, domain, run_id)
    if not metrics:
        return
    keys: dict[str, int] = cache(db).setdefault("tracking.keys", {})
    rows: list[tuple[Any, ...]] = []
    latest: list[tuple[Any, ...]] = []
    for name, given in by_name.items():
        key = keys.get(name) or intern(db, name)
        # A value that differs from itself is NaN. With whole lists at a time: these are the hot loops of this wire.
        of_key = [
            (handle.id, key, m.step, m.timestamp, m.value, False)
            if m.value == m.value
            else (handle.id, key, m.step, m.timestamp, 0.0, True)
            for m in given
        ]
        rows += of_key
        _, _, step, ts, value, is_nan = max(of_key, key=_ORDER) if len(of_key) > 1 else of_key[0]
        numbers = [row[4] for row in of_key if not row[5]]
        bounds = (min(numbers), max(numbers)) if numbers else (None, None)
        latest.append((handle.id, key, handle.experiment, value, is_nan, step, ts, *bounds))
    _INSERT.many(db, rows)
    _UPSERT.many(db, latest)
    of_models = [metric for metric in metrics if metric.model_id]
    if of_models:
        log_of_models(db, domain, run_id, of_models)
    signal(db, "runs", domain, run_id)


def _by_name(metrics: Sequence[Metric]) -> dict[str, list[Metric]]:
    """The metrics of each key, in order; `Invalid` for the first that may not be."""
    found: dict[str, list[Metric]] = {}
    for number, metric in enumerate(metrics):
        given = found.get(metric.key)
        if given is None:
            found[metric.key] = [metric]
        else:
            given.append(metric)
            if 0 <= metric.timestamp < limits.INT64 and -limits.INT64 <= metric.step < limits.INT64:
                continue
        limits.check_metric(metric, f"metrics[{number}]" if len(metrics) > 1 else "")
    return found


def intern(db: Connection, name: str) -> int:
    """The number of a metric key, made at its first use."""
    found = _KEY_ID.first(db, (name,))
    if found is None:
        _INSERT_KEY.many(db, [(name,)])
        found = _KEY_ID.first(db, (name,))
    assert found is not None
    keys: dict[str, int] = cache(db).setdefault("tracking.keys", {})
    keys[name] = int(found[0])
    return keys[name]


def key_id(db: Connection, name: str) -> int | None:
    """The number of a metric key, if it was ever used; for reading."""
    keys: dict[str, int] = cache(db).setdefault("tracking.keys", {})
    if name not in keys:
        found = _KEY_ID.first(db, (name,))
        if found is None:
            return None
        keys[name] = int(found[0])
    return keys[name]


def known_names(db: Connection) -> dict[int, str]:
    """Those metric keys by number that this connection has asked for already."""
    names: dict[int, str] = cache(db).setdefault("tracking.names", {})
    return names


def key_names(db: Connection) -> dict[int, str]:
    """All metric keys by number; a reader asks again only when it meets a number that it does not know."""
    names = known_names(db)
    last = max(names, default=0)
    for row in db.execute(select(t.metric_keys).where(t.metric_keys.c.id > last)):
        names[row.id] = row.name
    return names


def log_of_models(db: Connection, domain: str, run_id: str, metrics: Sequence[Metric]) -> None:
    ids = {metric.model_id for metric in metrics}
    query = scope_query(select(t.logged_models.c.model_id), t.logged_models, domain).where(
        t.logged_models.c.model_id.in_(ids)
    )
    own = set(db.execute(query).scalars())
    rows: list[tuple[Any, ...]] = []
    for metric in metrics:
        if metric.model_id in own:
            is_nan = math.isnan(metric.value)
            value = 0.0 if is_nan else metric.value
            names = metric.dataset_name or None, metric.dataset_digest or None
            rows.append((metric.model_id, metric.key, metric.timestamp, metric.step, run_id, value, is_nan, *names))
    _INSERT_MODEL.many(db, rows)
