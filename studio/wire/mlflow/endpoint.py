"""A route of this wire: who may, what the body is, one function, one way to show errors. Plain ASGI: it is hot."""

import json
import logging
import re
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar
from urllib.parse import parse_qs

import msgspec
from starlette.responses import Response
from starlette.routing import Route

from studio.access.permissions import is_narrow
from studio.access.principals import Kind, Principal
from studio.errors import Denied, Invalid, NotFound, StudioError, TooLarge
from studio.ids import new_id
from studio.wire import resources, trail
from studio.wire.context import Studio
from studio.wire.mlflow.errors import BadRequest, render
from studio.wire.permission import PUBLIC, check

READ, WRITE = "tracking.read", "tracking.write"
SIGNED_IN = "session.read"
MAX_BODY = 32 << 20
MORE = " See the API docs for more information about request parameters."
_JSON = (b"content-type", b"application/json")
_ENCODER = msgspec.json.Encoder()
_EMPTY = b"{}"
log = logging.getLogger(__name__)

Body = TypeVar("Body", bound=msgspec.Struct)
Handler = Callable[..., Awaitable[Any]]


class Call:
    """What a handler works with besides its body."""

    __slots__ = ("domain", "path", "principal", "receive", "scope", "studio")

    def __init__(self, scope: Any, receive: Any, studio: Studio, principal: Principal, domain: str) -> None:
        self.scope = scope
        self.receive = receive
        self.studio = studio
        self.principal = principal
        self.domain = domain
        self.path: dict[str, str] = scope.get("path_params", {})

    def query(self) -> dict[str, list[str]]:
        """The query's parameters."""
        return parse_qs(self.scope["query_string"].decode("latin-1"), keep_blank_values=True)

    def header(self, name: str) -> str:
        """A header by its lower-case name; "" if it was not sent."""
        return next((value.decode("latin-1") for key, value in self.scope["headers"] if key == name.encode()), "")


class Endpoint:
    """An ASGI app with the attribute `action`, as `wire.permission.declared` wants it."""

    def __init__(self, action: str, body: type[msgspec.Struct] | None, handler: Handler) -> None:
        self.action = action
        self._handler = handler
        self._body = body
        self.__name__ = handler.__name__
        self._decoder = msgspec.json.Decoder(body, strict=False) if body is not None else None
        self._required: Sequence[str] = getattr(body, "required", ())
        fields = msgspec.structs.fields(body) if body is not None else ()
        self._lists = {field.encode_name for field in fields if "list" in str(field.type)}

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answers one request."""
        try:
            call, is_narrow = await self._open(scope, receive)
            if self._body is None:
                if is_narrow:
                    await self._check_each(call, None)
                answer = await self._handler(call)
            else:
                body = await self._read(scope, receive)
                if is_narrow:
                    await self._check_each(call, body)
                answer = await self._handler(call, body)
            if isinstance(answer, Response):
                await answer(scope, receive, send)
                return
            status, payload = 200, _EMPTY if answer is None else _ENCODER.encode(answer)
        except StudioError as error:
            trail.note_refusal(error)
            status, payload = render(error)
        except Exception as error:
            number = new_id("error")
            log.error("%s: %s %s failed", number, scope["method"], scope["path"], exc_info=error)
            hidden = f"Something went wrong inside Studio ({number}). Its log says what; report it."
            status, payload = 500, _ENCODER.encode({"error_code": "INTERNAL_ERROR", "message": hidden})
        headers = [_JSON, (b"content-length", str(len(payload)).encode())]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": payload})

    async def _open(self, scope: Any, receive: Any) -> tuple[Call, bool]:
        """The call, and whether it is still to be checked for what its body names."""
        principal: Principal = scope["state"]["principal"]
        studio: Studio = scope["app"].state.studio
        if self.action == PUBLIC:
            return Call(scope, receive, studio, principal, ""), False
        domain = principal.domain or (studio.settings.first_domain if principal.kind is Kind.operator else "")
        if not domain and self.action != SIGNED_IN and principal.kind is Kind.person:
            raise Denied(
                "This session belongs to no domain, so MLflow's API cannot tell which one is meant.",
                "Use an access key of a domain: `studio key create --domain D --user U` gives the variables to set.",
            )
        narrow = is_narrow(principal, self.action, domain)
        if not narrow:
            await check(studio, scope, principal, self.action, domain)
        for name, value in scope["headers"]:
            # An empty one is the header of a client that has chosen none.
            if name == b"x-mlflow-workspace" and value and value.decode("latin-1") != domain:
                raise NotFound(
                    f"Workspace '{value.decode('latin-1')}' not found.", f"Workspaces are domains; yours is '{domain}'."
                )
        return Call(scope, receive, studio, principal, domain), narrow

    async def _check_each(self, call: Call, body: Any) -> None:
        """A rule or a narrowed key asks what the call is about: all that it names must be allowed."""
        found = await resources.of_call(call.studio.store, call.domain, self.action, call.path, body)
        for resource in found:
            await check(call.studio, call.scope, call.principal, self.action, call.domain, resource)

    async def _read(self, scope: Any, receive: Any) -> Any:
        if scope["method"] in ("GET", "HEAD"):
            return self._checked(self._of_query(scope))
        raw = await read_all(receive, MAX_BODY)
        if raw:
            _check_type(scope)
        assert self._decoder is not None
        try:
            body = self._decoder.decode(raw or _EMPTY)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            body = self._leniently(raw)
        return self._checked(body)

    def _leniently(self, raw: bytes) -> Any:
        """What is odd but meant: NaN and Infinity as literals, nulls for what is not given, JSON in a JSON string."""
        try:
            data = json.loads(raw)
            if isinstance(data, str):
                data = json.loads(data)
        except (ValueError, RecursionError) as error:
            raise BadRequest("The body is not JSON.", "Send one JSON object.") from error
        return self._convert(_without_nulls(data))

    def _of_query(self, scope: Any) -> Any:
        given = parse_qs(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        flat = {name: values if name in self._lists else values[0] for name, values in given.items()}
        return self._convert(flat)

    def _convert(self, data: Any) -> Any:
        try:
            return msgspec.convert(data, self._body, strict=False)
        except (msgspec.ValidationError, RecursionError) as error:
            raise Invalid(_explain(str(error)) + MORE) from error

    def _checked(self, body: Any) -> Any:
        for name in self._required:
            value = getattr(body, name)
            if value == "" and name == "run_id":
                value = getattr(body, "run_uuid", "")
            if value is None or value == "":
                raise Invalid(f"Missing value for required parameter '{name}'.{MORE}")
        return body


class Routes:
    """The routes of one file, collected by decorators."""

    def __init__(self) -> None:
        self.found: list[Route] = []

    def add(
        self, methods: str, path: str, action: str, body: type[Any] | None = None, version: int = 2
    ) -> Callable[[Handler], Handler]:
        """Declares METHOD[,METHOD] of /api/<version>.0<path>, and of /ajax-api; a path after a colon is whole."""

        def declare(handler: Handler) -> Handler:
            endpoint = Endpoint(action, body, handler)
            whole = [path[1:]] if path[0] == ":" else [f"/{api}/{version}.0{path}" for api in ("api", "ajax-api")]
            # Methods named one by one: HEAD is only where the handler knows it.
            for place in whole:
                route = Route(place, endpoint, methods=methods.split(","), name=handler.__name__)
                self.found.append(route)
            return handler

        return declare


async def read_all(receive: Any, most: int) -> bytes:
    """The body of a request, of at most `most` bytes."""
    message = await receive()
    if not message.get("more_body"):
        body: bytes = message.get("body", b"")
        if len(body) > most:
            raise _too_large(most)
        return body
    parts, size = [], 0
    while True:
        if message["type"] == "http.disconnect":
            raise BadRequest("The connection ended before the body did.")
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > most:
            raise _too_large(most)
        if not message.get("more_body"):
            return b"".join(parts)
        message = await receive()


def _too_large(most: int) -> TooLarge:
    return TooLarge(f"The body is larger than {most >> 20} MiB.", "Send it in parts; files are artifacts.")


def _check_type(scope: Any) -> None:
    for name, value in scope["headers"]:
        if name == b"content-type":
            if value.split(b";")[0].strip().lower() == b"application/json":
                return
            break
    raise Invalid("Bad Request. Content-Type must be one of ['application/json'].")


def _without_nulls(data: Any) -> Any:
    if isinstance(data, dict):
        return {key: _without_nulls(value) for key, value in data.items() if value is not None}
    if isinstance(data, list):
        return [_without_nulls(item) for item in data]
    return data


def _explain(message: str) -> str:
    """msgspec's words, such as "Expected `str`, got `int` - at `$.tags[0].key`", in MLflow's."""
    what, _, place = message.partition(" - at `$")
    place = place.rstrip("`").lstrip(".")
    missing = re.match(r"Object missing required field `(\w+)`", what)
    if missing:
        name = f"{place}.{missing[1]}" if place else missing[1]
        return f"Missing value for required parameter '{name}'."
    return f"Invalid value for parameter '{place or 'body'}' supplied: {what}."
