"""Endpoints, their variants, events, predictions."""

from typing import Any, Literal

from studio.wire.rest.schemas.base import Answer, Body

Mode = Literal["always", "serverless"]


class EndpointBody(Body):
    """What to serve. `model`: models:/name@alias or models:/name/3; `environment` "": the one that the model's run was
    made in, else the domain's; `idle_s`: serverless, seconds to zero."""

    name: str
    model: str
    mode: Mode = "always"
    instance_type: str = ""
    environment: str = ""
    capture: bool = True
    idle_s: float = 300.0


class PromoteBody(Body):
    """Another version of the endpoint's model; `environment`: empty keeps the one it has."""

    version: int
    environment: str = ""


class ReplicaAnswer(Answer):
    """A process; `pid` is the host's."""

    id: str
    state: str
    pid: int | None


class VariantAnswer(Answer):
    """A version with its share of the traffic in per cent."""

    name: str
    version: int
    weight: int
    state: str
    environment: str
    reason: str
    replicas: list[ReplicaAnswer]


class SignatureColumn(Answer):
    """An input column, with MLflow's word for its type."""

    name: str
    type: str
    required: bool = True


class SignatureAnswer(Answer):
    """The inputs of the model; empty while it is not known."""

    inputs: list[SignatureColumn]


class EventAnswer(Answer):
    """Something that happened; `detail` is a traceback or empty."""

    at_ms: int
    text: str
    detail: str


class StatsAnswer(Answer):
    """The gateway's figures since it started; latencies of the last minute."""

    requests: int = 0
    errors: int = 0
    inflight: int = 0
    p50_ms: float | None = None
    p99_ms: float | None = None
    last_ms: int | None = None
    captured: int = 0
    dropped: int = 0


class SnippetsAnswer(Answer):
    """The line of code that does the same."""

    curl: str
    python: str
    javascript: str
    open_inference: str
    boto3: str


class EndpointSummary(Answer):
    """An endpoint in a list."""

    name: str
    state: str
    reason: str
    url: str
    mode: Mode
    instance_type: str
    model: str
    version: int
    previous_version: int | None
    variants: list[VariantAnswer]
    stats: StatsAnswer
    price_per_hour: float
    capture: bool
    idle_s: float
    created_ms: int


class EndpointAnswer(EndpointSummary):
    """One endpoint: why it is as it is, and how to call it."""

    signature: SignatureAnswer
    example: Any
    events: list[EventAnswer]
    snippets: SnippetsAnswer


class PredictionAnswer(Answer):
    """`answer` as the model gives it; `predict_ms`: in the model alone."""

    answer: Any
    status: int
    latency_ms: float
    predict_ms: float
    variant: str
    version: str
    inference_id: str
