"""Gateway, server and labs as they really run together: every route, asked from outside as nobody, viewer, stranger."""

import socket
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Origin

from studio.access import permissions
from studio.cli.demo.visitor import Visitor
from studio.server.app import build_wires
from studio.wire.permission import declared, leaves
from tests import leaks
from tests.live import Live
from tests.security.test_lab_routes import VERBS, VIEWER_WRITES, routes
from tests.security.test_routes_server import PUBLIC, UNKNOWN, WRITES, filled
from tests.unit.lab.conftest import Box, box

__all__ = ["box"]


@dataclass
class Town:
    """A Studio with vera, who views demo, and otto, who administers `other`; both are signed in at the apex."""

    live: Live
    address: str
    vera: Visitor
    otto: Visitor
    lab: str  # the origin of demo, where vera's lab runs
    nobody: httpx.Client

    def ask(self, url: str, method: str = "GET", **headers: str) -> httpx.Response:
        """One request with no credential but `headers`."""
        parts = urlsplit(url)
        body = None if method in ("GET", "HEAD", "OPTIONS") else {}
        sent = {"host": parts.netloc, **headers}
        return self.nobody.request(method, f"{self.address}{parts.path}", headers=sent, json=body)


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    live = Live(tmp_path_factory.mktemp("home"))
    opened: list[Visitor] = []
    try:
        live.studio("up", "--detach", "--no-browser", "--port", "0")
        with live.operator() as api:
            api.post("domains", {"name": "other"})
            for user, domain, role in (("vera", "demo", "viewer"), ("otto", "other", "admin")):
                api.post("users", {"name": user})
                api.post(f"domains/{domain}/members", {"user": user, "role": role})
        opened += [live.person("vera"), live.person("otto")]
        with httpx.Client(timeout=30) as nobody:
            yield Town(live, live.address, opened[0], opened[1], live.in_lab(opened[0]), nobody)
    finally:
        for visitor in opened:
            visitor.close()
        pids = leaks.table(live.settings)
        live.stop()
        leaks.check(live.settings, pids)


def server_routes() -> Iterator[tuple[str, str, str]]:
    """(method, path, action) of every HTTP route of the server; the routes do not depend on the installation."""
    for path, route in leaves(build_wires(None).routes):  # type: ignore[arg-type]
        for method in sorted((getattr(route, "methods", None) or set()) - {"HEAD"}):
            yield method, filled(path), declared(route) or ""


def places(town: Town, path: str) -> list[str]:
    """Where a browser finds a route of the server: at the apex, and our API at a lab's origin too."""
    found = [town.address + path]
    if path.startswith("/api/v1/"):
        found.append(f"{town.lab}/studio/api/{path.removeprefix('/api/v1/')}")
    return found


def test_nobody_gets_401_from_every_route_of_the_server(town: Town) -> None:
    asked = 0
    for method, path, action in server_routes():
        for url in places(town, path):
            answer = town.ask(url, method)
            if action != "public" or url.startswith(town.lab):
                assert answer.status_code == 401, f"{method} {url} answered {answer.status_code}"
                asked += 1
    assert asked > 150
    # And what is public says nothing of anybody.
    for path in map(filled, (*PUBLIC, *UNKNOWN)):
        text = town.ask(town.address + path).text
        assert not [name for name in ("vera", "otto", "demo") if name in text], path


def test_a_viewer_writes_through_no_route_of_the_server(town: Town) -> None:
    token = town.live.key("demo", "vera")
    denied = WRITES | permissions.OPERATOR_ONLY | permissions.SERVICE
    asked = 0
    for method, path, action in server_routes():
        if action in denied:
            for url in places(town, path):
                answer = town.vera.request(method, url, json={})
                assert answer.status_code == 403, f"{method} {url} answered {answer.status_code}"
            answer = town.ask(town.address + path, method, Authorization=f"Bearer {token}")
            assert answer.status_code == 403, f"{method} {path} answered {answer.status_code} to a viewer's key"
            asked += 1
    assert asked > 60
    # The proofs that her page sends are right: it is her role that was refused.
    assert town.vera.request("GET", f"{town.lab}/studio/api/domains/demo").status_code == 200
    made = town.vera.request("POST", f"{town.lab}/studio/api/domains/demo/runs/search", json={})
    assert made.status_code == 200


def test_a_stranger_gets_nowhere_in_another_domain(town: Town) -> None:
    token = town.live.key("other", "otto")
    for method, path, _ in server_routes():
        if "/domains/demo" in path:
            answer = town.otto.request(method, town.address + path, json={})
            assert answer.status_code == 403, f"{method} {path} answered {answer.status_code}"
            for url in places(town, path)[1:]:
                at_lab = town.otto.request(method, url, json={})
                assert at_lab.status_code == 401, f"{method} {path} answered {at_lab.status_code} at demo's origin"
            by_key = town.ask(town.address + path, method, Authorization=f"Bearer {token}")
            assert by_key.status_code == 403, f"{method} {path} answered {by_key.status_code} to a key"
    assert town.otto.request("GET", f"{town.address}/open?domain=demo").status_code == 403


def test_no_route_of_a_lab_answers_nobody_or_a_stranger(town: Town, box: Box) -> None:
    box.lab()
    cookies = town.otto.cookies(urlsplit(town.address).netloc)
    for path, handler in routes(box):
        for verb in VERBS:
            for headers in ({}, {"cookie": cookies.replace("studio_session", "studio_demo")}):
                answer = town.ask(town.lab + path, verb, **headers)
                assert answer.status_code == 401, f"{verb} {path} ({handler}) answered {answer.status_code}"


def test_a_viewers_own_lab_writes_nothing(town: Town, box: Box) -> None:
    """The lab that runs in her sandbox, through the gateway, with all the proofs that its page has."""
    assert town.vera.request("GET", f"{town.lab}/lab", headers={"accept": "text/html"}).status_code == 200
    assert town.vera.request("GET", f"{town.lab}/api/contents/shared").status_code == 200
    if not (box.inside / "lab.json").exists():
        box.lab()
    for path, handler in routes(box):
        if handler not in VIEWER_WRITES and not path.startswith("/studio/"):
            for verb in ("POST", "PUT", "PATCH", "DELETE"):
                answer = town.vera.request(verb, town.lab + path, json={})
                assert answer.status_code == 403, f"{verb} {path} ({handler}) answered {answer.status_code}"


def test_websockets_are_for_members(town: Town) -> None:
    host = urlsplit(town.lab).netloc
    vera, otto = town.vera.cookies(host), town.otto.cookies(urlsplit(town.address).netloc)
    forged = otto.replace("studio_session", "studio_demo")
    # A viewer listens to what changes. Kernels and terminals there are none that she could have started.
    for path, status in (
        ("/studio/api/domains/demo/events", 101),
        ("/api/kernels/1/channels", 404),
        ("/terminals/websocket/1", 404),
        ("/api/events/subscribe", 403),
    ):
        assert websocket(town, path, "") == 401
        assert websocket(town, path, forged) == 401
        assert websocket(town, path, vera, origin="http://trusted.evil.com") == 403
        assert websocket(town, path, vera) == status, path
    assert websocket(town, "/studio/api/domains/other/events", vera) == 403


def websocket(town: Town, path: str, cookie: str, origin: str = "") -> int:
    """The status of an opening handshake at demo's origin; 101 is closed again."""
    at = urlsplit(town.address)
    raw = socket.create_connection((at.hostname, at.port))
    headers = {"cookie": cookie} if cookie else {}
    where = f"ws://{urlsplit(town.lab).netloc}{path}"
    try:
        with connect(where, sock=raw, origin=Origin(origin or town.lab), additional_headers=headers):
            return 101
    except InvalidStatus as refused:
        return refused.response.status_code
    finally:
        raw.close()
