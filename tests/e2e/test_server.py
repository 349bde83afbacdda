"""The server as a real process, with a real supervisor, gateway, sandbox and lab."""

import json
import os
import signal
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from studio.cli.demo.visitor import Visitor
from studio.settings import Settings
from tests import leaks
from tests.live import Live, until

HTML = {"accept": "text/html"}
Browser = Callable[..., Visitor]


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    found = Live(tmp_path_factory.mktemp("home"))
    try:
        found.studio("up", "--detach", "--no-browser", "--port", "0")
        yield found
    finally:
        pids = leaks.table(found.settings)
        found.stop()
        leaks.check(found.settings, pids)


@pytest.fixture
def rest(live: Live) -> Iterator[Any]:
    with live.operator() as api:
        yield api


@pytest.fixture
def address(rest: Any) -> str:
    return str(rest.get("session")["address"])


@pytest.fixture
def browser(rest: Any, address: str) -> Iterator[Browser]:
    """Makes browsers: signed in as `user` (None: the operator), or as nobody."""
    opened: list[Visitor] = []

    def make(user: str | None = None, *, signed_in: bool = True) -> Visitor:
        opened.append(visitor := Visitor(address))
        if signed_in:
            assert visitor.visit(rest.post("signin-links", {"user": user})["url"]).status_code == 200
            session = visitor.json("GET", f"{address}/api/v1/session")
            visitor.csrf[urlsplit(address).netloc] = session["csrf"]
        return visitor

    yield make
    for visitor in opened:
        visitor.close()


def in_lab(visitor: Visitor, address: str) -> str:
    """Opens the lab of demo as a link does; its origin."""
    assert visitor.visit(f"{address}/open?domain=demo").status_code == 200
    origin = f"http://demo.localhost:{urlsplit(address).port}"
    visitor.csrf[urlsplit(origin).netloc] = visitor.json("GET", f"{origin}/studio/api/session")["csrf"]
    return origin


def me(rest: Any) -> str:
    return str(rest.get("session")["user"])


def in_box(settings: Settings, sandbox: str, token: str, path: str = "session") -> httpx.Response:
    """A call as code inside the sandbox makes it: to its own socket. (httpx leaks a refused unix socket.)"""
    lines = [f"GET /api/v1/{path} HTTP/1.1", "host: studio", "connection: close"]
    lines += [f"authorization: Bearer {token}"] if token else []
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(10)
        client.connect(str(settings.paths.box(sandbox) / "in" / "api.sock"))
        client.sendall("\r\n".join([*lines, "", ""]).encode())
        raw = b"".join(iter(lambda: client.recv(65536), b""))
    head, _, body = raw.partition(b"\r\n\r\n")
    return httpx.Response(int(head.split(b" ")[1]), content=body)


def token_of(settings: Settings, sandbox: str) -> str:
    return (settings.paths.box(sandbox) / "in" / "token").read_text()


def box(rest: Any, sandbox: str) -> dict[str, Any] | None:
    return next((item for item in rest.get("status")["sandboxes"] if item["id"] == sandbox), None)


def pids(found: dict[str, Any] | None) -> dict[str, int]:
    assert found
    return {"": found["pid"]} | {service["name"]: service["pid"] for service in found["services"]}


def answers(call: Callable[[], httpx.Response], status: int) -> bool:
    try:
        return call().status_code == status
    except (OSError, IndexError):
        return False  # not there yet, or ended in the middle


def test_a_first_start_has_a_domain_its_admin_and_instance_types(rest: Any) -> None:
    session = rest.get("session")
    assert [(item["name"], item["role"]) for item in session["domains"]] == [("demo", "admin")]
    assert rest.get("domains/demo")["members"] == [{"user": session["user"], "role": "admin"}]
    assert [item["name"] for item in rest.get("instance-types")] == ["std.small", "std.medium", "std.large"]


def test_a_link_signs_in_once_and_out_everywhere(live: Live, rest: Any, browser: Browser, address: str) -> None:
    link = rest.post("signin-links", {})["url"]
    visitor = browser(signed_in=False)
    page = visitor.visit(link)
    assert page.status_code == 200 and "Open</a>" in page.text and urlsplit(link).query not in page.text
    again = browser(signed_in=False).request("GET", link, headers=HTML)
    assert again.status_code == 401 and "used before" in again.text
    origin = in_lab(visitor, address)
    assert "JupyterLab" in visitor.visit(f"{origin}/lab").text
    session = visitor.json("GET", f"{origin}/studio/api/session")
    assert (session["domain"], session["role"]) == ("demo", "admin")
    apex = visitor.json("GET", f"{address}/api/v1/session")
    assert apex["csrf"] != session["csrf"]
    visitor.csrf[urlsplit(address).netloc] = "guess"
    assert visitor.request("POST", f"{address}/signout").status_code == 403
    visitor.csrf[urlsplit(address).netloc] = apex["csrf"]
    kept = dict(visitor._cookies)
    kept = {host: dict(values) for host, values in kept.items()}
    assert visitor.request("POST", f"{address}/signout").status_code == 204
    visitor._cookies = kept  # a thief who kept the cookies
    assert visitor.request("GET", f"{address}/api/v1/session").status_code == 401
    assert visitor.request("GET", f"{origin}/studio/api/session").status_code == 401
    assert visitor.request("GET", f"{origin}/lab").status_code in (302, 303, 401)


@pytest.mark.parametrize(
    "wanted",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example",
        "/%5cevil",
        "javascript:alert(1)",
        "/a\r\nx: y",
        "\\\\e",
        "",
    ],
)
def test_next_never_leads_elsewhere(live: Live, wanted: str, browser: Browser, address: str) -> None:
    visitor = browser()
    origin = f"http://demo.localhost:{urlsplit(address).port}"
    first = visitor._http.get(
        f"{address}/open",
        params={"domain": "demo", "next": wanted},
        headers={"cookie": cookie(visitor, address)},
    )
    place = first.headers["location"]
    assert place.startswith(f"{origin}/studio/enter?")
    # The lab's page does not trust its address either.
    code = parse_qs(urlsplit(place).query)["code"][0]
    second = visitor._http.get(
        f"{address}/studio/enter", params={"code": code, "next": wanted}, headers={"host": urlsplit(origin).netloc}
    )
    location = second.headers["location"]
    assert location.startswith(f"{origin}/")
    assert urlsplit(location).netloc == urlsplit(origin).netloc
    assert "evil" not in location or location == f"{origin}/%5cevil"


def cookie(visitor: Visitor, address: str) -> str:
    return visitor.cookies(urlsplit(address).netloc)


def test_signed_out_people_are_told_what_to_do(live: Live, browser: Browser, address: str) -> None:
    visitor = browser(signed_in=False)
    page = visitor.request("GET", f"{address}/", headers=HTML)
    assert page.status_code == 401 and "studio signin" in page.text
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy and "unsafe" not in policy


def test_bad_input_is_answered_in_the_wires_form(live: Live, rest: Any, address: str) -> None:
    token = rest.post("domains/demo/keys", {"user": me(rest)})["token"]
    headers = {"authorization": f"Bearer {token}"}
    with httpx.Client(base_url=address, headers=headers) as client:
        for method, path, content, status in (
            ("GET", "/api/v1/nothing/here", b"", 404),
            ("GET", "/api/v1/domains/no%2Fdomain", b"", 404),
            ("GET", "/api/v1/domains/..", b"", 404),
            ("PATCH", "/api/v1/session", b"", 405),
            ("POST", "/api/v1/domains/demo/members", b"{not json", 400),
            ("POST", "/api/v1/domains/demo/members", b'{"user": "x"}', 400),
            ("POST", "/api/v1/domains/demo/members", b'{"user": "x", "role": "editor", "extra": 1}', 400),
            ("POST", "/api/v1/domains/demo/members", b'{"user": "nobody-here", "role": "editor"}', 404),
        ):
            typed = {"content-type": "application/json"} if content else {}
            answer = client.request(method, path, content=content, headers=typed)
            assert answer.status_code in (status, 403), f"{method} {path}: {answer.status_code} {answer.text}"
            error = answer.json()["error"]
            assert error["code"] and error["message"] and error["hint"], answer.text
    for name in ("", "..", "a/b", "Ä", "service."):
        with pytest.raises(Exception, match=r"cannot be the name"):
            rest.post("domains", {"name": name})
    assert [item["name"] for item in rest.get("domains")] == ["demo"]


def test_a_key_ends_at_once(live: Live, rest: Any, address: str) -> None:
    made = rest.post("domains/demo/keys", {"user": me(rest), "name": "laptop"})
    with httpx.Client(base_url=address, headers={"authorization": f"Bearer {made['token']}"}) as client:
        assert client.get("/api/v1/domains/demo").status_code == 200
        rest.delete(f"domains/demo/keys/{made['id']}")
        assert client.get("/api/v1/domains/demo").status_code == 401


def test_a_role_is_a_sandbox_and_a_removal_its_end(live: Live, rest: Any, browser: Browser, address: str) -> None:
    rest.post("users", {"name": "vera"})
    rest.post("domains/demo/members", {"user": "vera", "role": "editor"})
    visitor = browser("vera")
    in_lab(visitor, address)
    first, token = box(rest, "demo.vera"), token_of(live.settings, "demo.vera")
    assert first and in_box(live.settings, "demo.vera", token).json()["user"] == "vera"
    assert in_box(live.settings, "demo.vera", "").status_code == 401
    in_lab(browser(), address)
    own = token_of(live.settings, f"demo.{me(rest)}")
    assert in_box(live.settings, "demo.vera", own).status_code == 401  # another sandbox's token
    rest.post("domains/demo/members", {"user": "vera", "role": "viewer"})

    def restarted() -> bool:
        now = box(rest, "demo.vera")
        return bool(now and first and now["pid"] != first["pid"] and now["state"] == "Running")

    until(restarted, "the viewer's sandbox")
    fresh = token_of(live.settings, "demo.vera")
    assert fresh != token
    until(lambda: answers(lambda: in_box(live.settings, "demo.vera", fresh), 200), "the new token")
    assert in_box(live.settings, "demo.vera", token).status_code == 401
    rest.delete("domains/demo/members/vera")
    until(lambda: box(rest, "demo.vera") is None, "the end of the removed member's sandbox")
    assert visitor.request("GET", f"{address}/api/v1/domains/demo").status_code == 403


def test_kill_9_leaves_labs_and_sessions_as_they_are(live: Live, rest: Any, browser: Browser, address: str) -> None:
    visitor = browser()
    origin = in_lab(visitor, address)
    name = f"demo.{me(rest)}"
    before, server = box(rest, name), rest.get("status")["server"]["pid"]
    token = token_of(live.settings, name)
    os.kill(server, signal.SIGKILL)
    assert visitor.request("GET", f"{origin}/lab").status_code == 200  # no server is asked
    # The promise is 10 s; the rest is for the other tests that run beside this one.
    door = lambda: answers(lambda: in_box(live.settings, name, token), 200)  # noqa: E731
    until(door, "the sandbox's door after the restart", promised_s=15)
    after = until(lambda: rest.get("status"), "the server")
    assert after["server"]["pid"] != server
    assert pids(box(rest, name)) == pids(before)
    assert visitor.json("GET", f"{origin}/studio/api/session")["user"] == me(rest)


def test_pages_hear_of_changes_until_their_session_ends(live: Live, rest: Any, browser: Browser, address: str) -> None:
    visitor = browser()
    origin = in_lab(visitor, address)
    parts = urlsplit(origin)
    headers = {"cookie": visitor.cookies(parts.netloc)}
    where = f"ws://{parts.netloc}/studio/api/domains/demo/events"

    def opened(own: str) -> Any:
        raw = socket.create_connection(("127.0.0.1", parts.port))
        return connect(where, sock=raw, origin=own, additional_headers=headers, open_timeout=20)

    with pytest.raises(InvalidStatus), opened("http://evil.example"):
        pass
    rest.post("users", {"name": "wim"})
    with opened(origin) as page:
        rest.post("domains/demo/members", {"user": "wim", "role": "viewer"})
        event = {"topic": ""}
        while event["topic"] != "members":
            event = json.loads(page.recv(timeout=20))
        assert (event["domain"], event["ids"]) == ("demo", ["wim"])
        assert visitor.request("POST", f"{address}/signout").status_code == 204
        with pytest.raises(ConnectionClosed):
            for _ in range(1000):
                page.recv(timeout=20)


def test_where_names_do_not_resolve_a_lab_has_a_port(live: Live, rest: Any, browser: Browser, address: str) -> None:
    visitor = browser()
    place = rest.put("domains/demo/address", {"by": "port"})["address"].rstrip("/")
    assert place.startswith("http://127.0.0.1:") and place != address
    with httpx.Client(base_url=place, timeout=60) as client:
        assert client.get("/lab").status_code == 401
        code = visitor.request("GET", f"{address}/open?domain=demo").headers["location"]
        assert code.startswith(f"{place}/studio/enter?")
        entered = client.get(code)
        assert entered.headers["location"] == f"{place}/lab"
        assert "JupyterLab" in client.get("/lab").text
        # The port is that lab's origin and nothing else: not the apex, not another domain.
        assert client.get("/studio/api/session").json()["domain"] == "demo"
        assert client.get("/api/v1/session").status_code in (403, 404)
    rest.put("domains/demo/address", {"by": "name"})
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{place}/lab")


def test_without_a_member_there_is_no_way_in(live: Live, rest: Any, browser: Browser, address: str) -> None:
    rest.post("users", {"name": "xena"})
    visitor = browser("xena")
    answer = visitor.request("GET", f"{address}/open?domain=demo", headers=HTML)
    assert answer.status_code == 403 and "no member" in answer.text
    assert "demo" not in visitor.visit(f"{address}/").text.partition("<ul>")[2]


def test_no_secret_is_in_a_log_or_readable_by_others(live: Live, rest: Any, browser: Browser, address: str) -> None:
    token = rest.post("domains/demo/keys", {"user": me(rest)})["token"]
    link = rest.post("signin-links", {})["url"]
    visitor = browser(signed_in=False)
    visitor.visit(link)
    in_lab(visitor, address)
    secrets = [
        token,
        token.rpartition("_")[2],
        parse_qs(urlsplit(link).query)["code"][0],
        token_of(live.settings, f"demo.{me(rest)}"),
    ]
    secrets += [pair.partition("=")[2] for pair in cookie(visitor, address).split("; ")]
    for path in live.settings.paths.logs.rglob("*.log"):
        text = path.read_text(errors="replace")
        assert not [secret for secret in secrets if secret and secret in text], path
    database = b"".join(path.read_bytes() for path in live.home.glob("studio.db*"))
    assert not [secret for secret in secrets if secret.encode() in database]
    for path in (live.home / "studio.db", live.settings.paths.sockets, live.settings.paths.keys):
        assert path.stat().st_mode & 0o077 == 0, path


def test_the_operators_socket_and_the_servers_are_the_owners(live: Live) -> None:
    for name in ("operator.sock", "server.sock"):
        path: Path = live.settings.paths.sockets / name
        assert path.stat().st_mode & 0o777 == 0o600
    with httpx.Client(
        transport=httpx.HTTPTransport(uds=str(live.settings.paths.sockets / "server.sock")), base_url="http://studio"
    ) as client:
        assert client.get("/api/v1/session", headers={"x-studio-via": "session"}).status_code == 401
