"""Every route of the lab, enumerated from its running application: nothing answers without the gateway's secret, or to
another person, and a viewer changes nothing (attacks 22, 23, 28, 29, 34, 35, 36, 44)."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.unit.lab.conftest import GATEWAY, HOST, SECRET, Box, box

__all__ = ["box"]

# What a viewer may write, with the reason. Nothing else.
VIEWER_WRITES = {
    "jupyterlab_server.settings_handler.SettingsHandler": "how the viewer's own lab looks; kept outside the volume",
    "jupyterlab_server.workspaces_handler.WorkspacesHandler": "which tabs it has open; kept there too",
}
# What a viewer may not even read, with the reason.
VIEWER_CANNOT_READ = {
    "jupyter_server_terminals.handlers.TermSocket": "a terminal writes",
    "jupyter_server.services.kernels.websocket.KernelWebsocketHandler": "a kernel runs code",
    "jupyter_server.services.events.handlers.SubscribeWebsocket": "Jupyter lets only those listen who may also send",
}

# Prints pattern and verbs of every handler that the lab's application has, as it would serve them.
ROUTES = """
import json, os, sys
from pathlib import Path
from studio.lab.__main__ import make, prepare
from studio.lab.config import read
lab = read(Path(sys.argv[1]))
inside, outside = Path(os.environ["STUDIO_IN"]), Path(os.environ["STUDIO_OUT"])
prepare(lab, inside, outside)
app = make(lab, inside, outside).web_app
found = []
def walk(rules, prefix=""):
    for rule in rules:
        target = rule.target
        if hasattr(target, "rules"):
            walk(target.rules)
        elif hasattr(rule.matcher, "regex"):
            found.append([rule.matcher.regex.pattern, target.__module__ + "." + target.__name__])
walk(app.default_router.rules)
print("ROUTES" + json.dumps(found))
"""
VERBS = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD")
WRITES = ("POST", "PUT", "PATCH", "DELETE")


@pytest.fixture(scope="module")
def lab(box: Box) -> Iterator[Box]:
    box.lab()
    yield box


def routes(lab: Box) -> list[tuple[str, str]]:
    """(path that the route matches, handler)."""
    config = lab.inside / "again.json"
    described = json.loads((lab.inside / "lab.json").read_text()) | {"socket": str(lab.outside / "again.sock")}
    config.write_text(json.dumps(described))
    done = subprocess.run(
        [sys.executable, "-c", ROUTES, str(config)], env=lab.env, capture_output=True, text=True, timeout=120
    )
    line = next((line for line in done.stdout.splitlines() if line.startswith("ROUTES")), "")
    assert line, done.stderr[-3000:]
    return [(example(pattern), handler) for pattern, handler in json.loads(line.removeprefix("ROUTES"))]


def example(pattern: str) -> str:
    """A path in the shape of a route's pattern: groups become a name, the rest stays."""
    text = pattern.removeprefix("^").removesuffix("$")
    while "(" in text:
        shorter = re.sub(r"\([^()]*\)[?*+]?", "name", text)
        if shorter == text:
            break
        text = shorter
    path = re.sub(r"\\(.)", r"\1", re.sub(r"\[[^\]]*\][?*+]?|[?*+]", "", text)).replace(".", "x")
    return path if path.startswith("/") else "/" + path


@pytest.fixture(scope="module")
def found(lab: Box) -> list[tuple[str, str]]:
    """Every route, the ones that matter most certainly among them."""
    all_routes = routes(lab)
    handlers = {handler for _, handler in all_routes}
    assert len(all_routes) > 60
    assert {"studio.lab.dashboards.DashboardsProxy", "studio.lab.proxy.ApiProxy"} <= handlers
    assert handlers >= VIEWER_WRITES.keys() | VIEWER_CANNOT_READ.keys()
    return all_routes


def test_no_route_answers_without_the_secret(lab: Box, found: list[tuple[str, str]]) -> None:
    with lab.client(**{"x-studio-lab": ""}) as stranger, lab.client(**{"x-studio-lab": "wrong" * 9}) as guesser:
        for path, handler in found:
            for verb in VERBS:
                for client in (stranger, guesser):
                    answer = client.request(verb, path)
                    assert answer.status_code == 401, f"{verb} {path} ({handler}) answered {answer.status_code}"


def test_no_route_answers_another_person(lab: Box, found: list[tuple[str, str]]) -> None:
    """With the lab's secret, a page's XSRF token and the right origin, and still nobody here."""
    page = lab.page(origin=f"http://{HOST}")
    eve, unknown = {"x-studio-user": "eve"}, {"x-studio-role": "owner"}
    for headers, verbs in ((eve, VERBS), (unknown, ("GET", "PUT")), ({"x-studio-user": ""}, ("GET", "PUT"))):
        for path, handler in found:
            for verb in verbs:
                answer = page.request(verb, path, headers=headers)
                assert answer.status_code == 403, (
                    f"{verb} {path} ({handler}) answered {answer.status_code} to {headers}"
                )
    page.close()


def test_no_route_lets_a_viewer_write(lab: Box, found: list[tuple[str, str]]) -> None:
    page = lab.page(**{"x-studio-role": "viewer", "origin": f"http://{HOST}"})
    for path, handler in found:
        for verb in WRITES:
            answer = page.request(verb, path, json={})
            if handler not in VIEWER_WRITES:
                assert answer.status_code == 403, f"{verb} {path} ({handler}) answered {answer.status_code}"
                assert answer.json()["error"]["code"] == "DENIED"
    # The same routes let an editor through to what they do: it is the role that was refused.
    editor = lab.page(origin=f"http://{HOST}")
    assert editor.post("/api/contents/shared", json={"type": "file"}).status_code == 201
    editor.close()
    page.close()


def test_a_viewer_reads(lab: Box, found: list[tuple[str, str]]) -> None:
    viewer = lab.page(**{"x-studio-role": "viewer"})
    for path, handler in found:
        if not handler.startswith("studio.lab.dashboards."):  # reading them starts them
            answer = viewer.get(path)
            assert answer.status_code != 401
            assert answer.status_code != 403 or handler in VIEWER_CANNOT_READ, f"{path} ({handler})"
    viewer.close()


def test_websockets_do_not_answer_a_stranger(lab: Box) -> None:
    for path in SOCKETS:
        assert websocket(lab, path, **{"x-studio-lab": ""}) == 401
        assert websocket(lab, path, **{"x-studio-lab": "wrong" * 9}) == 401


def test_websockets_are_their_owners_and_not_a_viewers(lab: Box) -> None:
    """A kernel and a terminal that really run."""
    lab.fork_server()
    page = lab.page(origin=f"http://{HOST}")
    kernel = page.post("/api/kernels", json={"name": "sklearn"}).json()["id"]
    terminal = page.post("/api/terminals", json={}).json()["name"]
    running = [f"/api/kernels/{kernel}/channels", f"/terminals/websocket/{terminal}"]
    for path in running:
        assert websocket(lab, path, **{"x-studio-user": "eve"}) == 403
        assert websocket(lab, path, **{"x-studio-role": "viewer"}) == 403
        assert websocket(lab, path, origin="http://trusted.evil.com") == 403
        assert websocket(lab, path) == 101
    for path in SOCKETS:
        assert websocket(lab, path, **{"x-studio-user": "eve"}) == 403
    assert page.delete(f"/api/kernels/{kernel}").status_code == 204
    assert page.delete(f"/api/terminals/{terminal}").status_code == 204
    page.close()


SOCKETS = ("/api/kernels/0/channels", "/terminals/websocket/1", "/api/events/subscribe", "/studio/dashboards/x")


def websocket(lab: Box, path: str, **headers: str) -> int:
    """The status with which an opening handshake is answered: 101 if it is let in (it is closed then)."""
    from websockets.exceptions import InvalidStatus
    from websockets.sync.client import unix_connect

    sent = {name: value for name, value in (GATEWAY | {"origin": f"http://{HOST}"} | headers).items() if value}
    del sent["host"]
    try:
        with unix_connect(str(lab.socket), f"ws://{HOST}{path}", additional_headers=sent):
            return 101
    except InvalidStatus as refused:
        return refused.response.status_code


def test_a_secret_that_comes_twice_is_none(lab: Box) -> None:
    with lab.client() as client:
        headers = [*client.headers.items(), ("x-studio-lab", SECRET)]
        assert client.get("/api", headers=httpx_headers(headers)).status_code == 401


def httpx_headers(pairs: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """The second of two equal headers, which a client's own headers are merged with."""
    return pairs[-1:] * 2


def test_a_foreign_host_is_refused(lab: Box) -> None:
    for host in ("evil.example", "demo.localhost.evil.example", "other.localhost"):
        with lab.client(host=host) as client:
            assert client.get("/api/contents").status_code == 403


def test_a_write_without_xsrf_token_is_refused(lab: Box) -> None:
    with lab.client() as client:
        client.get("/lab")
        for kind in ("application/json", "text/plain", "application/x-www-form-urlencoded"):
            answer = client.post("/api/contents", content="{}", headers={"content-type": kind})
            assert answer.status_code == 403


def test_a_foreign_origin_is_refused(lab: Box) -> None:
    page = lab.page(origin="http://trusted.evil.com")
    assert page.post("/api/contents", json={}).status_code in (403, 404)
    page.close()


def test_nothing_proxies_to_an_arbitrary_port(lab: Box) -> None:
    with lab.client() as client:
        for path in ("/proxy/8500/", "/proxy/absolute/8500/", "/proxy/127.0.0.1:8500/"):
            assert client.get(path, follow_redirects=True).status_code == 404


def test_no_login_page_and_no_token(lab: Box) -> None:
    with lab.client() as client:
        assert client.get("/login").status_code == 404
        assert client.get("/logout").status_code == 404
        page = client.get("/lab").text
    assert SECRET not in page
    assert '"token": ""' in page
