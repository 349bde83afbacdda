"""Data sets."""

from pydantic import Field

from studio.wire.rest.schemas.base import Answer, Body

Cell = str | int | float | bool | None


class DatasetBody(Body):
    """A file to register."""

    name: str
    path: str = Field(description="Relative to the volume: shared/weather.csv, or <your name>/x.csv")


class DatasetAnswer(Answer):
    """A data set with its newest version; `state`: Profiling, Ready or Failed, of the newest look at the file."""

    name: str
    path: str
    owner: str
    state: str
    error: str
    version: int | None
    hash: str | None = Field(description="SHA-256 of the file")
    rows: int | None
    columns: int | None
    bytes: int | None
    created_ms: int


class HistogramAnswer(Answer):
    """`counts[i]` lie between `edges[i]` and `edges[i + 1]`; of dates and times in ms since 1970."""

    edges: list[float]
    counts: list[int]


class ColumnAnswer(Answer):
    """A column in figures: a histogram for numbers and times, the most frequent values for the rest."""

    name: str
    dtype: str
    missing: int
    distinct: int | None
    min: Cell
    max: Cell
    mean: float | None
    histogram: HistogramAnswer | None
    top: list[tuple[Cell, int]] | None


class HeadAnswer(Answer):
    """The first rows."""

    columns: list[str]
    rows: list[list[Cell]]


class ProfileAnswer(Answer):
    """A version in figures. `sampled_rows`: of a large file the statistics are over its first rows only."""

    row_count: int
    column_count: int
    columns: list[ColumnAnswer]
    head: HeadAnswer
    sampled_rows: int | None


class VersionAnswer(Answer):
    """One content of a data set."""

    version: int
    hash: str
    path: str
    owner: str
    rows: int
    columns: int
    bytes: int
    created_ms: int


class DatasetDetail(DatasetAnswer):
    """With its profile and all versions, newest first."""

    profile: ProfileAnswer | None
    versions: list[VersionAnswer]
