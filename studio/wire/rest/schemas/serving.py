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
    min_replicas: int = 1
    max_replicas: int = 1
    fast_path: bool = True


class StrategyBody(Body):
    """How the traffic goes over. `percent`: of the canary, or of each linear step; `step_s`: seconds that each share
    but the last is watched; `bake_s`: seconds that all of it is watched before the old variants end. It is taken back
    by itself above `max_error_percent` or `max_p99_ms`, or, `on_drift`, when an alert opens meanwhile."""

    kind: Literal["all_at_once", "canary", "linear"] = "all_at_once"
    percent: float = 10.0
    step_s: float = 60.0
    bake_s: float = 0.0
    max_error_percent: float | None = None
    max_p99_ms: float | None = None
    on_drift: bool = False


class PromoteBody(Body):
    """Another version of the endpoint's model; `environment`: empty keeps the one it has; no `strategy`: at once."""

    version: int
    environment: str = ""
    strategy: StrategyBody | None = None


class VariantBody(Body):
    """A variant beside the others. `weight`: relative to theirs; of a `shadow`, which answers nobody, the per cent of
    requests that are copied to it. Empty: `name` v<version>, `environment` and `instance_type` those of what serves."""

    version: int
    weight: float
    name: str = ""
    environment: str = ""
    instance_type: str = ""
    min_replicas: int = 1
    max_replicas: int = 1
    shadow: bool = False


class LimitsBody(Body):
    """How many replicas a variant has at least and at most."""

    min_replicas: int
    max_replicas: int


class WeightsBody(Body):
    """Weights by variant; those that are not named keep theirs."""

    weights: dict[str, float]


class SettingsBody(Body):
    """What is not given stays as it is. `rate_limit`: requests per second, 0 for none; `max_body`: bytes; `cors`:
    origins whose pages may call it; `target_load`: requests in flight and queued, per replica, above which there are
    more; `fast_path`: an exact re-expression of the model may be used.

    `capture_percent` of the requests are kept, for `capture_days` days, with their labels; a lower number of days takes
    what is older when the monitor looks next. `redact`: columns of rows and answers whose values are kept no more, from
    the next look on; with any named, values under no column that the model knows, and values of refused requests, are
    not kept either. `output` names the whole answer."""

    mode: Mode | None = None
    idle_s: float | None = None
    timeout_s: float | None = None
    max_body: int | None = None
    rate_limit: float | None = None
    cors: list[str] | None = None
    target_load: float | None = None
    fast_path: bool | None = None
    capture: bool | None = None
    capture_percent: float | None = None
    capture_days: int | None = None
    redact: list[str] | None = None


class SettingsAnswer(Answer):
    """An endpoint's settings; the words are those of `SettingsBody`."""

    capture: bool
    idle_s: float
    timeout_s: float
    max_body: int
    rate_limit: float | None
    cors: list[str]
    target_load: float
    fast_path: bool
    capture_percent: float
    capture_days: int
    redact: list[str]


class RolloutAnswer(Answer):
    """A shift of traffic under way to `variant`, which has `share` per cent since `moved_ms`; `words`: what comes."""

    variant: str
    version: int
    share: float
    moved_ms: int | None
    strategy: StrategyBody
    words: str


class ReplicaAnswer(Answer):
    """A process; `pid` is the host's."""

    id: str
    state: str
    pid: int | None


class VariantAnswer(Answer):
    """A version in an endpoint. `share`: per cent of the traffic; `wanted`: replicas it should have now; counts are the
    gateway's since it started, `p99_ms` of the last minute; `loaded`: how its replica loaded it."""

    name: str
    version: int
    weight: float
    share: float
    shadow: bool
    state: str
    environment: str
    instance_type: str
    reason: str
    min_replicas: int
    max_replicas: int
    wanted: int
    requests: int
    errors: int
    p99_ms: float | None
    load: float
    loaded: dict[str, Any]
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
    rollout: RolloutAnswer | None


class EndpointAnswer(EndpointSummary):
    """One endpoint: why it is as it is, and how to call it."""

    signature: SignatureAnswer
    example: Any
    events: list[EventAnswer]
    snippets: SnippetsAnswer
    settings: SettingsAnswer


class ReplicaLogAnswer(Answer):
    """The end of what one replica printed."""

    replica: str
    variant: str
    state: str
    text: str


class EndpointLogAnswer(Answer):
    """What an endpoint's replicas printed."""

    replicas: list[ReplicaLogAnswer]


class PredictionAnswer(Answer):
    """`answer` as the model gives it; `predict_ms`: in the model alone."""

    answer: Any
    status: int
    latency_ms: float
    predict_ms: float
    variant: str
    version: str
    inference_id: str
