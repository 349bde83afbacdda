"""Answers of MLflow 3.17's protobuf messages as JSON. As in protobuf's JSON, what is not set is left out."""

from collections.abc import Iterable
from typing import Any

import msgspec
from msgspec import Struct

from studio.registry.records import ModelVersion, RegisteredModel
from studio.tracking.artifacts import FileInfo
from studio.tracking.records import Experiment, Latest, LoggedModel, Metric, Pair, Run, RunInfo

_NAN = float("nan")
LARGEST = 1.7976931348623157e308  # what MLflow's server makes of infinity
STATUSES = {1: "LOGGED_MODEL_PENDING", 2: "LOGGED_MODEL_READY", 3: "LOGGED_MODEL_UPLOAD_FAILED"}


class WireMetric(Struct, omit_defaults=True):
    key: str
    value: float | str
    timestamp: int
    step: int
    dataset_name: str = ""
    dataset_digest: str = ""
    model_id: str = ""
    run_id: str = ""


class WireExperiment(Struct, omit_defaults=True):
    experiment_id: str
    name: str
    artifact_location: str
    lifecycle_stage: str
    last_update_time: int
    creation_time: int
    tags: list[Pair] = []
    workspace: str = ""


class WireInfo(Struct, omit_defaults=True):
    run_uuid: str
    experiment_id: str
    run_name: str
    user_id: str
    status: str
    start_time: int
    artifact_uri: str
    lifecycle_stage: str
    run_id: str
    end_time: int | None = None


class WireData(Struct, omit_defaults=True):
    metrics: list[WireMetric] = []
    params: list[Pair] = []
    tags: list[Pair] = []


class WireRun(Struct, omit_defaults=True):
    info: WireInfo
    data: WireData
    inputs: dict[str, Any]
    outputs: dict[str, Any] | None = None


class WireVersion(Struct, omit_defaults=True):
    name: str
    version: str
    creation_timestamp: int
    last_updated_timestamp: int
    current_stage: str
    source: str
    status: str
    description: str | None = None
    run_id: str | None = None
    tags: list[Pair] = []
    run_link: str | None = None
    aliases: list[str] = []


class WireModel(Struct, omit_defaults=True):
    name: str
    creation_timestamp: int
    last_updated_timestamp: int
    description: str = ""
    latest_versions: list[WireVersion] = []
    tags: list[Pair] = []
    aliases: list[dict[str, str]] = []


def number(value: float) -> float | str:
    """A metric's value as JSON can say it."""
    if value != value:
        return "NaN"
    return max(-LARGEST, min(LARGEST, value))


def latest(metrics: Iterable[Latest]) -> list[WireMetric]:
    """The metrics of a run."""
    return [
        # Written out for speed; a search answers with 10,000 of these.
        WireMetric(m.key, m.value if -LARGEST <= m.value <= LARGEST else number(m.value), m.timestamp, m.step)
        for m in metrics
    ]


def point(key: str, timestamp: int, step: int, value: float, is_nan: bool) -> WireMetric:
    """One value of a history of one metric."""
    is_plain = -LARGEST <= value <= LARGEST and not is_nan
    return WireMetric(key, value if is_plain else number(_NAN if is_nan else value), timestamp, step)


def metric(m: Metric, run_id: str = "") -> WireMetric:
    """One value of a history, or of a logged model."""
    return WireMetric(
        m.key,
        number(m.value),
        m.timestamp,
        m.step,
        m.dataset_name,
        m.dataset_digest,
        m.model_id,
        run_id or m.run_id,
    )


def experiment(e: Experiment, domain: str) -> WireExperiment:
    """MLflow's workspaces are our domains."""
    return WireExperiment(
        e.experiment_id, e.name, e.artifact_location, e.stage, e.updated_ms, e.created_ms, e.tags, domain
    )


def info(i: RunInfo) -> WireInfo:
    """A run without its data."""
    return WireInfo(
        i.run_id,
        i.experiment_id,
        i.name,
        i.user_id,
        i.status,
        i.start_ms or 0,
        i.artifact_uri,
        i.stage,
        i.run_id,
        i.end_ms or None,
    )


def run(r: Run, *, is_new: bool = False) -> WireRun:
    """A run with its data; one that has just been made has no outputs yet."""
    inputs: dict[str, Any] = {}
    if r.datasets:
        inputs["dataset_inputs"] = [
            _without_none({"tags": item.tags or None, "dataset": _dataset(item.dataset)}) for item in r.datasets
        ]
    if r.model_inputs:
        inputs["model_inputs"] = [{"model_id": model_id} for model_id in r.model_inputs]
    outputs: dict[str, Any] | None = None if is_new else {}
    if r.model_outputs:
        outputs = {"model_outputs": [{"model_id": item.model_id, "step": item.step} for item in r.model_outputs]}
    return WireRun(info(r.info), WireData(latest(r.metrics), r.params, r.tags), inputs, outputs)


def version(v: ModelVersion) -> WireVersion:
    """A version of a registered model."""
    return WireVersion(
        v.name,
        str(v.version),
        v.created_ms,
        v.updated_ms,
        v.stage,
        v.source,
        v.status,
        v.description,
        v.run_id,
        v.tags,
        v.run_link,
        v.aliases,
    )


def model(m: RegisteredModel) -> WireModel:
    """A registered model."""
    return WireModel(
        m.name,
        m.created_ms,
        m.updated_ms,
        m.description or "",
        # Their aliases are told once, below.
        [msgspec.structs.replace(version(item), aliases=[]) for item in m.latest],
        m.tags,
        [{"alias": alias, "version": str(number)} for alias, number in m.aliases.items()],
    )


def logged_model(m: LoggedModel) -> dict[str, Any]:
    """A logged model."""
    about = {
        "model_id": m.model_id,
        "experiment_id": m.experiment_id,
        "name": m.name,
        "creation_timestamp_ms": m.created_ms,
        "last_updated_timestamp_ms": m.updated_ms,
        "artifact_uri": m.artifact_uri,
        "status": STATUSES[m.status],
        "model_type": m.model_type,
        "source_run_id": m.source_run_id,
        "tags": m.tags or None,
    }
    data = {"params": m.params or None, "metrics": [metric(item) for item in m.metrics] or None}
    return {"info": _without_none(about), "data": _without_none(data)}


def summary(experiment_id: str, name: str, digest: str, context: str) -> dict[str, Any]:
    """A data set that runs used, "" being no context."""
    return _without_none({"experiment_id": experiment_id, "name": name, "digest": digest, "context": context or None})


def files(found: Iterable[FileInfo], below: str = "") -> list[dict[str, Any]]:
    """A listing; paths are made relative to what is above `below`."""
    prefix = f"{below}/" if below else ""
    return [
        _without_none({"path": prefix + item.path, "is_dir": item.is_dir, "file_size": item.file_size})
        for item in found
    ]


def page(name: str, items: list[Any], token: str | None) -> dict[str, Any]:
    """A page of a search."""
    return _without_none({name: items or None, "next_page_token": token})


def _dataset(dataset: Any) -> dict[str, Any]:
    names = ("name", "digest", "source_type", "source", "schema", "profile")
    return _without_none({name: getattr(dataset, name) for name in names})


def _without_none(data: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in data.items() if value is not None}
