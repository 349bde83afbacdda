"""Experiments, runs, metrics."""

from pydantic import Field

from studio.wire.rest.schemas.base import Answer, Body


class ExperimentAnswer(Answer):
    """An active experiment; `runs` counts the active ones."""

    experiment_id: str
    name: str
    runs: int
    created_ms: int
    last_update_ms: int = Field(description="Of the experiment or the start of its newest run, whichever is later")


class RunQuery(Body):
    """The filter language of MLflow's search_runs. Without `experiment_ids`: all of the domain's."""

    experiment_ids: list[str] | None = None
    filter: str = Field("", max_length=20_000)
    order_by: list[str] = Field(default_factory=list, max_length=20)
    max_results: int = Field(100, ge=1, le=5000)
    page_token: str | None = None
    view: str = Field("ACTIVE_ONLY", description="ACTIVE_ONLY, DELETED_ONLY or ALL")


class MetricSummary(Answer):
    """Of all values logged; JSON has no NaN and no infinity: they are null here."""

    last: float | None
    min: float | None
    max: float | None
    step: int


class RunAnswer(Answer):
    """A run with its data; `number` is what windows of the table ask for it by."""

    number: int
    run_id: str
    name: str
    experiment_id: str
    status: str
    stage: str
    user: str = Field(description="Who ran it, as Studio knows them")
    start_ms: int
    end_ms: int | None
    metrics: dict[str, MetricSummary]
    params: dict[str, str]
    tags: dict[str, str]
    job_id: str | None


class RunPageAnswer(Answer):
    """`total`: how many match in all."""

    runs: list[RunAnswer]
    next_page_token: str | None
    total: int


class ArtifactAnswer(Answer):
    """`path` is relative to the run; folders have no size."""

    path: str
    is_dir: bool
    file_size: int | None


class RunModelAnswer(Answer):
    """A model that the run logged; `registered` and `version` once it is registered."""

    model_id: str
    name: str
    status: str
    registered: str | None
    version: int | None
    artifact_path: str


class RunDatasetAnswer(Answer):
    """A data set that the run used; `context`: training, evaluation …"""

    name: str
    digest: str
    context: str


class RunDetailAnswer(RunAnswer):
    """The run's page."""

    artifact_uri: str
    artifacts: list[ArtifactAnswer]
    models: list[RunModelAnswer]
    datasets: list[RunDatasetAnswer]


class SeriesAnswer(Answer):
    """`points`: [step, epoch ms, value], by step; thinned out so that peaks stay."""

    key: str
    points: list[tuple[int, int, float | None]]


class RunChange(Body):
    """What is given changes: another name, tags (null takes one away), or deleted and restored."""

    name: str | None = Field(None, max_length=500)
    deleted: bool | None = None
    tags: dict[str, str | None] = Field(default_factory=dict, max_length=100)
