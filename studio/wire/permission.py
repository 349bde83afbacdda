"""How a route declares what it needs. `server.app` refuses to start with a route that declares nothing."""

from collections.abc import Iterator
from typing import Any

from fastapi.routing import APIRoute, APIWebSocketRoute
from starlette.requests import HTTPConnection
from starlette.routing import BaseRoute, Mount

from studio.access.permissions import require
from studio.access.principals import Principal

PUBLIC = "public"


class Allow:
    """A dependency: `principal: Principal = Depends(Allow("jobs.write"))`; the domain is the path's `domain`."""

    def __init__(self, action: str) -> None:
        self.action = action

    def __call__(self, connection: HTTPConnection) -> Principal:
        principal: Principal = connection.state.principal
        if self.action != PUBLIC:
            require(principal, self.action, connection.path_params.get("domain"))
        return principal


def declared(route: BaseRoute) -> str | None:
    """The action that `route` declares, `public`, or None."""
    if isinstance(route, (APIRoute, APIWebSocketRoute)):
        return next(_of_dependencies(route.dependant.dependencies), None)
    action: str | None = getattr(getattr(route, "endpoint", None), "action", None)
    return action


def _of_dependencies(dependencies: list[Any]) -> Iterator[str]:
    for dependency in dependencies:
        if isinstance(dependency.call, Allow):
            yield dependency.call.action
        yield from _of_dependencies(dependency.dependencies)


def leaves(routes: list[BaseRoute], prefix: str = "") -> Iterator[tuple[str, BaseRoute]]:
    """(full path, route) of all routes, mounts opened."""
    for route in routes:
        if isinstance(route, Mount):
            yield from leaves(list(route.routes), prefix + route.path)
        else:
            yield prefix + getattr(route, "path", ""), route


