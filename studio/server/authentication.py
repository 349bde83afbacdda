"""Who is asking: decided once per request, from the door it came through."""

import base64
import binascii
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from starlette.responses import JSONResponse, Response

from studio import signing
from studio.access.people import People, Snapshot
from studio.access.principals import ANONYMOUS, Kind, Principal, Role
from studio.domains.sandboxes import KEY
from studio.errors import StudioError, Unauthenticated
from studio.server.doors import Door
from studio.wire.mlflow.errors import render
from studio.wire.rest.errors import body as error_body

Scope = MutableMapping[str, Any]
App = Callable[[Scope, Any, Any], Awaitable[None]]
Credentials = dict[bytes, str]
_DECIDE = frozenset((b"authorization", b"x-studio-gateway", b"x-studio-via", b"x-studio-credential"))
MLFLOW = ("/api/2.0/", "/api/3.0/", "/ajax-api/")
_HINT = "Open the sign-in link, or send an access key as bearer token."


class Authentication:
    """Pure ASGI: sets `request.state.principal`; nothing behind it looks at credentials again."""

    def __init__(self, app: App, people: People, gateway_secret: str, operator: str) -> None:
        self._app = app
        self._people = people
        self._gateway_secret = gateway_secret
        self._operator = operator

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        if scope["type"] not in ("http", "websocket"):
            return
        try:
            people = await self._people.fresh()
            principal = self.principal(scope.get("studio.door"), credentials(scope), people)
        except StudioError as error:
            await _refuse(error, scope, receive, send)
            return
        # What the next ones see is only what the gateway says about host and client.
        scope.setdefault("state", {})["principal"] = principal
        await self._app(scope, receive, send)

    def principal(self, door: Door | None, sent: Credentials, people: Snapshot) -> Principal:
        """The asker; `Unauthenticated` for a wrong credential, `ANONYMOUS` where the gateway found none."""
        if door is None:
            raise Unauthenticated("This request came through no door.", _HINT)
        if door.kind == "operator":
            return people.principal(Kind.operator, self._operator)
        if door.kind == "sandbox":
            return _of_sandbox(door, sent, people)
        if not signing.equal(sent.get(b"x-studio-gateway", ""), self._gateway_secret):
            raise Unauthenticated("This socket is the gateway's.", "Use Studio's address.")
        return _of_gateway(sent, people, self._operator)


def _of_gateway(sent: Credentials, people: Snapshot, operator: str) -> Principal:
    """The gateway has checked the credential against its table; here it must still exist, and gives the roles."""
    via, credential = sent.get(b"x-studio-via", ""), sent.get(b"x-studio-credential", "")
    if via == "session":
        session = people.session(credential)
        if session is None:
            raise Unauthenticated("This session has ended.", "Open a new sign-in link: `studio signin`.")
        operates = session.user == operator and session.domain is None
        return people.principal(Kind.person, session.user, session.domain, session.id, operates=operates)
    if via == "key" and credential.startswith(KEY):
        # Code that has the host's network: its token is in the gateway's table while its sandbox runs.
        return _sandbox(credential.removeprefix(KEY), people)
    if via == "key":
        key = people.key(credential)
        if key is None:
            raise Unauthenticated("This access key is revoked or expired.", "Ask an admin of the domain for another.")
        return people.principal(Kind.key, key.user, key.domain, key.id, scope=key.scope)
    return ANONYMOUS


def _of_sandbox(door: Door, sent: Credentials, people: Snapshot) -> Principal:
    """Code in a sandbox acts as its owner, as an editor at most; its token is required on its socket too."""
    if not signing.equal(signing.digest(bearer(sent.get(b"authorization", ""))), door.digest):
        raise Unauthenticated(
            "The token of this sandbox is missing or wrong.", "Send STUDIO_TOKEN as bearer token; restart old kernels."
        )
    return _sandbox(door.sandbox, people)


def _sandbox(name: str, people: Snapshot) -> Principal:
    domain, _, owner = name.partition(".")
    return people.principal(Kind.sandbox, owner, domain, name, cap=Role.editor)


def bearer(header: str) -> str:
    """The token of an Authorization header: `Bearer`, or the password of `Basic`; "" if there is none."""
    scheme, _, value = header.strip().partition(" ")
    value = value.strip()
    if scheme.lower() == "bearer":
        return value
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(value, validate=True).decode().partition(":")[2]
        except (binascii.Error, UnicodeDecodeError):
            return ""
    return ""


def credentials(scope: Scope) -> Credentials:
    """The headers that decide; one that is sent twice counts as not sent, so that nobody chooses which is read."""
    found: Credentials = {}
    twice = False
    for name, value in scope["headers"]:
        if name in _DECIDE:
            twice = twice or name in found
            found[name] = value.decode("latin-1")
    if twice:
        names = [name for name, _ in scope["headers"]]
        return {name: value for name, value in found.items() if names.count(name) == 1}
    return found


async def _refuse(error: StudioError, scope: Scope, receive: Any, send: Any) -> None:
    if scope["path"].startswith(MLFLOW):
        status, body = render(error)
        answer = Response(body, status, media_type="application/json")
    else:
        answer = JSONResponse(error_body(error.code, error.message, error.hint), error.status)
    if scope["type"] == "websocket":
        await receive()
        if "websocket.http.response" not in scope.get("extensions", {}):
            await send({"type": "websocket.close", "code": 4401, "reason": error.message})
            return
    await answer(scope, receive, send)
