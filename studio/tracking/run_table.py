"""The table of runs: what its columns are, which runs it has in which order, what its keys and their values are."""

import re
from collections.abc import Collection, Sequence
from typing import Any

from msgspec import Struct
from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    FromClause,
    Table,
    and_,
    bindparam,
    exists,
    func,
    literal_column,
    or_,
    select,
)
from sqlalchemy import text as written

from studio.errors import Invalid
from studio.store.tables import tracking as t
from studio.store.tenancy import FOUND, scope_query
from studio.tracking import experiments, metrics, pages, searching
from studio.tracking.searching import Term

ARCHIVED_TAG = "studio.archived"  # put away, and shown on request: a tag, so that the mlflow client can read and set it
NOTE_TAG = "mlflow.note.content"
SAMPLE = 2000  # runs that are looked at to say how common a key is
MOST_VALUES = 50
ATTRIBUTES = frozenset({"run_name", "status", "start_time", "end_time", "duration", "user", "experiment", "run_id"})
_NAMES = {"user": "owner"}
_ENTITIES = {"metrics": "metric", "params": "param", "tags": "tag", "attributes": "attribute"}
_COLUMN = re.compile(r"(metrics|params|tags|attributes)\.([^#]+)(?:#(min|max))?")
# Written out, not bound: only so do databases see that the index of archived runs answers it.
_ARCHIVED = select(t.tags.c.run).where(t.tags.c.key == literal_column(f"'{ARCHIVED_TAG}'"))


class Column(Struct, frozen=True):
    """`entity` as searches have it: metric, metric_min, metric_max, param, tag or attribute."""

    entity: str
    key: str


class Query(Struct, frozen=True):
    """Which runs: MLflow's filter over experiments of a domain; archived ones only if wanted."""

    domain: str
    experiment_ids: Sequence[str]
    filter: str = ""
    view: str = "ACTIVE_ONLY"
    archived: bool = False


class Key(Struct, frozen=True):
    """A key that runs logged; `share` of the newest and some others that have it, 0 to 1."""

    name: str
    share: float


def column(text: str) -> Column:
    """The column called metrics.KEY, metrics.KEY#min, metrics.KEY#max, params.KEY, tags.KEY or attributes.NAME."""
    match = _COLUMN.fullmatch(text)
    if match is None or (match[3] and match[1] != "metrics"):
        raise Invalid(f"{text[:300]!r} is no column.", "Write metrics.KEY, metrics.KEY#max, params.KEY, tags.KEY.")
    if match[1] == "attributes" and match[2] not in ATTRIBUTES:
        raise Invalid(f"Runs have no attribute {match[2]!r}.", f"Use one of {sorted(ATTRIBUTES)}.")
    entity = _ENTITIES[match[1]]
    return Column(f"{entity}_{match[3]}" if match[3] else entity, match[2])


def term(text: str, descending: bool) -> Term:
    """The order by a column; params sort as numbers where they are some."""
    wanted = column(text)
    return {"param": "number"}.get(wanted.entity, wanted.entity), _NAMES.get(wanted.key, wanted.key), descending


def where(db: Connection, query: Query) -> list[ColumnElement[bool]]:
    """The conditions on `runs`."""
    wanted = searching.where(db, query.domain, query.experiment_ids, query.filter, query.view)
    return wanted if query.archived else [*wanted, t.runs.c.id.not_in(_ARCHIVED)]


def count(db: Connection, query: Query) -> int:
    """How many runs match."""
    counted = scope_query(select(func.count()).select_from(t.runs), t.runs, FOUND)
    return int(db.execute(counted.where(*where(db, query))).scalar_one())


def first(db: Connection, query: Query, terms: Sequence[Term], most: int) -> list[int]:
    """The internal numbers of the first runs."""
    wanted = where(db, query)
    found: list[int] = []
    for _, base, sorts in searching.phases(db, query.domain, query.experiment_ids, searching.complete(list(terms))):
        narrow = base.with_only_columns(t.runs.c.id).where(*wanted).order_by(*pages.order(sorts))
        found += db.execute(narrow.limit(most - len(found))).scalars()
        if len(found) >= most:
            break
    return found


def order(db: Connection, query: Query, terms: Sequence[Term]) -> str:
    """The internal numbers of all runs that match, in order, joined by commas: the database writes the text, since a
    hundred thousand numbers would hold this process up."""
    wanted = where(db, query)
    texts: list[str] = []
    for _, base, sorts in searching.phases(db, query.domain, query.experiment_ids, searching.complete(list(terms))):
        inner = base.with_only_columns(t.runs.c.id).where(*wanted).order_by(*pages.order(sorts)).subquery()
        number = inner.c.id.cast(t.runs.c.name.type)
        text = db.execute(select(func.aggregate_strings(number, ","))).scalar()
        if text:
            texts.append(text)
    return ",".join(texts)


def keys(db: Connection, query: Query) -> dict[str, list[Key]]:
    """The keys of metrics, params and tags of those experiments, the most common in the filtered runs first."""
    wanted = where(db, query)
    newest = scope_query(
        select(t.runs.c.id).where(*wanted).order_by(t.runs.c.start_ms.desc()).limit(SAMPLE // 4), t.runs, FOUND
    ).subquery()
    step = max(1, count(db, query) // SAMPLE)
    spread = scope_query(select(t.runs.c.id).where(*wanted, t.runs.c.id % step == 0), t.runs, FOUND)
    seen = select(newest.c.id).union(spread).subquery()
    total = db.execute(select(func.count()).select_from(seen)).scalar_one() or 1
    found: dict[str, list[Key]] = {}
    for entity, table in (("metrics", t.latest_metrics), ("params", t.params), ("tags", t.tags)):
        some = select(table.c.key, func.count()).where(table.c.run.in_(select(seen.c.id))).group_by(table.c.key)
        shares = {row[0]: row[1] / total for row in db.execute(some)}
        every = _metric_keys(db, query) if entity == "metrics" else _pair_keys(db, query, table, shares)
        names = metrics.key_names(db) if entity == "metrics" else {}
        listed = [Key(names.get(key, key), shares.get(key, 0.0)) for key in {*every, *shares}]
        found[entity] = sorted(listed, key=lambda item: (-item.share, item.name))
    return found


def values(db: Connection, query: Query, text: str, begins: str = "") -> list[tuple[str, int]]:
    """(value, number of runs) of a param, tag or attribute, the most common first; `begins` as they start."""
    source, value = valued(column(text))
    wanted = [*where(db, query), value.is_not(None)]
    if begins:
        text = re.sub(r"([/%_])", r"/\1", begins)
        wanted.append(value.like(_given(f"{text}%"), escape="/"))
    counted = select(value, func.count().label("runs")).select_from(source).where(*wanted).group_by(value)
    rows = db.execute(counted.order_by(func.count().desc(), value).limit(MOST_VALUES))
    return [(str(item), runs) for item, runs in rows]


def varying(db: Connection, query: Query, columns: Sequence[str]) -> list[str]:
    """Those of `columns` in which the runs that match are not all equal; without a value counts as a value."""
    wanted = where(db, query)
    found = []
    for text in columns:
        source, value = valued(column(text), db)
        sample = db.execute(select(value).select_from(source).where(*wanted).limit(1)).first()
        if sample is None:
            continue
        other = value.is_not(None) if sample[0] is None else or_(value.is_(None), value != _given(sample[0]))
        if db.execute(select(exists(select(value).select_from(source).where(*wanted, other)))).scalar():
            found.append(text)
    return found


def valued(wanted: Column, db: Connection | None = None) -> tuple[FromClause, ColumnElement[Any]]:
    """Runs with what a column has of them; a metric's value, which needs `db`, is null where it is NaN."""
    if wanted.entity == "attribute":
        return t.runs, searching.ATTRIBUTES[_NAMES.get(wanted.key, wanted.key)]
    if wanted.entity in searching.BOUNDS:
        if db is None:
            raise Invalid(f"{wanted.key!r} is a metric.", "Choose a param, a tag or an attribute.")
        return latest(db, t.runs, wanted)
    table = (t.params if wanted.entity == "param" else t.tags).alias()
    match = and_(table.c.run == t.runs.c.id, table.c.key == _given(wanted.key))
    return t.runs.outerjoin(table, match), table.c.value


def latest(db: Connection, source: FromClause, wanted: Column) -> tuple[FromClause, ColumnElement[Any]]:
    """`source`, which has `runs`, with a metric's last, lowest or highest value beside each."""
    table = t.latest_metrics.alias()
    number = metrics.key_id(db, wanted.key)
    match = and_(
        table.c.run == t.runs.c.id, table.c.key == _given(-1 if number is None else number), table.c.is_nan.is_(False)
    )
    return source.outerjoin(table, match), table.c[searching.BOUNDS[wanted.entity]]


def _given(value: Any) -> BindParameter[Any]:
    """A parameter whose name is none of those that the conditions of a filter have."""
    return bindparam("of_table", value, unique=True)


def _metric_keys(db: Connection, query: Query) -> list[int]:
    own = experiments.numbers(db, query.domain, query.experiment_ids)
    held = t.latest_metrics.c
    has = exists().where(held.key == t.metric_keys.c.id, held.experiment.in_(own))
    return list(db.execute(select(t.metric_keys.c.id).where(has)).scalars())


def _pair_keys(db: Connection, query: Query, table: Table, known: Collection[str]) -> list[str]:
    """Keys besides those `known`, from key to key along the index of values: none of the rows between is looked at.
    Keys that have only values too long for it, and clients' own tags, are found by the sample alone."""
    key, short = table.c.key, written(t.SHORT)
    if table is t.tags:
        short = written(f"{t.SHORT} AND {t.TAGS_BY_VALUE.format(key='key')}")
    found = select(func.min(key).label("key")).where(short).cte("found", recursive=True)
    after = select(func.min(key)).where(key > found.c.key, short).scalar_subquery()
    found = found.union_all(select(after).where(found.c.key.is_not(None)))
    numbers = experiments.numbers(db, query.domain, query.experiment_ids)
    one = table.alias("one")
    own = scope_query(
        select(one.c.run).join(t.runs, t.runs.c.id == one.c.run).where(t.runs.c.experiment.in_(numbers)), t.runs, FOUND
    )
    has = exists(own.where(one.c.key == found.c.key))
    return list(db.execute(select(found.c.key).where(found.c.key.not_in(known), has)).scalars())
