"""What the slice returns. Structs are made and encoded several times faster than dataclasses; a search makes 20,000.
Without gc where they hold plain values only: then they cost no collection."""

from msgspec import Struct


class Pair(Struct, frozen=True, gc=False):
    """A tag or a param."""

    key: str
    value: str


class Metric(Struct, frozen=True, gc=False):
    """One logged value; NaN and ±Inf are themselves. `model_id` and the data set only where the client named them."""

    key: str
    value: float
    timestamp: int  # epoch ms, as the client says
    step: int = 0
    model_id: str = ""
    dataset_name: str = ""
    dataset_digest: str = ""
    run_id: str = ""


class Latest(Struct, frozen=True, gc=False):
    """The value with the highest (step, timestamp, value), and the bounds of all; no bounds: only NaN so far."""

    key: str
    value: float
    timestamp: int
    step: int
    low: float | None
    high: float | None


class Experiment(Struct, frozen=True):
    """Times in epoch ms; `stage` active or deleted."""

    experiment_id: str
    name: str
    artifact_location: str
    stage: str
    created_ms: int
    updated_ms: int
    is_default: bool
    tags: list[Pair] = []


class RunInfo(Struct, frozen=True, gc=False):
    """A run without its data; `user_id` is what the client said, `owner` who it was."""

    id: int
    run_id: str
    experiment_id: str
    name: str
    user_id: str
    owner: str
    job_id: str | None
    status: str
    start_ms: int | None
    end_ms: int | None
    stage: str
    artifact_uri: str


class Dataset(Struct, frozen=True):
    """A data set as MLflow describes it: text throughout."""

    name: str
    digest: str
    source_type: str = ""
    source: str = ""
    schema: str | None = None
    profile: str | None = None


class DatasetInput(Struct, frozen=True):
    """A data set that a run used; the tag mlflow.data.context says as what."""

    dataset: Dataset
    tags: list[Pair] = []


class ModelOutput(Struct, frozen=True):
    """A logged model that a run made, at a step."""

    model_id: str
    step: int = 0


class Run(Struct, frozen=True):
    """A run with its data."""

    info: RunInfo
    metrics: list[Latest] = []
    params: list[Pair] = []
    tags: list[Pair] = []
    datasets: list[DatasetInput] = []
    model_inputs: list[str] = []
    model_outputs: list[ModelOutput] = []


class RunPage(Struct, frozen=True):
    """A page of a search; `token` continues after its last run and stays right while runs are added."""

    runs: list[Run]
    token: str | None


class LoggedModel(Struct, frozen=True):
    """A model of an experiment, not registered yet; `status` in MLflow's numbers (1 pending, 2 ready, 3 failed)."""

    model_id: str
    experiment_id: str
    name: str
    artifact_uri: str
    model_type: str
    source_run_id: str
    status: int
    stage: str
    created_ms: int
    updated_ms: int
    params: list[Pair] = []
    tags: list[Pair] = []
    metrics: list[Metric] = []


class Trace(Struct, frozen=True):
    """A trace; `info` is the client's TraceInfo in MLflow's JSON form."""

    trace_id: str
    experiment_id: str
    request_ms: int
    info: str
