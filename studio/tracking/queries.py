"""The SELECTs of a search for runs: sorting all that match, or walking an index in its order and stopping early.

Each gives (internal number, sort values …); the sort values are those of all terms, whichever query gave them, so that
a page may continue what another query began.
"""

from collections.abc import Sequence
from typing import Any

from msgspec import Struct
from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    FromClause,
    Select,
    bindparam,
    exists,
    func,
    literal_column,
    select,
)

from studio.store.statements import rows
from studio.store.tables import tracking as t
from studio.store.tenancy import FOUND, scope_query
from studio.tracking import conditions, orders, pages
from studio.tracking.filters import And
from studio.tracking.orders import NEWEST, Term
from studio.tracking.pages import Sort

HEAD = 200  # characters; longer params and tags are not in the index of values


class Search(Struct, frozen=True):
    """What is looked for: experiments by internal number, stages, a filter, an order; `given` are its parameters."""

    experiments: tuple[int, ...]
    stages: tuple[str, ...]
    tree: And
    terms: tuple[Term, ...]
    given: dict[str, Any]

    def narrowed(self, experiment: int, stages: tuple[str, ...]) -> "Search":
        """The part of it in one experiment and those stages."""
        if (experiment,) == self.experiments and stages == self.stages:
            return self
        given = {**self.given, "experiment_0": experiment, **{f"stage_{n}": stage for n, stage in enumerate(stages)}}
        return Search((experiment,), stages, self.tree, self.terms, given)

    @property
    def shape(self) -> tuple[Any, ...]:
        """Decides the text of the queries."""
        own = tuple(self.is_own(n) for n in range(len(self.tree.parts)))
        return len(self.experiments), len(self.stages), conditions.shape(self.tree), orders.shape(self.terms), own

    def is_own(self, n: int) -> bool:
        """Whether the comparison number `n` is of the metric that is sorted by first."""
        part = self.tree.parts[n]
        return (part.entity, part.key) == self.terms[0][:2] == ("metric", part.key)


class Leg(Struct, frozen=True):
    """A stretch of the order that one index has. `rank` 0: those with the metric that is sorted by first, by its value;
    1: those where it is NaN; 2: those without it; none: it is no metric that is sorted by first, but the start."""

    rank: int | None

    @property
    def skipped(self) -> int:
        """How many sort values all runs of the leg share, which its query therefore leaves out."""
        return {None: 0, 0: 1}.get(self.rank, 2)

    def is_long(self, search: Search) -> bool:
        """Whether it may be long and is sorted by a column of its index, so that walking can end on the way."""
        return self.rank in (None, 0) or (self.rank == 2 and search.terms[1] == NEWEST[0])

    def streams(self, search: Search) -> list[Search]:
        """`search` in parts, each of which is one stretch of the leg's index."""
        stages = [search.stages] if self.rank in (0, 1) else [(stage,) for stage in search.stages]
        return [search.narrowed(number, some) for number in search.experiments for some in stages]

    def whole(self, row: Sequence[Any]) -> tuple[Any, ...]:
        """A row of the leg's query with all its sort values."""
        shared = {None: (), 0: (0,), 1: (1, 0.0), 2: (2, None)}[self.rank]
        return (row[0], *shared, *row[1:])


def make(db: Connection, numbers: Sequence[int], stages: Sequence[str], tree: And, terms: Sequence[Term]) -> Search:
    """A search with its parameters."""
    given = conditions.values(db, tree) | orders.values(db, terms)
    given |= {f"experiment_{n}": number for n, number in enumerate(numbers)}
    given |= {f"stage_{n}": stage for n, stage in enumerate(stages)}
    return Search(tuple(numbers), tuple(stages), tree, tuple(terms), given)


def sorted_all(
    db: Connection, search: Search, after: Sequence[Any] | None, most: int, driver: int | None = None
) -> list[Any]:
    """The first `most` rows after the one that had the sort values `after`; all that match are sorted.

    With `driver`, the number of a comparison, the runs that it lets through are found first, by its index.
    """

    def build() -> Select[Any]:
        source, sorts = orders.joined(t.runs, search.terms, search.given)
        columns = [sort.column.label(f"sort_{n}") for n, sort in enumerate(sorts)]
        query = scope_query(select(t.runs.c.id, *columns), t.runs, FOUND).select_from(source)
        experiment: ColumnElement[Any] = t.runs.c.experiment
        if driver is not None:
            # The sum keeps the database from beginning with the index of experiments instead.
            experiment = experiment + literal_column("0")
            query = query.where(t.runs.c.id.in_(posting(search, driver)))
        left_out = () if driver is None else (driver,)
        query = query.where(
            _one_of(experiment, "experiment", search.experiments), _one_of(t.runs.c.stage, "stage", search.stages),
            *conditions.of_runs(search.tree, search.given, leave_out=left_out),
        )  # fmt: skip
        if after is not None:
            query = query.where(pages.after(sorts, _marks(after, sorts, 0)))
        return query.order_by(*pages.order(sorts)).limit(bindparam("most", 0))

    shape = ("sorted", search.shape, driver, _nulls(after))
    return rows(db, shape, {**search.given, **_values(after), "most": most}, build)


def walked(
    db: Connection, search: Search, leg: Leg, after: Sequence[Any] | None, most: int, until: Any = None
) -> list[Any]:
    """The first `most` rows of a leg, whole, after the one that had the sort values `after`; the index is walked.

    `search` must be of one experiment and, but for the ranks 0 and 1, of one stage. `until`: no further than this value
    of the first column.
    """

    def build() -> Select[Any]:
        query, sorts = _leg(search, leg)
        if after is not None:
            query = query.where(pages.after(sorts, _marks(after, sorts, leg.skipped)))
        if until is not None:
            first = sorts[0]
            end: BindParameter[Any] = bindparam("until", until, first.column.type)
            query = query.where(first.column >= end if first.descending else first.column <= end)
        columns = [sort.column.label(f"sort_{n}") for n, sort in enumerate(sorts)]
        return query.add_columns(*columns).order_by(*pages.order(sorts)).limit(bindparam("most", 0))

    shape = ("walked", search.shape, leg.rank, _nulls(after), until is not None)
    values = {**search.given, **_values(after), "most": most, "until": until}
    return [leg.whole(row) for row in rows(db, shape, values, build)]


def horizon(db: Connection, search: Search, leg: Leg, after: Sequence[Any] | None, distance: int) -> Any:
    """The value of the leg's first column so many rows of the index further on; none if it has fewer."""
    entity, _, descending = search.terms[0]
    by_value = leg.rank == 0
    column: ColumnElement[Any] = t.latest_metrics.c.value if by_value else t.runs.c.start_ms
    descending = descending if by_value or entity == "attribute" else True

    def build() -> Select[Any]:
        query = select(column)
        if by_value:
            c = t.latest_metrics.c
            query = query.where(c.experiment == _named(search, "experiment_0"), c.key == _named(search, "by_0"))
            query = query.where(c.is_nan.is_(False))
        else:
            query = query.where(
                t.runs.c.experiment == _named(search, "experiment_0"), t.runs.c.stage == _named(search, "stage_0")
            )
        if after is not None:
            mark: BindParameter[Any] = bindparam(f"after_{leg.skipped}", after[leg.skipped], column.type)
            query = query.where(column <= mark if descending else column >= mark)
        query = query.order_by(column.desc() if descending else column)
        return query.limit(1).offset(bindparam("distance", 0))

    shape = ("horizon", leg.rank, descending, after is None)
    found = rows(db, shape, {**search.given, **_values(after), "distance": distance}, build)
    return found[0][0] if found else None


def posting(search: Search, n: int) -> Select[Any]:
    """The numbers of the runs that the comparison number `n` lets through, from an index that has them together."""
    part, given = search.tree.parts[n], search.given
    key = _named(search, f"keyed_{n}")
    if part.entity == "metric":
        c = t.latest_metrics.alias(f"posting_{n}").c
        query = select(c.run).where(_one_of(c.experiment, "experiment", search.experiments), c.key == key)
        return query.where(conditions.on_metric(c, part, n, given))
    table = t.params if part.entity == "param" else t.tags
    name = f"posting_{n}"
    c = table.alias(name).c
    query = select(c.run).where(
        c.key == key, conditions.compare(c.value, part, conditions.bound(c.value, part, n, given))
    )
    # In the words of the index, else it is not taken.
    query = query.where(func.length(c.value) <= literal_column(str(HEAD)))
    if part.entity == "tag":
        query = query.where(literal_column(t.TAGS_BY_VALUE.format(key=f"{name}.key")))
    return query


def has_posting(search: Search, n: int) -> bool:
    """Whether an index has the runs of the comparison number `n` together."""
    part = search.tree.parts[n]
    if part.entity == "metric":
        return part.op != "!="
    if part.entity == "tag" and part.key.startswith("mlflow.") and part.key != t.PARENT_TAG:
        return False
    return part.entity in ("param", "tag") and part.op == "=" and len(str(part.value)) <= HEAD


def posted(db: Connection, search: Search, n: int, most: int) -> int:
    """How many runs that comparison lets through, in all experiments together; no more than `most` are counted."""

    def build() -> Select[Any]:
        some = posting(search, n).limit(bindparam("most", 0)).subquery()
        return select(func.count()).select_from(some)

    shape = ("posted", n, len(search.experiments), conditions.shape(search.tree)[n])
    return int(rows(db, shape, {**search.given, "most": most}, build)[0][0])


def counted(db: Connection, search: Search) -> int:
    """How many runs match."""

    def build() -> Select[Any]:
        return scope_query(select(func.count()).select_from(t.runs), t.runs, FOUND).where(
            _one_of(t.runs.c.experiment, "experiment", search.experiments),
            _one_of(t.runs.c.stage, "stage", search.stages),
            *conditions.of_runs(search.tree, search.given),
        )  # fmt: skip

    shape = ("counted", len(search.experiments), len(search.stages), conditions.shape(search.tree))
    return int(rows(db, shape, search.given, build)[0][0])


def _leg(search: Search, leg: Leg) -> tuple[Select[Any], list[Sort]]:
    """A leg's query, with nothing but the number in it yet, and what it is sorted by."""
    if leg.rank in (0, 1):
        latest = t.latest_metrics.alias("ordered")
        source: FromClause = latest.join(t.runs, t.runs.c.id == latest.c.run)
        source, sorts = orders.joined(source, search.terms, search.given, 1)
        own = [n for n in range(len(search.tree.parts)) if search.is_own(n)]
        query = scope_query(select(t.runs.c.id), t.runs, FOUND).select_from(source).where(
            latest.c.experiment == _named(search, "experiment_0"), latest.c.key == _named(search, "by_0"),
            latest.c.is_nan.is_(leg.rank == 1), _one_of(t.runs.c.stage, "stage", search.stages),
            *(conditions.on_metric(latest.c, search.tree.parts[n], n, search.given) for n in own),
            *conditions.of_runs(search.tree, search.given, latest.c.run, own),
        )  # fmt: skip
        return query, [Sort(latest.c.value, search.terms[0][2]), *sorts] if leg.rank == 0 else sorts
    source, sorts = orders.joined(t.runs, search.terms, search.given, 0 if leg.rank is None else 1)
    query = scope_query(select(t.runs.c.id), t.runs, FOUND).select_from(source).where(
        t.runs.c.experiment == _named(search, "experiment_0"), t.runs.c.stage == _named(search, "stage_0"),
        *conditions.of_runs(search.tree, search.given),
    )  # fmt: skip
    if leg.rank == 2:
        held = t.latest_metrics.alias("held").c
        query = query.where(~exists().where(held.run == t.runs.c.id, held.key == _named(search, "by_0")))
    return query, sorts


def _named(search: Search, name: str) -> Any:
    return bindparam(name, search.given[name])


def _one_of(column: ColumnElement[Any], name: str, values: Sequence[Any]) -> ColumnElement[bool]:
    # With "=" a database can take the order from the index, with IN it sorts.
    if len(values) == 1:
        return column == bindparam(f"{name}_0", values[0])
    return column.in_([bindparam(f"{name}_{n}", value) for n, value in enumerate(values)])


def _marks(after: Sequence[Any], sorts: Sequence[Sort], skipped: int) -> list[Any]:
    numbered = list(enumerate(after))[skipped:]
    return [
        None if value is None else bindparam(f"after_{n}", value, sort.column.type)
        for sort, (n, value) in zip(sorts, numbered, strict=True)
    ]


def _nulls(after: Sequence[Any] | None) -> tuple[bool, ...] | None:
    return None if after is None else tuple(value is None for value in after)


def _values(after: Sequence[Any] | None) -> dict[str, Any]:
    return {} if after is None else {f"after_{n}": value for n, value in enumerate(after) if value is not None}
