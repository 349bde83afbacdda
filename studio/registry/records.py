"""What the slice returns."""

from msgspec import Struct

from studio.tracking.records import Pair


class ModelVersion(Struct, frozen=True):
    """`location` is the mlflow-artifacts: URI of its files, `source` what the client said."""

    name: str
    version: int
    owner: str
    description: str | None
    stage: str
    source: str
    location: str
    run_id: str | None
    run_link: str | None
    model_id: str | None
    status: str
    created_ms: int
    updated_ms: int
    tags: list[Pair] = []
    aliases: list[str] = []


class RegisteredModel(Struct, frozen=True):
    """`latest` holds the newest version of each stage, as MLflow tells them."""

    name: str
    owner: str
    description: str | None
    created_ms: int
    updated_ms: int
    last_version: int
    latest: list[ModelVersion] = []
    tags: list[Pair] = []
    aliases: dict[str, int] = {}
