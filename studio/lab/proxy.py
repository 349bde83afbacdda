"""In somebody else's Jupyter: `<base>/studio/api/*` → Studio's `/api/v1/*` with the access key of this server."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import tornado.httpclient as httpclient
import tornado.httputil as httputil
import tornado.web as web
import tornado.websocket as websocket
from jupyter_server.auth.decorator import authorized, ws_authenticated
from jupyter_server.base.handlers import APIHandler, JupyterHandler
from jupyter_server.base.websocket import WebSocketMixin
from jupyter_server.utils import url_path_join

PASSED_ON = ("Content-Type", "Accept")
PASSED_BACK = ("Content-Type", "Content-Disposition", "Cache-Control")
HINT = "Open the lab from Studio's address, or start this Jupyter with STUDIO_URL and STUDIO_TOKEN (an access key) set."


@dataclass(frozen=True, slots=True)
class Upstream:
    """Where Studio is and the key that this server has for it; both empty if it has none."""

    url: str
    token: str

    @property
    def is_known(self) -> bool:
        """Whether there is anywhere to pass requests on to."""
        return bool(self.url and self.token)

    def address(self, path: str, query: str, scheme: str = "") -> str:
        """The upstream address of `path`; it cannot leave `/api/v1/`."""
        # The path comes decoded from the router: quoting it again keeps '?', '#' and '%' from gaining a meaning.
        parts = path.split("/")
        if any(part in (".", "..") for part in parts) or "\\" in path:
            raise web.HTTPError(400, "This path climbs out of Studio's API.")
        base = self.url.rstrip("/")
        if scheme:
            base = base.replace("http", "ws", 1)
        return f"{base}/api/v1/" + "/".join(quote(part, safe="") for part in parts) + (f"?{query}" if query else "")

    @property
    def headers(self) -> dict[str, str]:
        """What proves who this server is."""
        return {"Authorization": f"Bearer {self.token}"}


class ApiProxy(APIHandler):
    """Passes one request on. Who reaches Jupyter here acts with this server's key: XSRF and Origin checks stay on."""

    auth_resource = "studio"

    def initialize(self, upstream: Upstream) -> None:
        """`upstream` is the same for all requests."""
        self.upstream = upstream

    async def _pass_on(self, path: str) -> None:
        if not self.upstream.is_known:
            raise _absent()
        headers = {name: value for name in PASSED_ON if (value := self.request.headers.get(name))}
        method = self.request.method or "GET"
        answer = await httpclient.AsyncHTTPClient().fetch(
            self.upstream.address(path, self.request.query),
            method=method,
            body=self.request.body if method in ("POST", "PUT", "PATCH") else None,
            headers=headers | self.upstream.headers,
            follow_redirects=False,
            raise_error=False,
            request_timeout=120,
        )
        if answer.code == 599:
            raise web.HTTPError(502, f"Studio does not answer: {answer.error}")
        self.set_status(answer.code)
        for name in PASSED_BACK:
            if name in answer.headers:
                self.set_header(name, answer.headers[name])
        self.finish(answer.body)

    @web.authenticated
    @authorized
    async def get(self, path: str) -> None:
        """Reads."""
        await self._pass_on(path)

    @web.authenticated
    @authorized
    async def post(self, path: str) -> None:
        """Makes or acts."""
        await self._pass_on(path)

    @web.authenticated
    @authorized
    async def put(self, path: str) -> None:
        """Replaces."""
        await self._pass_on(path)

    @web.authenticated
    @authorized
    async def delete(self, path: str) -> None:
        """Removes."""
        await self._pass_on(path)

    def write_error(self, status_code: int, **options: Any) -> None:
        """Errors in the form of Studio's API, which the panels read."""
        error = options.get("exc_info", (None, None, None))[1]
        message = getattr(error, "log_message", None) or httputil.responses.get(status_code, "Error")
        self.set_header("Content-Type", "application/json")
        code = "ABSENT" if isinstance(error, Absent) else f"HTTP_{status_code}"
        self.finish({"error": {"code": code, "message": message, "hint": HINT if status_code in (404, 502) else ""}})


class EventsProxy(WebSocketMixin, websocket.WebSocketHandler, JupyterHandler):
    """Passes the events' websocket on, from Studio to the page."""

    auth_resource = "studio"

    def initialize(self, upstream: Upstream) -> None:
        """`upstream` is the same for all requests."""
        self.upstream = upstream
        self.source: websocket.WebSocketClientConnection | None = None

    def set_default_headers(self) -> None:
        """None: a websocket's answer takes no page headers."""

    @ws_authenticated
    @authorized(action="read")
    async def get(self, path: str) -> None:
        """Opens both ends, Studio's first: a page must not wait on a stream that nobody feeds."""
        if not self.upstream.is_known:
            raise _absent()
        request = httpclient.HTTPRequest(
            self.upstream.address(path, self.request.query, "ws"), headers=self.upstream.headers, connect_timeout=10
        )
        try:
            self.source = await websocket.websocket_connect(request, on_message_callback=self._forward)
        except (httpclient.HTTPError, OSError) as error:
            raise web.HTTPError(502, f"Studio does not answer: {error}") from error
        await super().get(path=path)

    def open(self, path: str) -> None:
        """Both ends are open."""
        super().open()

    def _forward(self, message: str | bytes | None) -> None:
        if message is None:
            self.close()
        elif self.ws_connection is not None:
            self.write_message(message, binary=isinstance(message, bytes))

    def on_message(self, message: str | bytes) -> None:
        """Events flow one way: what a page says is dropped."""

    def on_close(self) -> None:
        """Closes Studio's end with the page's."""
        if self.source is not None:
            self.source.close()


class Absent(web.HTTPError):
    """This Jupyter has no Studio behind it."""


def _absent() -> Absent:
    return Absent(404, "This Jupyter server has no Studio behind it.")


def handlers(base: str, upstream: Upstream) -> list[tuple[str, type[web.RequestHandler], dict[str, Any]]]:
    """The routes below `<base>/studio/api/`."""
    settings = {"upstream": upstream}
    return [
        (url_path_join(base, r"/studio/api/(domains/[^/]+/events)"), EventsProxy, settings),
        (url_path_join(base, r"/studio/api/(.+)"), ApiProxy, settings),
    ]
