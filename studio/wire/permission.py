"""How a route declares what it needs. `server.app` refuses to start with a route that declares nothing."""

import functools
from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import Any

from fastapi.routing import APIRoute, APIWebSocketRoute
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount

from studio.access.permissions import is_narrow, kind_of, require
from studio.access.principals import Kind, Principal
from studio.errors import Denied, NotFound
from studio.wire import resources, trail
from studio.wire.context import Studio, context_of

PUBLIC = "public"
Endpoint = Callable[[Request], Awaitable[Response]]


class Allow:
    """A dependency: `principal: Principal = Depends(Allow("serving.write"))`; the domain is the path's `domain`.

    What it is about is found by convention (`wire.resources`), or filled from the path: `Allow(…, "space/{space}")`."""

    def __init__(self, action: str, resource: str = "") -> None:
        self.action = action
        self._resource = resource

    async def __call__(self, connection: HTTPConnection) -> Principal:
        principal: Principal = connection.state.principal
        domain, path = connection.path_params.get("domain"), connection.path_params
        kind = kind_of(self.action)
        given = self._resource.format_map(path) or resources.in_path(kind, path)
        if not given and trail.is_recorded(self.action, connection.scope.get("method", "GET")):
            given = await resources.in_body(kind, connection)
        if not is_narrow(principal, self.action, domain):
            return await allow(connection, self.action, domain, given)
        store = context_of(connection).store
        asked = await resources.attributes(connection, store, domain, self.action)
        found = [given] if given else await resources.of_request(connection, store, domain, self.action)
        for resource in found:
            await allow(connection, self.action, domain, resource, asked)
        return principal


async def allow(
    connection: HTTPConnection,
    action: str,
    domain: str | None,
    resource: str = "",
    attributes: Mapping[str, Any] | None = None,
) -> Principal:
    """Who asks, if they may do `action` in `domain`; else `Unauthenticated` or `Denied`; `NotFound` for an operator who
    names a domain that does not exist."""
    principal: Principal = connection.state.principal
    if action != PUBLIC:
        studio = context_of(connection)
        if domain and principal.kind is Kind.operator and domain not in studio.people.now.domains:
            raise NotFound(f"There is no domain {domain!r}.", "See `studio domain list`.")
        await check(studio, connection.scope, principal, action, domain, resource, attributes)
    return principal


async def check(
    studio: Studio,
    scope: Mapping[str, Any],
    principal: Principal,
    action: str,
    domain: str | None,
    resource: str = "",
    attributes: Mapping[str, Any] | None = None,
) -> None:
    """Asks the one point and leaves the answer in the audit log: a refusal at once, a change with its write."""
    try:
        require(principal, action, domain, resource, attributes)
    except Denied as error:
        await trail.refuse(studio, scope, principal, action, domain, resource, error.message)
        raise
    trail.begin(studio, scope, principal, action, domain, resource)


def permission(action: str) -> Callable[[Endpoint], Endpoint]:
    """Declares the action of a plain Starlette endpoint; its domain: the path's, else that the asker is bound to."""

    def declare(endpoint: Endpoint) -> Endpoint:
        @functools.wraps(endpoint)
        async def checked(request: Request) -> Response:
            principal: Principal = request.state.principal
            await allow(request, action, request.path_params.get("domain") or principal.domain)
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
