"""How a route declares what it needs. `server.app` refuses to start with a route that declares nothing."""

import functools
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

from fastapi.routing import APIRoute, APIWebSocketRoute
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount

from studio.access.permissions import require
from studio.access.principals import Kind, Principal
from studio.errors import NotFound
from studio.wire.context import context_of

PUBLIC = "public"
Endpoint = Callable[[Request], Awaitable[Response]]


class Allow:
    """A dependency: `principal: Principal = Depends(Allow("jobs.write"))`; the domain is the path's `domain`."""

    def __init__(self, action: str) -> None:
        self.action = action

    async def __call__(self, connection: HTTPConnection) -> Principal:
        return allow(connection, self.action, connection.path_params.get("domain"))


def allow(connection: HTTPConnection, action: str, domain: str | None) -> Principal:
    """Who asks, if they may do `action` in `domain`; else `Unauthenticated` or `Denied`; `NotFound` for an operator who
    names a domain that does not exist."""
    principal: Principal = connection.state.principal
    if action != PUBLIC:
        require(principal, action, domain)
        if domain and principal.kind is Kind.operator and domain not in context_of(connection).people.now.domains:
            raise NotFound(f"There is no domain {domain!r}.", "See `studio domain list`.")
    return principal


def permission(action: str) -> Callable[[Endpoint], Endpoint]:
    """Declares the action of a plain Starlette endpoint; its domain: the path's, else that the asker is bound to."""

    def declare(endpoint: Endpoint) -> Endpoint:
        @functools.wraps(endpoint)
        async def checked(request: Request) -> Response:
            principal: Principal = request.state.principal
            allow(request, action, request.path_params.get("domain") or principal.domain)
            return await endpoint(request)

        checked.action = action  # type: ignore[attr-defined]
        return checked

    return declare


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
