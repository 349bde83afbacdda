"""What a source holds, in the words of the API's transfer routes; and what was wrong with it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from msgspec import Struct, field

Point = tuple[str, int, float, int]  # key, epoch ms, value, step
DELETED_VERSION = "Deleted_Internal"  # the stage of a version that was deleted; its row stays
STATUSES = ("RUNNING", "SCHEDULED", "FINISHED", "FAILED", "KILLED")  # MLflow's numbers, from 1


class Experiment(Struct):
    """`id` is the source's."""

    id: str
    name: str
    created_ms: int = 0
    updated_ms: int = 0
    deleted: bool = False
    tags: dict[str, str] = field(default_factory=dict)


class Dataset(Struct):
    """A data set that a run used."""

    name: str
    digest: str
    source_type: str = ""
    source: str = ""
    schema_text: str | None = None
    profile: str | None = None
    tags: dict[str, str] = field(default_factory=dict)


class Output(Struct):
    """A logged model that a run made."""

    model_id: str
    step: int = 0


class Run(Struct):
    """A run without the values of its metrics; `artifacts` is where its source says that its files are."""

    run_id: str
    name: str = ""
    user_id: str = ""
    status: str = "FINISHED"
    start_ms: int = 0
    end_ms: int | None = None
    deleted: bool = False
    params: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    datasets: list[Dataset] = field(default_factory=list)
    model_inputs: list[str] = field(default_factory=list)
    model_outputs: list[Output] = field(default_factory=list)
    artifacts: str = ""


class ModelMetric(Struct):
    """A metric of a logged model."""

    key: str
    ts: int
    step: int
    value: float
    run_id: str = ""
    dataset_name: str = ""
    dataset_digest: str = ""


class Model(Struct):
    """A logged model."""

    model_id: str
    name: str
    model_type: str = ""
    source_run_id: str = ""
    status: int = 2
    created_ms: int = 0
    updated_ms: int = 0
    params: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    metrics: list[ModelMetric] = field(default_factory=list)
    artifacts: str = ""


class Version(Struct):
    """A version; `source` in the source's words, `files` where it says that they are."""

    version: int
    source: str
    run_id: str = ""
    files: str = ""
    description: str = ""
    stage: str = "None"
    created_ms: int = 0
    updated_ms: int = 0
    tags: dict[str, str] = field(default_factory=dict)


class Registered(Struct):
    """A registered model."""

    name: str
    description: str = ""
    created_ms: int = 0
    updated_ms: int = 0
    tags: dict[str, str] = field(default_factory=dict)
    aliases: dict[str, int] = field(default_factory=dict)
    versions: list[Version] = field(default_factory=list)


class Source(Protocol):
    """A place that MLflow wrote. What in it cannot be read is left out and named in `problems`."""

    problems: list[str]
    notes: list[str]
    roots: list[Path]  # folders in which its files may lie

    def experiments(self) -> list[Experiment]:
        """All, deleted ones too."""

    def count(self, experiment: Experiment) -> int:
        """How many runs it has."""

    def runs(self, experiment: Experiment) -> Iterator[Run]:
        """Its runs, deleted ones too."""

    def points(self, experiment: Experiment, run: Run) -> Iterator[Point]:
        """All values of a run's metrics."""

    def models(self, experiment: Experiment) -> Iterator[Model]:
        """Its logged models."""

    def registered(self) -> Iterator[Registered]:
        """The registry."""

    def close(self) -> None:
        """Lets it go."""
