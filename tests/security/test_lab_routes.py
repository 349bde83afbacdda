"""Every route of the lab, enumerated from its running application: nothing answers without the gateway's secret
(attacks 22, 23, 28, 29, 34, 35, 36, 44)."""

import json
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.unit.lab.conftest import HOST, SECRET, Box, box

__all__ = ["box"]

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
    import re

    text = pattern.removeprefix("^").removesuffix("$")
    while "(" in text:
        shorter = re.sub(r"\([^()]*\)[?*+]?", "name", text)
        if shorter == text:
            break
        text = shorter
    path = re.sub(r"\\(.)", r"\1", re.sub(r"\[[^\]]*\][?*+]?|[?*+]", "", text)).replace(".", "x")
    return path if path.startswith("/") else "/" + path


def test_no_route_answers_a_stranger(lab: Box) -> None:
    found = routes(lab)
    assert len(found) > 60
    assert {"studio.lab.dashboards.DashboardsProxy", "studio.lab.proxy.ApiProxy"} <= {handler for _, handler in found}
    with lab.client(**{"x-studio-lab": ""}) as stranger, lab.client(**{"x-studio-lab": "wrong" * 9}) as guesser:
        for path, handler in found:
            for verb in VERBS:
                for client in (stranger, guesser):
                    answer = client.request(verb, path)
                    assert answer.status_code == 401, f"{verb} {path} ({handler}) answered {answer.status_code}"


def test_websockets_do_not_answer_a_stranger(lab: Box) -> None:
    from websockets.exceptions import InvalidStatus
    from websockets.sync.client import unix_connect

    for path in ("/api/kernels/0/channels", "/terminals/websocket/1", "/api/events/subscribe", "/studio/dashboards/x"):
        with pytest.raises(InvalidStatus) as refused, unix_connect(str(lab.socket), f"ws://{HOST}{path}"):
            pytest.fail(f"{path} was opened.")
        assert refused.value.response.status_code == 401


def test_another_person_is_not_let_in(lab: Box) -> None:
    for headers in ({"x-studio-user": "eve"}, {"x-studio-user": ""}, {"x-studio-role": "owner"}, {"x-studio-role": ""}):
        with lab.client(**headers) as client:
            assert client.get("/api/contents").status_code in (302, 403)


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


def test_a_viewer_reads_and_writes_nothing(lab: Box) -> None:
    page = lab.page(**{"x-studio-role": "viewer"})
    assert page.get("/api/contents").status_code == 200
    refused = [
        page.post("/api/contents/shared", json={"type": "file"}),
        page.put("/api/contents/shared/x.txt", json={"type": "file", "format": "text", "content": "x"}),
        page.delete("/api/contents/shared"),
        page.post("/api/kernels", json={"name": "sklearn"}),
        page.post("/api/sessions", json={"path": "x", "name": "x", "type": "notebook", "kernel": {"name": "sklearn"}}),
        page.post("/api/terminals", json={}),
    ]
    assert [answer.status_code for answer in refused] == [403] * len(refused)
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
