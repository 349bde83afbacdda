"""The short way to MLflow's fixed paths leads where Starlette's list of routes would."""

from starlette.routing import Match, Route

from studio.server.app import direct_routes
from studio.wire import mlflow
from studio.wire.mlflow.endpoint import Endpoint


def test_short_way_and_long_way_lead_to_the_same_endpoint() -> None:
    table = direct_routes(list(mlflow.routes))
    for (method, path), endpoint in table.items():
        scope = {"type": "http", "method": method, "path": path, "root_path": ""}
        first = next(route for route in mlflow.routes if route.matches(scope)[0] is Match.FULL)
        assert first.endpoint is endpoint, (method, path)


def test_every_fixed_path_has_the_short_way() -> None:
    table = direct_routes(list(mlflow.routes))
    assert ("POST", "/api/2.0/mlflow/runs/log-metric") in table
    fixed = {
        (method, route.path)
        for route in mlflow.routes
        if isinstance(route, Route) and isinstance(route.endpoint, Endpoint) and not route.param_convertors
        for method in route.methods or ()
    }
    assert fixed == set(table)
