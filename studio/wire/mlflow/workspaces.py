"""MLflow's workspaces are Studio's domains: a key sees its own, and domains are made elsewhere."""

from typing import Any

from studio.errors import Denied, NotFound
from studio.wire.mlflow.endpoint import READ, WRITE, Call, Routes

routes = Routes()
_PATH = "/mlflow/workspaces/{name}"


@routes.add("GET", "/mlflow/workspaces", READ, version=3)
async def list_workspaces(call: Call) -> Any:
    """The caller's domain, which is the only one that this wire shows."""
    return {"workspaces": [{"name": call.domain}]}


@routes.add("GET", _PATH, READ, version=3)
async def get_workspace(call: Call) -> Any:
    """The caller's domain by its name."""
    if call.path["name"] != call.domain:
        raise NotFound(f"Workspace '{call.path['name']}' not found.", f"This key belongs to '{call.domain}'.")
    return {"workspace": {"name": call.domain}}


@routes.add("POST", "/mlflow/workspaces", WRITE, version=3)
async def create_workspace(call: Call) -> None:
    """Refused: a domain has members, quotas and a volume, of which MLflow knows nothing."""
    raise Denied("Workspaces are Studio's domains, and are not made here.", "Use `studio domain create NAME`.")


@routes.add("PATCH,DELETE", _PATH, WRITE, version=3)
async def change_workspace(call: Call) -> None:
    """Refused, for the same reason."""
    raise Denied(
        "Workspaces are Studio's domains, and are not changed or deleted here.",
        "See `studio domain --help`; new ones come from `studio domain create NAME`.",
    )
