"""What the client asks about the server, and everything that is left out."""

from typing import Any

from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from studio.wire.mlflow.endpoint import READ, SIGNED_IN, Call, Endpoint, Routes
from studio.wire.mlflow.errors import NoSuchRoute, NotImplementedHere
from studio.wire.permission import PUBLIC, permission

VERSION = "3.17.2"  # the MLflow whose server this answers like
routes = Routes()

# Parts of MLflow that Studio leaves out on purpose, by what follows /mlflow/. The rest of an unknown path is a mistake.
LEFT_OUT = (
    "assessments",
    "datasets",
    "demo",
    "evaluate",
    "gateway",
    "genai",
    "get-online-trace-details",
    "graphql",
    "issues",
    "jobs",
    "label-schemas",
    "mcp",
    "prompt-optimization",
    "promptlab",
    "review-queues",
    "scorer",
    "scorers",
    "traces",
    "unified-traces",
)
_METHODS = "GET,POST,PUT,PATCH,DELETE"


@routes.add("GET", "/mlflow/server-info", SIGNED_IN, version=3)
async def server_info(call: Call) -> Any:
    """What this server can do, in the words of MLflow 3.17."""
    return {
        "store_type": "SqlStore",
        "workspaces_enabled": True,
        "trace_archival_enabled": False,
        "multipart_uploads_enabled": False,
        "multipart_downloads_enabled": False,
        "presigned_upload_run_id_supported": False,
        "presigned_upload_model_id_supported": False,
        "features_enabled": {"gateway": False},
    }


@routes.add("GET", ":/version", SIGNED_IN)
async def version(call: Call) -> Response:
    """The version of MLflow that clients are to expect."""
    return PlainTextResponse(VERSION)


@permission(PUBLIC)
async def health(_request: Any) -> Response:
    """Alive; as `mlflow server` says it."""
    return PlainTextResponse("OK")


async def unknown(call: Call) -> None:
    """An error in MLflow's form for every path that is not above."""
    path = call.scope["path"]
    parts = path.partition("/mlflow/" if "/mlflow/" in path else "/")[2].split("/")
    if parts[0] in LEFT_OUT:
        raise NotImplementedHere(
            f"Studio leaves this part of MLflow out: {parts[0]}.", "Runs, models and plain traces are here."
        )
    raise NoSuchRoute(f"No API found for '{call.scope['method']} {path}'.")


HEALTH = Route("/health", health)
UNKNOWN = [
    Route(f"/{api}/{{version}}/{wire}/{{rest:path}}", Endpoint(READ, None, unknown), methods=_METHODS.split(","))
    for api in ("api", "ajax-api")
    for wire in ("mlflow", "mlflow-artifacts")
] + [Route("/graphql", Endpoint(READ, None, unknown), methods=["GET", "POST"])]
