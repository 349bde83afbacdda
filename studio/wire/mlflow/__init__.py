"""The REST of MLflow 3.17's server, for its unchanged clients: MLFLOW_TRACKING_URI and an access key are enough."""

from starlette.routing import Route

from studio.wire.mlflow import (
    about,
    artifacts,
    experiments,
    history,
    logged_models,
    old_traces,
    registry,
    runs,
    traces,
    uploads,
    versions,
    webhooks,
    workspaces,
)

_FILES = (
    runs,
    history,
    experiments,
    logged_models,
    artifacts,
    uploads,
    registry,
    versions,
    webhooks,
    traces,
    old_traces,
    workspaces,
    about,
)

# In order of use, since routes are tried one after the other.
routes: list[Route] = [*(route for file in _FILES for route in file.routes.found), about.HEALTH, *about.UNKNOWN]
