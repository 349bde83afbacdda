"""Requests about traces; see `bodies`."""

from typing import Any, ClassVar

from msgspec import Struct

from studio.wire.mlflow.bodies import ExperimentId, Tag


class TraceLocation(Struct):
    mlflow_experiment: ExperimentId | None = None


class StartTrace(Struct):
    required: ClassVar = ("trace",)
    trace: dict[str, Any] | None = None


class SearchTraces(Struct):
    locations: list[TraceLocation] = []
    filter: str = ""
    max_results: int = 100
    order_by: list[str] = []
    page_token: str = ""


class GetTrace(Struct):
    required: ClassVar = ("trace_id",)
    trace_id: str = ""
    allow_partial: bool = False


class TraceIds(Struct):
    trace_ids: list[str] = []


class LinkTraces(Struct):
    required: ClassVar = ("run_id",)
    trace_ids: list[str] = []
    run_id: str = ""


class OldTrace(Struct):
    """To start and to end one, as clients before MLflow 3 do."""

    experiment_id: str = ""
    timestamp_ms: int = 0
    status: str = "OK"
    request_metadata: list[Tag] = []
    tags: list[Tag] = []


class SearchOldTraces(Struct):
    experiment_ids: list[str] = []
    filter: str = ""
    max_results: int = 100
    order_by: list[str] = []
    page_token: str = ""


class DeleteTraces(Struct):
    required: ClassVar = ("experiment_id",)
    experiment_id: str = ""
    max_timestamp_millis: int | None = None
    max_traces: int | None = None
    request_ids: list[str] = []


class TraceTag(Struct):
    required: ClassVar = ("key",)
    key: str = ""
    value: str = ""
