"""The app: every wire, behind one authentication, with no route that declares no permission."""

import logging
from collections.abc import Callable
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.websockets import WebSocket

from studio import __version__
from studio.errors import StudioError, TooLarge
from studio.server.authentication import App, Authentication, Scope
from studio.server.probes import ROUTES as PROBES
from studio.wire import mlflow, pages, sagemaker, trail
from studio.wire.context import Studio
from studio.wire.mlflow.endpoint import Endpoint
from studio.wire.permission import declared, leaves
from studio.wire.rest import ROUTERS
from studio.wire.rest import errors as rest_errors

MOST_BODY = 32 * 1024 * 1024
log = logging.getLogger(__name__)
Handler = Callable[[Request, Exception], Response]


def build_rest() -> FastAPI:
    """`/api/v1`, without a context: for the OpenAPI description and for `build_app`."""
    rest = FastAPI(
        title="Studio", version=__version__, openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False
    )
    for router in ROUTERS:
        # Appended, not included: one flat list is walked by the checks and matched faster.
        rest.router.routes.extend(router.routes)
    handlers: dict[type[Exception], Handler] = {
        StudioError: rest_errors.studio_error,
        HTTPException: rest_errors.http_error,
        RequestValidationError: rest_errors.validation_error,
        Exception: rest_errors.unexpected,
    }
    for kind, handler in handlers.items():
        rest.add_exception_handler(kind, _on_any(handler))
    return rest


def openapi() -> dict[str, Any]:
    """The description of `/api/v1` that the TypeScript types are generated from."""
    return build_rest().openapi()


def build_app(studio: Studio, *, gateway_secret: str) -> App:
    """The whole server as one ASGI app."""
    app = build_wires(studio)
    check_routes(app.routes)
    others = recorded(studio, guarded(limited(app)))
    return Authentication(direct(app, others), studio.people, gateway_secret, studio.operator)


def build_wires(studio: Studio) -> Starlette:
    """Every route of the server, without authentication in front."""
    rest = build_rest()
    runtime = sagemaker.build()
    rest.state.studio = runtime.state.studio = studio
    # MLflow's first: the most frequent calls, and routes are tried one after the other.
    own = [Mount("/api/v1", app=rest), Mount("/sagemaker", app=runtime)]
    routes: list[BaseRoute] = [*mlflow.routes, *own, *PROBES, *pages.ROUTES]
    app = Starlette(routes=routes, exception_handlers=_page_handlers())
    app.router.redirect_slashes = False
    app.state.studio = studio
    return app


def check_routes(routes: list[BaseRoute]) -> None:
    """`RuntimeError` naming every route that does not say what it needs: such a server must not start."""
    silent = [path for path, route in leaves(list(routes)) if declared(route) is None]
    if silent:
        raise RuntimeError(f"routes without a declared permission: {', '.join(sorted(silent))}")


def direct(app: Starlette, others: App) -> App:
    """MLflow's fixed paths go straight to their endpoints, which answer their own errors; all else through `others`.

    Trying one route after the other, inside Starlette's layers, takes as long as logging a metric.
    """
    found = direct_routes(app.routes)
    # What leaves a row in the audit log goes the long way, which follows it.
    table = {key: endpoint for key, endpoint in found.items() if not trail.is_recorded(endpoint.action, key[0])}

    async def call(scope: Scope, receive: Any, send: Any) -> None:
        endpoint = table.get((scope.get("method", ""), scope["path"]))
        if endpoint is None:
            await others(scope, receive, send)
        else:
            scope["app"] = app
            await endpoint(scope, receive, send)

    return call


def direct_routes(routes: list[BaseRoute]) -> dict[tuple[str, str], Endpoint]:
    """(method, path) → the endpoint of this wire's first route for it, of the paths that are fixed."""
    table: dict[tuple[str, str], Endpoint] = {}
    for route in routes:
        if isinstance(route, Route) and isinstance(route.endpoint, Endpoint) and not route.param_convertors:
            for method in route.methods or ():
                table.setdefault((method, route.path), route.endpoint)
    return table


def recorded(studio: Studio, app: App) -> App:
    """What a request changed, or was refused, is in the audit log before its answer begins, which names the row."""

    async def call(scope: Scope, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        with trail.following() as followed:

            async def watched(message: Any) -> None:
                if message["type"] == "http.response.start":
                    await trail.finish(studio, followed, message["status"])
                    if followed.request:
                        message["headers"] = [*message.get("headers", ()), (trail.HEADER, followed.request.encode())]
                await send(message)

            await app(scope, receive, watched)

    return call


def guarded(app: App) -> App:
    """The outermost layer of the rest: an error that was already answered and logged ends here."""

    async def call(scope: Scope, receive: Any, send: Any) -> None:
        begun = False

        async def watched(message: Any) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await app(scope, receive, watched)
        except Exception as error:
            # Starlette's outermost handler answers, then raises again for the server to log; that is done already.
            if not begun and scope["type"] == "http":
                response = rest_errors.unexpected(Request(scope), error)
                await response(scope, receive, send)

    return call


def limited(app: App) -> App:
    """Bodies of our own wire end at 32 MiB, announced or not; files that are streamed to the disk may be larger."""

    async def call(scope: Scope, receive: Any, send: Any) -> None:
        if scope["type"] != "http" or not _is_bounded(scope):
            await app(scope, receive, send)
            return
        received = 0
        announced = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
        if announced.isdigit() and int(announced) > MOST_BODY:
            too_large = TooLarge("The body is larger than 32 MiB.", "Put large files into the domain's volume.")
            await rest_errors.studio_error(Request(scope), too_large)(scope, receive, send)
            return

        async def counted() -> Any:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > MOST_BODY:
                raise HTTPException(413)
            return message

        await app(scope, counted, send)

    return call


def _is_bounded(scope: Scope) -> bool:
    path = scope["path"]
    is_file = scope["method"] == "PUT" and path.endswith("/transfer/files")
    is_file |= scope["method"] == "POST" and path.endswith("/async-invocations")
    return bool(path.startswith("/api/v1/")) and not is_file


def _page_handlers() -> dict[Any, Any]:
    """Outside of the wires: pages for people, JSON for programs."""
    return {
        StudioError: _on_any(pages.errors.studio_error),
        HTTPException: _on_any(pages.errors.http_error),
        Exception: _on_any(pages.errors.unexpected),
    }


def _on_any(handler: Handler) -> Any:
    """`handler` for requests and for websockets that are refused; async, so that it is not run in a thread."""

    async def handle(connection: Any, error: Exception) -> Response | None:
        response = handler(connection, error)
        if not isinstance(connection, WebSocket):
            return response
        if connection.client_state.name == "CONNECTING":
            await connection.receive()
        if connection.application_state.name == "CONNECTED":
            await connection.close(1011)
        else:
            await connection.send_denial_response(response)
        return None

    return handle
