"""Registered models and versions."""

from typing import Any

from pydantic import Field

from studio.wire.rest.schemas.base import Answer, Body


class ModelAnswer(Answer):
    """A registered model; `versions` counts them."""

    name: str
    description: str
    owner: str
    latest_version: int | None
    versions: int
    aliases: dict[str, int]
    updated_ms: int


class ModelSignatureAnswer(Answer):
    """MLflow's signature: fields as {name, type, required} or tensors."""

    inputs: list[dict[str, Any]]
    outputs: list[dict[str, Any]]


class VersionAnswer(Answer):
    """A version with the metrics of the run that made it."""

    version: int
    run_id: str | None
    status: str
    stage: str
    owner: str
    aliases: list[str]
    created_ms: int
    metrics: dict[str, float | None]
    signature: ModelSignatureAnswer | None
    source: str
    description: str


class ModelDetailAnswer(Answer):
    """A registered model with all its versions, newest first."""

    name: str
    description: str
    owner: str
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
