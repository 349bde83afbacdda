"""Bringing experiments, runs and models from another MLflow, and taking them there: the same forms both ways."""

from pydantic import Field

from studio.wire.rest.schemas.base import Answer, Body

MOST_POINTS = 5000
MOST_RUNS = 200
Points = list[tuple[int, float | str, int]]  # [epoch ms, value, step]; NaN and ±Infinity are text


class TransferExperiment(Body, Answer):
    """`experiment_id` is the one there ("0" or a number); `deleted` only when it is taken from here."""

    experiment_id: str = Field(max_length=40)
    name: str = Field(max_length=500)
    is_default: bool = False
    created_ms: int = 0
    updated_ms: int = 0
    deleted: bool = False
    tags: dict[str, str] = Field(default_factory=dict)


class TransferExperimentAnswer(Answer):
    """`experiment_id` is the one here; `new` False: one of that name was here, and what comes is added to it."""

    experiment_id: str
    new: bool
    deleted: bool


class TransferDataset(Body, Answer):
    """A data set that a run used."""

    name: str
    digest: str
    source_type: str = ""
    source: str = ""
    schema_text: str | None = None
    profile: str | None = None
    tags: dict[str, str] = Field(default_factory=dict)


class TransferOutput(Body, Answer):
    """A logged model that a run made."""

    model_id: str
    step: int = 0


class TransferSeries(Body, Answer):
    """Values of one metric."""

    key: str
    points: Points = Field(max_length=MOST_POINTS)


class TransferRun(Body, Answer):
    """A run. Brought: with at most 5000 points in one request, the rest follows by itself."""

    run_id: str = Field(max_length=64)
    experiment_id: str = Field(max_length=40, description="The one here")
    name: str = ""
    user_id: str = ""
    status: str = "FINISHED"
    start_ms: int = 0
    end_ms: int | None = None
    deleted: bool = False
    params: dict[str, str] = Field(default_factory=dict)
    tags: dict[str, str] = Field(default_factory=dict)
    datasets: list[TransferDataset] = Field(default_factory=list)
    model_inputs: list[str] = Field(default_factory=list)
    model_outputs: list[TransferOutput] = Field(default_factory=list)
    metrics: list[TransferSeries] = Field(default_factory=list)


class TransferRuns(Body):
    """Runs, each written whole or not at all."""

    runs: list[TransferRun] = Field(max_length=MOST_RUNS)


class TransferMetrics(Body):
    """More values of one run."""

    metrics: list[TransferSeries]


class TransferModelMetric(Body, Answer):
    """A metric of a logged model, with the data set it was computed on."""

    key: str
    ts: int
    step: int
    value: float | str
    run_id: str = ""
    dataset_name: str = ""
    dataset_digest: str = ""


class TransferModel(Body, Answer):
    """A logged model; `status` in MLflow's numbers (1 pending, 2 ready, 3 failed)."""

    model_id: str = Field(max_length=64)
    experiment_id: str = Field(max_length=40, description="The one here")
    name: str = Field(max_length=500)
    model_type: str = Field("", max_length=500)
    source_run_id: str = Field("", max_length=64)
    status: int = Field(2, ge=1, le=3)
    created_ms: int = 0
    updated_ms: int = 0
    deleted: bool = False
    params: dict[str, str] = Field(default_factory=dict)
    tags: dict[str, str] = Field(default_factory=dict)
    metrics: list[TransferModelMetric] = Field(default_factory=list, max_length=MOST_POINTS)


class TransferVersion(Body, Answer):
    """A version; `source` is runs:/… or models:/m-…, `files` (taken from here only) the place of its files."""

    version: int = Field(ge=1, le=2**31 - 1)
    source: str = Field(max_length=2000)
    files: str = ""
    run_id: str = Field("", max_length=64)
    description: str = ""
    stage: str = "None"
    created_ms: int = 0
    updated_ms: int = 0
    tags: dict[str, str] = Field(default_factory=dict)


class TransferRegistered(Body, Answer):
    """A registered model, with at most so many versions at once; `aliases` mean versions there."""

    name: str = Field(max_length=256)
    description: str = ""
    created_ms: int = 0
    updated_ms: int = 0
    tags: dict[str, str] = Field(default_factory=dict)
    versions: list[TransferVersion] = Field(default_factory=list, max_length=MOST_RUNS)
    aliases: dict[str, int] = Field(default_factory=dict)


class TransferIds(Body):
    """Ids of runs and logged models."""

    ids: list[str] = Field(max_length=5000)


class TransferFinish(Body):
    """Id → digest of what is here whole now; `deleted`: runs that were deleted there; `experiments`: such too."""

    digests: dict[str, str] = Field(default_factory=dict, max_length=5000)
    deleted: list[str] = Field(default_factory=list, max_length=5000)
    experiments: list[str] = Field(default_factory=list, max_length=5000)


class TransferPut(Answer):
    """What became of one thing: `problem` says why it was not taken."""

    id: str
    new: bool
    problem: str = ""


class TransferRegisteredAnswer(Answer):
    """`versions`: number there → number here; `kept`: aliases that mean another version here, and stay so."""

    new: bool
    versions: dict[str, int]
    new_versions: int
    kept: list[str]
    problems: list[str]


class TransferFile(Answer):
    """A file below the run's or model's artifacts."""

    path: str
    size: int


class TransferRunPage(Answer):
    """Runs of an experiment, oldest first; their metrics are asked for one by one."""

    runs: list[TransferRun]
    keys: dict[str, list[str]] = Field(description="Run id → the metrics it has")
    next_page_token: str | None


class TransferPoints(Answer):
    """A stretch of one metric's values."""

    points: Points
    next_page_token: str | None


class TransferModelPage(Answer):
    """Logged models of an experiment."""

    models: list[TransferModel]
    next_page_token: str | None
