"""The table of runs: windows of an order, groups, keys, changes of many, saved views."""

from typing import Annotated, Any

from pydantic import Field

from studio.wire.rest.schemas.base import Answer, Body
from studio.wire.rest.schemas.tracking import RunAnswer

ColumnName = Annotated[
    str,
    Field(max_length=300, description="metrics.KEY, metrics.KEY#min or #max, params.KEY, tags.KEY, attributes.NAME"),
]


class RunColumnOrder(Body):
    """One column that the table is sorted by."""

    column: ColumnName
    descending: bool = False


class RunTableQuery(Body):
    """Which runs: MLflow's filter language. Without `experiment_ids`: all of the domain's active ones."""

    experiment_ids: list[str] | None = Field(None, max_length=5000)
    filter: str = Field("", max_length=10_000)
    view: str = Field("ACTIVE_ONLY", description="ACTIVE_ONLY, DELETED_ONLY or ALL")
    archived: bool = Field(False, description="Archived runs too: those with the tag studio.archived")


class RunOrderQuery(RunTableQuery):
    """`known`: the hash of the order that the client has; it is not sent again while it holds."""

    order: list[RunColumnOrder] = Field(default_factory=list, max_length=8)
    known: str = Field("", max_length=64)


class RunWindowQuery(RunTableQuery):
    """The first rows. Without `columns`: all data of the runs."""

    order: list[RunColumnOrder] = Field(default_factory=list, max_length=8)
    columns: list[ColumnName] | None = Field(None, max_length=600)
    first: int = Field(60, ge=1, le=200)


class RunWindowAnswer(Answer):
    """`total` match, of `all`; `runs` are the first of them."""

    total: int
    all: int
    runs: list[RunAnswer]


class RunOrderAnswer(Answer):
    """The numbers of all runs in order; null if they are as `known` says."""

    hash: str
    numbers: list[int] | None


class RunRowsQuery(Body):
    """Runs by number or by id, in this order. Without `columns`: all data of the runs."""

    numbers: list[int] = Field(default_factory=list, max_length=1000)
    run_ids: list[str] = Field(default_factory=list, max_length=1000)
    columns: list[ColumnName] | None = Field(None, max_length=600)


class RunKeyAnswer(Answer):
    """`share`: how many of the newest and some other runs have it, 0 to 1."""

    name: str
    share: float


class RunKeysAnswer(Answer):
    """Every key that runs of the experiments logged, the most common in the filtered ones first."""

    metrics: list[RunKeyAnswer]
    params: list[RunKeyAnswer]
    tags: list[RunKeyAnswer]


class RunValuesQuery(RunTableQuery):
    """Values of a param, tag or attribute, those that begin so."""

    column: ColumnName
    begins: str = Field("", max_length=500)


class RunValueAnswer(Answer):
    """A value and how many of the runs have it."""

    value: str
    runs: int


class RunVaryingQuery(RunTableQuery):
    """Which of these columns are not the same in all runs that match."""

    columns: list[ColumnName] = Field(max_length=600)


class RunGroupsQuery(RunTableQuery):
    """Groups by a param, tag or attribute; `columns`: metrics, their bounds, attributes.duration."""

    by: ColumnName
    columns: list[ColumnName] = Field(default_factory=list, max_length=600)


class RunFiguresAnswer(Answer):
    """Of one column in one group; the deviation is the sample's."""

    runs: int
    mean: float | None
    deviation: float | None
    low: float | None
    high: float | None


class RunGroupAnswer(Answer):
    """Runs with the same value; null: without one."""

    value: str | None
    runs: int
    newest_ms: int | None
    figures: list[RunFiguresAnswer]


class RunGroupsAnswer(Answer):
    """The largest groups, and how many there are in all."""

    groups: list[RunGroupAnswer]
    total: int


class RunsChange(Body):
    """What is given changes in all of `run_ids` or in none: deleted or restored; tags set, or deleted by null."""

    run_ids: list[str] = Field(min_length=1, max_length=1000)
    deleted: bool | None = None
    tags: dict[str, str | None] = Field(default_factory=dict, max_length=100)


class RunsChanged(Answer):
    """How many runs there were."""

    changed: int


class RunViewBody(Body):
    """What is shown, as the panel writes it."""

    name: str = Field(min_length=1, max_length=100)
    state: dict[str, Any]
    is_default: bool = Field(False, description="Shown first to everybody in the domain")


class RunViewAnswer(Answer):
    """A saved view; `owner` saved it last."""

    name: str
    owner: str
    state: dict[str, Any]
    is_default: bool
    updated_ms: int


class NewExperiment(Body):
    """Parts of the name divided by slashes are shown as folders."""

    name: str = Field(min_length=1, max_length=500)


class ExperimentChange(Body):
    """Another name, or deleted with its runs and restored with them."""

    name: str | None = Field(None, max_length=500)
    deleted: bool | None = None
