"""The dashboards behind the lab's login: one Streamlit process on a unix socket, started when somebody first looks."""

import asyncio
import atexit
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import tornado.web as web
from jupyter_server.utils import url_path_join
from jupyter_server_proxy.handlers import ProxyHandler

from studio.clock import monotonic
from studio.signing import new_secret

SECRET_HEADER = "X-Studio-Dashboards"
START_S = 30.0


class Dashboards:
    """The process: at most one, started again at the next look after it ended, ended with the lab."""

    def __init__(self, socket: Path, base: str, url: str, token: str) -> None:
        self.socket = socket
        self.base = base
        self.secret = new_secret()
        self._connection = {"STUDIO_API": url, "STUDIO_TOKEN": token} if url and token else {}
        self._process: subprocess.Popen[bytes] | None = None
        self._starting = asyncio.Lock()

    @property
    def pid(self) -> int | None:
        """The pid of the running process, None if there is none."""
        return self._process.pid if self._process is not None and self._process.poll() is None else None

    async def ready(self) -> None:
        """Returns when the dashboards answer; HTTP 503 with the reason if they do not start."""
        async with self._starting:
            if self.pid is None:
                self._start()
            elif await self._answers():
                return
            deadline = monotonic() + START_S
            while not await self._answers():
                if self.pid is None:
                    raise web.HTTPError(503, "The dashboards ended while starting; the lab's log has the reason.")
                if monotonic() > deadline:
                    self.stop()
                    raise web.HTTPError(503, f"The dashboards did not start within {START_S:.0f} s. Try again.")
                await asyncio.sleep(0.02)

    def _start(self) -> None:
        self.socket.unlink(missing_ok=True)
        env = os.environ | self._connection | {"STUDIO_DASHBOARDS_SECRET": self.secret}
        argv = [sys.executable, "-m", "studio.dashboards", "--socket", str(self.socket), "--base", self.base]
        # Ended by `stop` at the lab's exit; if the lab is killed, by the closing of this pipe.
        self._process = subprocess.Popen(argv, env=env, stdin=subprocess.PIPE)
        atexit.register(self.stop)

    async def _answers(self) -> bool:
        try:
            _, writer = await asyncio.open_unix_connection(str(self.socket))
        except OSError:
            return False
        writer.close()
        return True

    def stop(self) -> None:
        """Ends the process, if there is one."""
        atexit.unregister(self.stop)
        process, self._process = self._process, None
        if process is None:
            return
        if process.stdin is not None:
            process.stdin.close()
        process.terminate()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        self.socket.unlink(missing_ok=True)


class DashboardsProxy(ProxyHandler):
    """Passes pages and websocket on to the process; ProxyHandler.prepare has checked the login of every request."""

    auth_resource = "studio"

    def initialize(self, dashboards: Dashboards) -> None:
        """`dashboards` is the same for all requests."""
        self.dashboards = dashboards
        self.absolute_url = True
        self.unix_socket = str(dashboards.socket)
        self.proxy_base = "studio/dashboards"

    def proxy_request_headers(self) -> Any:
        """Without the lab's own credentials and cookies, with what the process asks for."""
        headers = self.request.headers.copy()
        cookies = [part.strip() for part in headers.get("Cookie", "").split(";")]
        kept = [cookie for cookie in cookies if cookie.startswith("_streamlit")]
        for name in [name for name in headers if name.lower().startswith("x-studio-")]:
            del headers[name]
        for name in ("Authorization", "Cookie"):
            headers.pop(name, None)
        if kept:
            headers["Cookie"] = "; ".join(kept)
        headers[SECRET_HEADER] = self.dashboards.secret
        return headers

    def check_xsrf_cookie(self) -> None:
        """Streamlit has its own token for uploads; a foreign page is refused by Origin before that."""
        if not self.check_origin():
            raise web.HTTPError(403, "This page may not talk to the dashboards.")

    async def _pass_on(self, path: str) -> None:
        await self.dashboards.ready()
        await self.proxy("localhost", 0, path)

    @web.authenticated
    async def get(self, *args: Any, **options: Any) -> None:
        """A page, one of its files, or the page's websocket."""
        await super().get(*args, **options)

    async def http_get(self, path: str = "") -> None:
        """A page or one of its files; called by `get`."""
        await self._pass_on(path)

    @web.authenticated
    async def post(self, path: str = "") -> None:
        """A form's data."""
        await self._pass_on(path)

    @web.authenticated
    async def put(self, path: str = "") -> None:
        """An uploaded file."""
        await self._pass_on(path)

    @web.authenticated
    async def delete(self, path: str = "") -> None:
        """An uploaded file that is not wanted any more."""
        await self._pass_on(path)

    @web.authenticated
    async def head(self, path: str = "") -> None:
        """What a page's answer would be."""
        await self._pass_on(path)

    @web.authenticated
    async def patch(self, path: str = "") -> None:
        """Nothing here is changed in place."""
        raise web.HTTPError(405)

    @web.authenticated
    async def options(self, path: str = "") -> None:
        """No other origin is ever allowed."""
        raise web.HTTPError(405)

    async def open(self, path: str = "") -> None:
        """The page's websocket."""
        await self.dashboards.ready()
        await self.proxy_open("localhost", 0, path)

    def get_client_uri(self, protocol: str, host: str, port: int, proxied_path: str) -> str:
        """The same path and query as the browser's: the process serves under the lab's base."""
        # The host is only a name for the unix socket; Streamlit compares Host and Origin, which pass as headers.
        query = f"?{self.request.query}" if self.request.query else ""
        return f"{protocol}://localhost{self.request.path}{query}"


class _AddSlash(DashboardsProxy):
    """`…/studio/dashboards` → `…/studio/dashboards/`, else relative addresses in the page miss."""

    async def http_get(self, path: str = "") -> None:
        """Redirects, with the query."""
        query = f"?{self.request.query}" if self.request.query else ""
        self.redirect(self.dashboards.base + "/" + query)


def handlers(base: str, dashboards: Dashboards) -> list[tuple[str, type[web.RequestHandler], dict[str, Any]]]:
    """The routes at and below `<base>/studio/dashboards`."""
    settings = {"dashboards": dashboards}
    return [
        (url_path_join(base, r"/studio/dashboards()"), _AddSlash, settings),
        (url_path_join(base, r"/studio/dashboards/(.*)"), DashboardsProxy, settings),
    ]
