"""What MLflow says about a trace (TraceInfo, version 3), as JSON; and the form that clients before 3 know."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from studio.errors import Invalid

LOCATION_TAG = "mlflow.artifactLocation"
SPANS_TAG = "mlflow.trace.spansLocation"
NAME_TAG = "mlflow.traceName"
RUN_KEY = "mlflow.sourceRun"
SCHEMA_KEY = "mlflow.trace_schema.version"
FINAL_KEY = "mlflow.trace.infoFinalized"  # the client has told the trace whole; spans that come later change nothing
KEPT_HERE = "TRACKING_STORE"
STATES = ("STATE_UNSPECIFIED", "OK", "ERROR", "IN_PROGRESS")
PREVIEW = 1000  # characters


def new(trace_id: str, experiment_id: str, request_ms: int) -> dict[str, Any]:
    """The info of a trace of which little is known."""
    return {
        "trace_id": trace_id,
        "trace_location": {"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": experiment_id}},
        "request_time": iso(request_ms),
        "state": "IN_PROGRESS",
        "trace_metadata": {},
        "tags": {},
    }


def experiment_of(info: Mapping[str, Any]) -> str:
    """The experiment that an info names; "" if it names none."""
    location = info.get("trace_location")
    experiment = location.get("mlflow_experiment") if isinstance(location, dict) else None
    return str(experiment.get("experiment_id") or "") if isinstance(experiment, dict) else ""


def texts(given: Any, what: str) -> dict[str, str]:
    """Tags or metadata: text by text."""
    if given is None:
        return {}
    if not isinstance(given, dict) or not all(isinstance(value, str) for value in given.values()):
        raise Invalid(f"Invalid value for parameter '{what}' supplied: it must be an object of text.")
    return given


def iso(ms: int) -> str:
    """Protobuf's JSON form of a time, 2026-01-31T10:00:00.123Z."""
    try:
        text = datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds")
    except (ValueError, OverflowError, OSError) as error:
        raise Invalid(f"Invalid value {ms} for parameter 'timestamp_ms' supplied: no such time.") from error
    return text.replace("+00:00", "Z").replace(".000Z", "Z")


def epoch_ms(time: Any) -> int:
    """The time in milliseconds since 1970; the opposite of `iso`."""
    try:
        return round(datetime.fromisoformat(time).timestamp() * 1000)
    except (TypeError, ValueError, OverflowError) as error:
        raise Invalid(f"Invalid value {time!r} for parameter 'request_time' supplied.") from error


def duration(ms: int) -> str:
    """Protobuf's JSON form of a duration, 0.341s."""
    return f"{ms // 1000}s" if ms % 1000 == 0 else f"{ms / 1000:.3f}s"


def duration_ms(text: Any) -> int | None:
    """The milliseconds of a duration; none if there is none."""
    if text is None:
        return None
    try:
        return round(float(str(text).removesuffix("s")) * 1000)
    except (ValueError, OverflowError) as error:
        raise Invalid(f"Invalid value {text!r} for parameter 'execution_duration' supplied.") from error


def old(info: Mapping[str, Any]) -> dict[str, Any]:
    """The same for clients before MLflow 3 (TraceInfo, version 2)."""
    taken = duration_ms(info.get("execution_duration"))
    state = info.get("state", STATES[0])
    found = {
        "request_id": info["trace_id"],
        "experiment_id": experiment_of(info),
        "timestamp_ms": epoch_ms(info["request_time"]),
        "execution_time_ms": taken or 0,
        "status": "TRACE_STATUS_UNSPECIFIED" if state == STATES[0] else state,
        "request_metadata": _pairs(info.get("trace_metadata")),
        "tags": _pairs(info.get("tags")),
    }
    return {key: value for key, value in found.items() if value not in (None, [])}


def _pairs(given: Any) -> list[dict[str, str]]:
    return [{"key": key, "value": value} for key, value in (given or {}).items()]
