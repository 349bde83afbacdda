"""Registered models, versions, what was decided about them, and what their files say."""

from typing import Any, Literal

from pydantic import Field

from studio.wire.rest.schemas.base import Answer, Body


class EndpointUse(Answer):
    """An endpoint that has a version in it; `serves`: it is the one that has the traffic."""

    name: str
    state: str
    serves: bool


class DecisionAnswer(Answer):
    """What somebody decided about a version: Pending (asked for), Approved or Rejected."""

    version: int
    state: str
    by: str
    reason: str
    at_ms: int


class ModelAnswer(Answer):
    """A registered model; `versions` counts them; `approval` is the newest version's, empty if nothing was decided."""

    name: str
    description: str
    owner: str
    latest_version: int | None
    versions: int
    aliases: dict[str, int]
    updated_ms: int
    approval: str
    endpoints: list[str]


class ModelSignatureAnswer(Answer):
    """MLflow's signature: fields as {name, type, required} or tensors."""

    inputs: list[dict[str, Any]]
    outputs: list[dict[str, Any]]
    params: list[dict[str, Any]]


class VersionAnswer(Answer):
    """A version with the metrics of the run that made it, and the environment that the run says it was made in."""

    version: int
    run_id: str | None
    model_id: str | None
    status: str
    stage: str
    owner: str
    aliases: list[str]
    tags: dict[str, str]
    created_ms: int
    metrics: dict[str, float | None]
    signature: ModelSignatureAnswer | None
    source: str
    description: str
    approval: DecisionAnswer | None
    endpoints: list[EndpointUse]
    environment: str
    environment_hash: str


class ModelDetailAnswer(Answer):
    """A registered model with all its versions, newest first."""

    name: str
    description: str
    owner: str
    tags: dict[str, str]
    latest_version: int | None
    aliases: dict[str, int]
    updated_ms: int
    versions: list[VersionAnswer]


class VersionBody(Body):
    """What to register: the model that the run logged, or the folder `artifact_path` of its artifacts."""

    run_id: str
    artifact_path: str | None = None
    description: str = Field("", max_length=10_000)


class AliasBody(Body):
    """The version that the alias is to mean."""

    version: int = Field(ge=1)


class RegistryChange(Body):
    """What is given changes: the description, tags (null takes one away)."""

    description: str | None = Field(None, max_length=100_000)
    tags: dict[str, str | None] = Field(default_factory=dict, max_length=100)


class RequestBody(Body):
    """What whoever is to approve should know."""

    reason: str = Field("", max_length=2000)


class DecisionBody(Body):
    """A rejection needs a reason."""

    state: Literal["Approved", "Rejected"]
    reason: str = Field("", max_length=2000)


class FlavorAnswer(Answer):
    """One way to load a model, with what MLmodel says about it."""

    name: str
    details: dict[str, str]


class ModelCardAnswer(Answer):
    """What a model's folder says about itself; `example` as it was logged."""

    flavors: list[FlavorAnswer]
    signature: ModelSignatureAnswer | None
    mlflow_version: str
    created: str
    python: str
    requirements: list[str]
    example: Any
    bytes: int
    files: int


class FileAnswer(Answer):
    """A file of a model; `path` relative to the model."""

    path: str
    file_size: int
