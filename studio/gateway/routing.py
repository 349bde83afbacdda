"""Where a request goes: pure decisions from Host, path, identity and tables. Deny by default."""

import re
from urllib.parse import quote

import msgspec

from studio import signing
from studio.errors import Denied, Invalid, NotFound, StudioError, Unauthenticated, Unavailable
from studio.gateway.config import Config
from studio.gateway.identity import ANONYMOUS, Identities, Identity
from studio.gateway.messages import Misdirected
from studio.gateway.requests import SAFE, Request
from studio.gateway.tables import Tables
from studio.ids import is_name

_INVOKE = re.compile(r"/endpoints/([^/]+)/invocations")
_STUDIO = "/studio/"
_API = "/studio/api/"


class Refuse(msgspec.Struct, frozen=True):
    """Answered by the gateway with an error."""

    error: StudioError


class Redirect(msgspec.Struct, frozen=True):
    """303 to `location`."""

    location: str


class ToServer(msgspec.Struct, frozen=True):
    """To the control plane as `target`."""

    identity: Identity
    target: bytes
    host: str
    domain: str = ""


class ToLab(msgspec.Struct, frozen=True):
    """To the lab of (domain, person)."""

    identity: Identity
    domain: str
    role: str
    socket: str
    secret: str


class Invoke(msgspec.Struct, frozen=True):
    """A prediction by endpoint `name` of `domain`."""

    identity: Identity
    domain: str
    name: str


class Metrics(msgspec.Struct, frozen=True):
    """Prometheus text about the endpoints of one domain."""

    domain: str


Decision = Refuse | Redirect | ToServer | ToLab | Invoke | Metrics


class Router:
    """Decides for one configuration and one table."""

    def __init__(self, config: Config, tables: Tables, identities: Identities) -> None:
        self._config = config
        self._tables = tables
        self._identities = identities
        self._apex = frozenset(config.apex_hosts)
        self._suffix = f".localhost:{config.port}"

    def decide(self, request: Request) -> Decision:
        """Where `request` goes."""
        try:
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
        authorization = request.header(b"authorization")
        if request.decoded.startswith(("/endpoints/", "/v2/")) or request.decoded in ("/invocations", "/metrics"):
            return self._for_programs(request, authorization)
        if request.upgrade:
            raise Invalid("There is no websocket here.", "Websockets are at a domain's own address.")
        if authorization:
            return ToServer(self._identities.key(authorization), request.target, "apex")
        identity = self._identities.session(request.headers, "studio_session", None) or ANONYMOUS
        self._check_browser(request, identity, csrf=True)
        return ToServer(identity, request.target, "apex")

    def _for_programs(self, request: Request, authorization: bytes) -> Decision:
        if not authorization:
            raise Unauthenticated(
                "This needs an access key.",
                "Make one with `studio key create --domain D --user U`, and send `Authorization: Bearer studio_…`.",
            )
        identity = self._identities.key(authorization)
        if self._identities.role(identity.domain, identity.user) is None:
            raise Denied(
                f"{identity.user} is no member of the domain {identity.domain}.", "Ask an admin of the domain."
            )
        if request.decoded == "/metrics":
            return Metrics(identity.domain)
        found = _INVOKE.fullmatch(request.path)
        if found is None:
            raise NotFound(f"There is no {request.path[:200]}.", "Predictions: POST /endpoints/NAME/invocations.")
        name = found.group(1)
        if not is_name(name) or self._tables.get(f"endpoints/{identity.domain}/{name}") is None:
            raise NotFound(
                f"The domain {identity.domain} has no endpoint {name[:60]!r}.",
                "`studio endpoint list` shows what it has.",
            )
        if request.method != "POST":
            raise Invalid("A prediction is asked for with POST.", "Send the rows in the body of a POST.")
        return Invoke(identity, identity.domain, name)

    def _at_lab(self, request: Request, domain: str) -> Decision:
        if request.decoded.startswith(_STUDIO) and not request.path.startswith(_STUDIO):
            raise Invalid("The path is written in an odd way.", "Send /studio/ without escapes.")
        identity = self._identities.session(request.headers, f"studio_{domain}", domain)
        if request.path == "/studio/enter":
            # Comes with the one-time code, before there is a session.
            self._check_browser(request, identity or ANONYMOUS, csrf=False)
            return ToServer(identity or ANONYMOUS, request.target, "lab", domain)
        if identity is None:
            return self._without_session(request, domain)
        role = self._identities.role(domain, identity.user)
        if role is None:
            raise Denied(f"{identity.user} is no member of the domain {domain}.", "Ask an admin of the domain.")
        api = request.path.startswith(_API)
        self._check_browser(request, identity, csrf=api)
        if api:
            return ToServer(identity, b"/api/v1/" + request.target[len(_API) :], "lab", domain)
        if request.path.startswith("/studio/starting"):
            return ToServer(identity, request.target, "lab", domain)
        lab = self._tables.get(f"labs/{domain}/{identity.user}")
        if lab is None:
            return self._without_lab(request, identity, domain)
        watched = msgspec.structs.replace(identity, watch=(*identity.watch, f"labs/{domain}/{identity.user}"))
        return ToLab(watched, domain, role, str(lab["socket"]), str(lab["secret"]))

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


def starting(request: Request, identity: Identity, domain: str) -> ToServer:
    """The page that is shown while a lab starts, and leads back to what was asked for."""
    back = quote(request.target.decode("ascii"), safe="")
    return ToServer(identity, f"/studio/starting?next={back}".encode(), "lab", domain)
