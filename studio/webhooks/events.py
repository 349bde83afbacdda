"""What can happen, in MLflow 3.17's words, and what is said about it (its `mlflow.webhooks.types`)."""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from studio.errors import Invalid

_TAGS = {"example_key": "example_value"}
# Event → the data of its example, which a test sends. These are the ones that Studio tells of.
EXAMPLES: Mapping[str, Mapping[str, Any]] = {
    "registered_model.created": {
        "name": "example_model", "tags": _TAGS, "description": "An example registered model",
    },
    "model_version.created": {
        "name": "example_model", "version": "1", "source": "models:/123", "run_id": "abcd1234abcd5678",
        "tags": _TAGS, "description": "An example model version",
    },
    "model_version_tag.set": {
        "name": "example_model", "version": "1", "key": "example_key", "value": "example_value",
    },
    "model_version_tag.deleted": {"name": "example_model", "version": "1", "key": "example_key"},
    "model_version_alias.created": {"name": "example_model", "alias": "example_alias", "version": "1"},
    "model_version_alias.deleted": {"name": "example_model", "alias": "example_alias"},
}  # fmt: skip


def check(entity: str, action: str) -> str:
    """ "entity.action", if Studio tells of that."""
    event = f"{entity.lower()}.{action.lower()}"
    if event not in EXAMPLES:
        raise Invalid(f"Studio tells of no event '{event}'.", f"It tells of {', '.join(EXAMPLES)}.")
    return event


def body(event: str, data: Mapping[str, Any]) -> str:
    """What is sent, as it is signed: JSON with entity, action, the time and the data."""
    entity, _, action = event.partition(".")
    at = datetime.now(UTC).isoformat()
    return json.dumps({"entity": entity, "action": action, "timestamp": at, "data": data})


def signature(secret: str, delivery: str, at_s: int, sent: str) -> str:
    """X-MLflow-Signature: "v1," and the HMAC-SHA-256 of "<delivery id>.<seconds>.<body>" in base64."""
    signed = hmac.new(secret.encode(), f"{delivery}.{at_s}.{sent}".encode(), hashlib.sha256)
    return "v1," + base64.b64encode(signed.digest()).decode()
