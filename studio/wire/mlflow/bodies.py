"""Requests of MLflow 3.17's protobuf messages as JSON. `required` names what may be neither missing nor empty."""

from typing import ClassVar

from msgspec import UNSET, Struct, UnsetType

from studio.tracking.records import Metric, Pair


class Tag(Struct):
    """A key with a value, which may be left out."""

    key: str
    value: str = ""

    def pair(self) -> Pair:
        return Pair(self.key, self.value)


class ExperimentId(Struct):
    required: ClassVar = ("experiment_id",)
    experiment_id: str = ""


class CreateExperiment(Struct):
    required: ClassVar = ("name",)
    name: str = ""
    artifact_location: str = ""
    tags: list[Tag] = []


class ExperimentName(Struct):
    required: ClassVar = ("experiment_name",)
    experiment_name: str = ""


class UpdateExperiment(Struct):
    required: ClassVar = ("experiment_id", "new_name")
    experiment_id: str = ""
    new_name: str = ""


class ExperimentTag(Struct):
    required: ClassVar = ("experiment_id", "key")
    experiment_id: str = ""
    key: str = ""
    value: str = ""


class SearchExperiments(Struct):
    max_results: int = 0
    page_token: str = ""
    filter: str = ""
    order_by: list[str] = []
    view_type: str | int = "ACTIVE_ONLY"


class CreateRun(Struct):
    experiment_id: str = ""
    user_id: str = ""
    run_name: str = ""
    start_time: int = 0
    tags: list[Tag] = []


class RunId(Struct):
    required: ClassVar = ("run_id",)
    run_id: str = ""
    run_uuid: str = ""


class UpdateRun(Struct):
    required: ClassVar = ("run_id",)
    run_id: str = ""
    run_uuid: str = ""
    status: str | int | UnsetType = UNSET
    end_time: int | UnsetType = UNSET
    run_name: str = ""


class LogMetric(Struct):
    required: ClassVar = ("run_id", "key", "value", "timestamp")
    run_id: str = ""
    run_uuid: str = ""
    key: str = ""
    value: float | None = None
    timestamp: int | None = None
    step: int = 0
    model_id: str = ""
    dataset_name: str = ""
    dataset_digest: str = ""


class LogBatch(Struct):
    required: ClassVar = ("run_id",)
    run_id: str = ""
    metrics: list[Metric] = []
    params: list[Tag] = []
    tags: list[Tag] = []


class RunTag(Struct):
    """log-parameter, set-tag and delete-tag."""

    required: ClassVar = ("run_id", "key")
    run_id: str = ""
    run_uuid: str = ""
    key: str = ""
    value: str = ""


class LogModel(Struct):
    required: ClassVar = ("run_id", "model_json")
    run_id: str = ""
    model_json: str = ""


class GivenDataset(Struct):
    name: str = ""
    digest: str = ""
    source_type: str = ""
    source: str = ""
    schema: str | None = None
    profile: str | None = None


class GivenInput(Struct):
    dataset: GivenDataset
    tags: list[Tag] = []


class ModelRef(Struct):
    model_id: str = ""
    step: int = 0


class LogInputs(Struct):
    required: ClassVar = ("run_id",)
    run_id: str = ""
    datasets: list[GivenInput] = []
    models: list[ModelRef] = []


class LogOutputs(Struct):
    required: ClassVar = ("run_id", "models")
    run_id: str = ""
    models: list[ModelRef] | None = None


class SearchRuns(Struct):
    experiment_ids: list[str] = []
    filter: str = ""
    run_view_type: str | int = "ACTIVE_ONLY"
    max_results: int = 1000
    order_by: list[str] = []
    page_token: str = ""


class ListArtifacts(Struct):
    required: ClassVar = ("run_id",)
    run_id: str = ""
    run_uuid: str = ""
    path: str = ""
    page_token: str = ""


class History(Struct):
    required: ClassVar = ("run_id", "metric_key")
    run_id: str = ""
    run_uuid: str = ""
    metric_key: str = ""
    page_token: str = ""
    max_results: int | None = None


class HistoryBulk(Struct):
    required: ClassVar = ("metric_key",)
    run_id: list[str] = []
    metric_key: str = ""
    max_results: int = 25_000


class HistoryInterval(Struct):
    required: ClassVar = ("metric_key",)
    run_ids: list[str] = []
    metric_key: str = ""
    start_step: int | None = None
    end_step: int | None = None
    max_results: int = 2_500


class SearchDatasets(Struct):
    experiment_ids: list[str] = []


class CreateLoggedModel(Struct):
    required: ClassVar = ("experiment_id",)
    experiment_id: str = ""
    name: str = ""
    model_type: str = ""
    source_run_id: str = ""
    params: list[Tag] = []
    tags: list[Tag] = []


class FinishLoggedModel(Struct):
    required: ClassVar = ("status",)
    status: str | int = ""


class LoggedModelTags(Struct):
    tags: list[Tag] = []


class LoggedModelParams(Struct):
    params: list[Tag] = []


class ModelDataset(Struct):
    dataset_name: str = ""
    dataset_digest: str = ""


class ModelOrder(Struct):
    field_name: str
    ascending: bool = True
    dataset_name: str = ""
    dataset_digest: str = ""


class SearchLoggedModels(Struct):
    required: ClassVar = ("experiment_ids",)
    experiment_ids: list[str] | None = None
    filter: str = ""
    datasets: list[ModelDataset] = []
    max_results: int = 50
    order_by: list[ModelOrder] = []
    page_token: str = ""


class ModelArtifacts(Struct):
    artifact_directory_path: str = ""


class ArtifactPath(Struct):
    path: str = ""


class CreateRegisteredModel(Struct):
    required: ClassVar = ("name",)
    name: str = ""
    tags: list[Tag] = []
    description: str = ""


class ModelName(Struct):
    required: ClassVar = ("name",)
    name: str = ""


class RenameModel(Struct):
    required: ClassVar = ("name", "new_name")
    name: str = ""
    new_name: str = ""


class DescribeModel(Struct):
    required: ClassVar = ("name",)
    name: str = ""
    description: str = ""


class SearchModels(Struct):
    filter: str = ""
    max_results: int = 100
    order_by: list[str] = []
    page_token: str = ""


class SearchVersions(Struct):
    filter: str = ""
    max_results: int = 200_000
    order_by: list[str] = []
    page_token: str = ""


class LatestVersions(Struct):
    required: ClassVar = ("name",)
    name: str = ""
    stages: list[str] = []


class ModelTag(Struct):
    required: ClassVar = ("name", "key")
    name: str = ""
    key: str = ""
    value: str = ""


class CreateVersion(Struct):
    required: ClassVar = ("name", "source")
    name: str = ""
    source: str = ""
    run_id: str = ""
    tags: list[Tag] = []
    run_link: str = ""
    description: str = ""
    model_id: str = ""


class Version(Struct):
    required: ClassVar = ("name", "version")
    name: str = ""
    version: str = ""


class DescribeVersion(Struct):
    required: ClassVar = ("name", "version")
    name: str = ""
    version: str = ""
    description: str | None = None


class MoveVersion(Struct):
    required: ClassVar = ("name", "version", "stage")
    name: str = ""
    version: str = ""
    stage: str = ""
    archive_existing_versions: bool = False


class VersionTag(Struct):
    required: ClassVar = ("name", "version", "key")
    name: str = ""
    version: str = ""
    key: str = ""
    value: str = ""


class Alias(Struct):
    required: ClassVar = ("name", "alias")
    name: str = ""
    alias: str = ""
    version: str = ""
