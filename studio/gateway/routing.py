"""Where a request goes: pure decisions from Host, path, identity and tables. Deny by default."""

import re
from collections.abc import Callable
from enum import StrEnum
from urllib.parse import quote

import msgspec

from studio import signing
from studio.errors import Denied, Invalid, NotFound, StudioError, Unauthenticated, Unavailable
from studio.gateway import aws_signature, cors, open_inference
from studio.gateway.config import Config
from studio.gateway.decisions import (
    Decision,
    Invoke,
    Metrics,
    Preflight,
    Prove,
    Ready,
    Redirect,
    Refuse,
    Tell,
    ToLab,
    ToServer,
)
from studio.gateway.identity import ANONYMOUS, Identities, Identity
from studio.gateway.messages import Misdirected
from studio.gateway.refusals import Refusals
from studio.gateway.requests import SAFE, Request
from studio.gateway.tables import Tables
from studio.gateway.terms import terms_of
from studio.ids import is_name

_STUDIO = "/studio/"
_API = "/studio/api/"


class Guard(StrEnum):
    """What the gateway asks of whoever takes a route, before the route is entered."""

    server = "server"  # nothing here: the server denies what is not public there
    code = "code"  # nothing here: the server checks the one-time code in the address
    key = "key"  # an access key, of somebody who is a member of its domain
    member = "member"  # a session of this very origin, of a member


class Asked(msgspec.Struct, frozen=True):
    """A request that has passed its route's guard; `domain`: of the key or the origin; `name` (and `version` of it):
    what the path names."""

    request: Request
    identity: Identity
    domain: str
    role: str
    name: str
    version: str


class Route(msgspec.Struct, frozen=True):
    """`pattern` matches the whole path, decoded once; its groups are the name and its version. `lead` decides."""

    pattern: re.Pattern[str]
    guard: Guard
    lead: "Callable[[Router, Asked], Decision]"


class Router:
    """Decides for one configuration and one table."""

    def __init__(self, config: Config, tables: Tables, identities: Identities) -> None:
        self._config = config
        self._tables = tables
        self._identities = identities
        self.refusals = Refusals(tables)
        self._apex = frozenset(config.apex_hosts)
        self._suffix = f".localhost:{config.port}"

    def decide(self, request: Request) -> Decision:
        """Where `request` goes."""
        try:
            # A key is a new identity to us whenever anything in the tables has changed: then all is decided anew.
            again = request.decided
            if again and self._identities.key(request.fields[b"authorization"]) is again.identity:
                return again
            if request.host in self._apex:
                return self._at_apex(request)
            domain = self._domain(request.host)
            if domain is None:
                raise Misdirected(
                    f"Nothing is served here under the name {request.host[:80]!r}.",
                    f"Open {self._config.scheme}://{self._config.apex_hosts[0]}/.",
                )
            return self._at_lab(request, domain)
        except StudioError as error:
            return Refuse(error)

    def _domain(self, host: str) -> str | None:
        if host.endswith(self._suffix):
            domain = host[: -len(self._suffix)]
            return domain if is_name(domain) and self._tables.get(f"domains/{domain}") is not None else None
        name, _, port = host.rpartition(":")
        if name in ("127.0.0.1", "localhost") and port.isdigit():
            for key, entry in self._tables.entries.items():
                if key.startswith("domains/") and entry.get("port") == int(port):
                    return key.removeprefix("domains/")
        return None

    def _at_apex(self, request: Request) -> Decision:
        if request.is_signed and request.proven is None:
            signed = aws_signature.read(request)
            self._identities.signing_key(signed.key_id)
            return Prove(signed)
        route, names = _find(APEX, request)
        if route.guard is Guard.key:
            # Browsers ask without the key. What this tells is which origins the endpoint names, to who knows both.
            if names[0] and cors.is_preflight(request) and route.lead in _FOR_PAGES:
                return Preflight(names[0])
            identity, domain, role = self._program(request)
            return route.lead(self, Asked(request, identity, domain, role, *names))
        if request.upgrade:
            raise Invalid("There is no websocket here.", "Websockets are at a domain's own address.")
        if authorization := request.header(b"authorization"):
            identity = request.proven or self._identities.key(authorization)
        else:
            identity = self._identities.session(request.headers, "studio_session", None) or ANONYMOUS
            self._check_browser(request, identity, csrf=True)
        return route.lead(self, Asked(request, identity, "", "", *names))

    def _program(self, request: Request) -> tuple[Identity, str, str]:
        authorization = request.header(b"authorization")
        if not authorization:
            raise no_key()
        identity = request.proven or self._identities.key(authorization)
        role = self._role(identity.domain, identity.user)
        return identity, identity.domain, identity.cap if identity.cap and role == "admin" else role

    def _role(self, domain: str, user: str) -> str:
        role = self._identities.role(domain, user)
        if role is None:
            raise Denied(f"{user} is no member of the domain {domain}.", "Ask an admin of the domain.")
        return role

    def _at_lab(self, request: Request, domain: str) -> Decision:
        if request.decoded.startswith(_STUDIO) and not request.path.startswith(_STUDIO):
            raise Invalid("The path is written in an odd way.", "Send /studio/ without escapes.")
        route, names = _find(LAB, request)
        identity = self._identities.session(request.headers, f"studio_{domain}", domain)
        if route.guard is Guard.code:
            # Comes with the one-time code, before there is a session.
            self._check_browser(request, identity or ANONYMOUS, csrf=False)
            return route.lead(self, Asked(request, identity or ANONYMOUS, domain, "", *names))
        if identity is None:
            return self._without_session(request, domain)
        role = self._role(domain, identity.user)
        self._check_browser(request, identity, csrf=route.lead is Router.api)
        return route.lead(self, Asked(request, identity, domain, role, *names))

    # What the routes lead to.
    def server(self, asked: Asked) -> Decision:
        """The server, at the same path."""
        host = "lab" if asked.domain else "apex"
        return ToServer(asked.identity, asked.request.target, host, asked.domain)

    def api(self, asked: Asked) -> Decision:
        """The server's API, from a lab's origin."""
        if not asked.request.path.startswith(_API):
            raise Invalid("The path is written in an odd way.", "Send /studio/api/ without escapes.")
        return ToServer(asked.identity, b"/api/v1/" + asked.request.target[len(_API) :], "lab", asked.domain)

    def lab(self, asked: Asked) -> Decision:
        """The person's own lab in this domain."""
        key, closed = f"labs/{asked.domain}/{asked.identity.user}", f"closed/{asked.domain}"
        self._require(asked, "lab.open", f"domain/{asked.domain}", closed)
        lab = self._tables.get(key)
        if lab is None:
            return self._without_lab(asked.request, asked.identity, asked.domain)
        watched = msgspec.structs.replace(asked.identity, watch=(*asked.identity.watch, key, closed))
        return ToLab(watched, asked.domain, asked.role, str(lab["socket"]), str(lab["secret"]))

    def metrics(self, asked: Asked) -> Decision:
        """Figures about the endpoints of the key's domain."""
        self._require(asked, "serving.read", "endpoint/*", f"refusals/{asked.domain}")
        return Metrics(asked.domain)

    def predict(self, asked: Asked) -> Decision:
        """A prediction by an endpoint of the key's domain."""
        self._may_invoke(asked)
        if asked.request.method != "POST":
            raise Invalid("A prediction is asked for with POST.", "Send the rows in the body of a POST.")
        return _invoke(asked, None)

    def invoke_later(self, asked: Asked) -> Decision:
        """The same, made later: the server takes the body."""
        self._may_invoke(asked)
        if asked.request.method != "POST":
            raise Invalid("A prediction is asked for with POST.", "Send the rows in the body of a POST.")
        target = f"/sagemaker/domains/{asked.domain}/endpoints/{asked.name}/async-invocations"
        return ToServer(asked.identity, target.encode(), "apex", asked.domain)

    def describe(self, asked: Asked) -> Decision:
        """An endpoint's OpenAPI document, or the page of it: the server says who may read it."""
        self._require_endpoint(asked)
        _only_read(asked.request)
        leaf = asked.request.path.rpartition("/")[2]
        target = f"/api/v1/domains/{asked.domain}/endpoints/{asked.name}/{leaf}"
        return ToServer(asked.identity, target.encode(), "apex", asked.domain)

    def infer(self, asked: Asked) -> Decision:
        """The same in the Open Inference Protocol."""
        self._may_invoke(asked)
        if asked.request.method != "POST":
            raise Invalid("A prediction is asked for with POST.", "Send the tensors in the body of a POST.")
        return _invoke(asked, open_inference.question(asked.request, asked.name, asked.version, ""))

    def model(self, asked: Asked) -> Decision:
        """What an endpoint's model says of itself."""
        self._may_invoke(asked)
        _only_read(asked.request)
        return _invoke(asked, open_inference.question(asked.request, asked.name, asked.version, "model"))

    def ready(self, asked: Asked) -> Decision:
        """Whether an endpoint answers."""
        self._may_invoke(asked)
        _only_read(asked.request)
        return Ready(asked.domain, asked.name)

    def health(self, asked: Asked) -> Decision:
        """That the gateway is there."""
        _only_read(asked.request)
        return Tell(open_inference.health(asked.request.path.rpartition("/")[2]))

    def about(self, asked: Asked) -> Decision:
        """Which protocol this is, and which of its extensions are known."""
        _only_read(asked.request)
        return Tell(open_inference.server())

    def _may_invoke(self, asked: Asked) -> None:
        name = asked.name
        self._require(asked, "serving.invoke", f"endpoint/{name}", f"refusals/{asked.domain}/{name}")
        self._require_endpoint(asked)

    def _require_endpoint(self, asked: Asked) -> None:
        name = asked.name
        if not is_name(name) or self._tables.get(f"endpoints/{asked.domain}/{name}") is None:
            raise NotFound(
                f"The domain {asked.domain} has no endpoint {name[:60]!r}.",
                "`studio endpoint list` shows what it has.",
            )
        if asked.request.path != asked.request.decoded:
            raise Invalid("The endpoint's name is written in an odd way.", "Send it without escapes.")

    def _require(self, asked: Asked, action: str, resource: str, key: str) -> None:
        self.refusals.require(asked.identity, asked.role, action, resource, key, asked.request.client)

    def nothing(self, asked: Asked) -> Decision:
        """Paths that belong to programs and lead nowhere yet."""
        raise NotFound(f"There is no {asked.request.path[:200]}.", "Predictions: POST /endpoints/NAME/invocations.")

    def _without_session(self, request: Request, domain: str) -> Decision:
        if request.method == "GET" and b"text/html" in request.accept and not request.upgrade:
            apex = f"{self._config.scheme}://{self._config.apex_hosts[0]}"
            return Redirect(f"{apex}/open?domain={domain}&next={quote(request.target.decode('ascii'), safe='')}")
        raise Unauthenticated(
            f"Nobody is signed in to the domain {domain}.", "Open its address in the browser and sign in."
        )

    def _without_lab(self, request: Request, identity: Identity, domain: str) -> Decision:
        if request.method == "GET" and b"text/html" in request.accept and not request.upgrade:
            return starting(request, identity, domain)
        raise Unavailable("The lab is not running.", "Open the domain's address in the browser: that starts it.")

    def _check_browser(self, request: Request, identity: Identity, *, csrf: bool) -> None:
        """Refuses what another site's page could have sent. Compared for equality: `match` lets `a.evil.com` pass."""
        origin = request.header(b"origin").decode("latin-1")
        own = f"{self._config.scheme}://{request.host}"
        unsafe = request.method not in SAFE
        # A program has no session and sends no Origin; a browser sends one with a websocket and an unsafe request.
        needed = bool(request.upgrade) or (unsafe and (bool(origin) or (csrf and identity.via == "session")))
        if needed and origin != own:
            raise Denied("The request comes from another origin.", f"Only pages of {own} may send it.")
        if unsafe and csrf and identity.via == "session":
            sent = request.header(b"x-studio-csrf").decode("latin-1")
            if not identity.csrf or not signing.equal(sent, identity.csrf):
                raise Denied("The header x-studio-csrf is missing or wrong.", "Reload the page.")


def _invoke(asked: Asked, question: open_inference.Question | None) -> Invoke:
    request = asked.request
    found = Invoke(asked.identity, asked.domain, asked.name, terms_of(request), question)
    request.decided = found if request.is_repeatable else None
    return found


def no_key() -> Unauthenticated:
    """What a program is told that shows none."""
    return Unauthenticated(
        "This needs an access key.",
        "Make one with `studio key create --domain D --user U`, and send `Authorization: Bearer studio_…`.",
    )


def starting(request: Request, identity: Identity, domain: str) -> ToServer:
    """The page that is shown while a lab starts, and leads back to what was asked for."""
    back = quote(request.target.decode("ascii"), safe="")
    return ToServer(identity, f"/studio/starting?next={back}".encode(), "lab", domain)


# Every route of the gateway, first match first. tests/security walks them; each states its guard.
APEX: tuple[Route, ...] = (
    Route(re.compile(r"/endpoints/([^/]+)/invocations"), Guard.key, Router.predict),
    Route(re.compile(r"/endpoints/([^/]+)/async-invocations"), Guard.key, Router.invoke_later),
    Route(re.compile(r"/endpoints/([^/]+)/(?:openapi\.json|docs)"), Guard.key, Router.describe),
    Route(re.compile(r"/v2/models/([^/]+)(?:|/versions/([^/]+))/infer"), Guard.key, Router.infer),
    Route(re.compile(r"/v2/models/([^/]+)(?:|/versions/([^/]+))/ready"), Guard.key, Router.ready),
    Route(re.compile(r"/v2/models/([^/]+)(?:|/versions/([^/]+))"), Guard.key, Router.model),
    Route(re.compile(r"/v2/health/(?:live|ready)"), Guard.key, Router.health),
    Route(re.compile(r"/v2"), Guard.key, Router.about),
    Route(re.compile(r"/(?:endpoints/.*|v2/.*|invocations)", re.DOTALL), Guard.key, Router.nothing),
    Route(re.compile(r"/metrics"), Guard.key, Router.metrics),
    Route(re.compile(r"/.*", re.DOTALL), Guard.server, Router.server),
)
LAB: tuple[Route, ...] = (
    Route(re.compile(r"/studio/enter"), Guard.code, Router.server),
    Route(re.compile(r"/studio/starting.*", re.DOTALL), Guard.member, Router.server),
    Route(re.compile(r"/studio/api/.*", re.DOTALL), Guard.member, Router.api),
    Route(re.compile(r"/.*", re.DOTALL), Guard.member, Router.lab),
)


# What pages of other origins may ask for, where the endpoint names their origin.
_FOR_PAGES = (Router.predict, Router.infer, Router.model, Router.ready)


def _only_read(request: Request) -> None:
    if request.method not in SAFE:
        raise Invalid(f"{request.path} is only read.", "Ask for it with GET.")


def _find(routes: tuple[Route, ...], request: Request) -> tuple[Route, tuple[str, str]]:
    """The first route that the path matches, and the name and version in it."""
    for route in routes:
        if found := route.pattern.fullmatch(request.decoded):
            name, version = (*found.groups(""), "", "")[:2]
            return route, (name, version)
    raise NotFound(f"There is no {request.path[:200]}.", "See the documentation for what is served here.")
