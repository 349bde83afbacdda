"""Attack 33, and what else ends a page: roles, sessions, keys and accounts, on a Studio that runs (31, 37, 43)."""

import json
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import urlencode, urlsplit

import httpx
import pytest
from typer.testing import CliRunner
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin

from studio.cli.demo.visitor import Visitor
from studio.cli.main import app
from studio.client import Rest
from studio.errors import Conflict
from tests import leaks
from tests.live import Live
from tests.ui.browser import chromium, window

GOOD, OTHER = "correct horse battery", "staple wrong mule charge"
FORM = {"content-type": "application/x-www-form-urlencoded", "accept": "text/html"}
EVENTS = "/studio/api/domains/demo/events"
ENDS_S = 10.0  # what is promised: within seconds


@dataclass
class Town:
    """A running Studio; people are made by the tests."""

    live: Live
    address: str
    api: Rest
    visitors: list[Visitor] = field(default_factory=list)

    def person(self, name: str) -> Visitor:
        """A new editor of demo, signed in by a link."""
        self.api.post("users", {"name": name})
        self.api.post("domains/demo/members", {"user": name, "role": "editor"})
        return self.browser(name)

    def browser(self, name: str | None = None) -> Visitor:
        """One more browser, in which `name` has signed in by a link; None: nobody."""
        self.visitors.append(visitor := Visitor(self.address))
        if name is not None:
            assert visitor.visit(self.api.post("signin-links", {"user": name})["url"]).status_code == 200
            self.know(visitor, self.address)
        return visitor

    def know(self, visitor: Visitor, origin: str) -> None:
        """The page at `origin` learns what its writes must show."""
        path = "/api/v1/session" if origin == self.address else "/studio/api/session"
        visitor.csrf[urlsplit(origin).netloc] = visitor.json("GET", origin + path)["csrf"]

    def signed_in(self, name: str, password: str) -> Visitor:
        """Through the form of the sign-in page."""
        visitor = self.browser()
        answer = self.form(visitor, name, password)
        assert answer.status_code == 200, answer.text
        self.know(visitor, self.address)
        return visitor

    def form(self, visitor: Visitor, name: str, password: str) -> httpx.Response:
        body = urlencode({"user": name, "password": password, "next": "/open?domain=demo"})
        return visitor.request("POST", f"{self.address}/signin", content=body, headers=FORM)

    def lab(self, visitor: Visitor) -> str:
        """Opens the lab of demo as a link does; its origin."""
        assert visitor.visit(f"{self.address}/open?domain=demo&wait=1").status_code == 200
        self.know(visitor, origin := f"http://demo.localhost:{urlsplit(self.address).port}")
        return origin

    def status(self, visitor: Visitor, url: str) -> int:
        return visitor.request("GET", url).status_code

    def command(self, *words: str, typed: str | None = None) -> str:
        """What `studio WORDS` prints; in this process, since each start of one takes long."""
        done = CliRunner().invoke(app, ["--home", str(self.live.home), *words], input=typed)
        assert done.exit_code == 0, (words, done.output, done.exception)
        return done.output


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    live = Live(tmp_path_factory.mktemp("home"))
    visitors: list[Visitor] = []
    try:
        live.studio("up", "--detach", "--no-browser", "--port", "0")
        with live.operator() as api:
            yield Town(live, api.get("session")["address"], api, visitors)
    finally:
        for visitor in visitors:
            visitor.close()
        pids = leaks.table(live.settings)
        live.stop()
        leaks.check(live.settings, pids)


@pytest.fixture(scope="module")
def vera(town: Town) -> Visitor:
    """Who has a lab; the last test takes it from her."""
    visitor = town.person("vera")
    town.lab(visitor)
    return visitor


def websocket(visitor: Visitor, origin: str, path: str) -> ClientConnection:
    """A websocket as the page at `origin` opens it."""
    parts = urlsplit(origin)
    raw = socket.create_connection(("127.0.0.1", int(parts.port or 80)))
    headers = {"cookie": visitor.cookies(parts.netloc)}
    where = f"ws://{parts.netloc}{path}"
    try:
        return connect(where, sock=raw, origin=Origin(origin), additional_headers=headers, open_timeout=60)
    except InvalidStatus:
        raw.close()
        raise


def ended(page: ClientConnection) -> None:
    """Reads until the end, which must come soon."""
    with pytest.raises(ConnectionClosed):
        for _ in range(1000):
            page.recv(timeout=ENDS_S)


def refused(visitor: Visitor, origin: str, path: str) -> int:
    """The status with which a websocket is refused."""
    with pytest.raises(InvalidStatus) as error:
        websocket(visitor, origin, path).close()
    return error.value.response.status_code


def test_a_session_that_somebody_ends_is_over_everywhere(town: Town, vera: Visitor) -> None:
    here, there = town.browser("vera"), town.browser("vera")
    origin = town.lab(there)
    sessions = f"{town.address}/api/v1/sessions"
    mine = here.json("GET", sessions)
    assert [(item["user"], item["via"], item["address"]) for item in mine] == [("vera", "link", "this computer")] * 3
    assert [(item["current"], item["domains"]) for item in mine[:2]] == [(False, ["demo"]), (True, [])]
    shown = json.loads(town.command("session", "list", "--user", "vera", "--json"))
    assert [item["id"] for item in shown] == [item["id"] for item in mine]
    with websocket(there, origin, EVENTS) as page:
        assert here.request("DELETE", f"{sessions}/{mine[0]['id']}").status_code == 204
        # It is over when the call returns; what is open ends at once.
        assert town.status(there, f"{origin}/studio/api/session") == 401
        assert town.status(there, f"{town.address}/api/v1/session") == 401
        ended(page)
    assert here.request("DELETE", f"{sessions}/{mine[0]['id']}").status_code == 404
    for visitor in (here, vera):
        assert town.status(visitor, f"{town.address}/api/v1/session") == 200
    town.command("session", "revoke", mine[1]["id"])
    assert town.status(here, f"{town.address}/api/v1/session") == 401


def test_a_password_opens_what_a_link_opens_and_is_in_no_log(town: Town, vera: Visitor) -> None:
    own, account = f"{town.address}/api/v1/session/password", f"{town.address}/account"
    assert vera.json("GET", own) == {"has_password": False, "needs_old": False}
    assert "New password" in vera.request("GET", account, headers={"accept": "text/html"}).text
    assert vera.request("PUT", own, json={"new": GOOD}).status_code == 204
    by_password = town.signed_in("vera", GOOD)
    origin = town.lab(by_password)
    assert by_password.json("GET", f"{origin}/studio/api/session")["user"] == "vera"
    cookie = by_password.cookies(urlsplit(town.address).netloc).partition("=")[2]
    assert {town.form(town.browser(), name, OTHER).status_code for name in ("vera", "nobody")} == {401}

    # Set by who runs it, from standard input: who came with the old one is out, who came with a link is not.
    assert OTHER not in town.command("user", "password", "vera", typed=f"{OTHER}\n")
    assert town.status(by_password, f"{origin}/studio/api/session") == 401
    assert town.status(vera, f"{town.address}/api/v1/session") == 200
    assert town.form(town.browser(), "vera", GOOD).status_code == 401
    town.signed_in("vera", OTHER)
    town.command("user", "password", "vera", "--clear")
    assert town.form(town.browser(), "vera", OTHER).status_code == 401

    for path in (*town.live.settings.paths.logs.rglob("*.log"), *town.live.home.glob("studio.db*")):
        assert not [text for text in (GOOD, OTHER, cookie) if text.encode() in path.read_bytes()], path
    audit = town.command("audit", "list", "--json")
    assert "sessions.open" in audit and GOOD not in audit and OTHER not in audit


@pytest.mark.browser
def test_the_form_works_in_a_browser_and_from_nowhere_else(town: Town) -> None:
    """Attack 34 as a browser would do it: a page of another origin sends the form."""
    town.person("bea")
    town.api.put("users/bea/password", {"password": GOOD})
    with chromium() as browser, window(browser) as page:
        page.set_content(
            f"<form method=post action='{town.address}/signin'><input name=user value=bea>"
            f"<input name=password value='{GOOD}'><input name=next><button>Win a prize</button></form>"
        )
        with page.expect_navigation() as answer:  # to its end: a goto beside it would lose to it
            page.click("button")
        assert answer.value.status == 403 and not page.context.cookies()

        page.goto(f"{town.address}/account")
        for password in (OTHER, GOOD):
            page.fill("#user", "bea")
            page.fill("#password", password)
            page.click("form button")
            page.wait_for_selector("[role=alert]" if password == OTHER else "#others, h1:has-text('bea')")
        # It leads to where one wanted to go; the page of one's own changes the password.
        assert page.url == f"{town.address}/account"
        for field, value in (("old", GOOD), ("fresh", OTHER), ("again", OTHER)):
            page.fill(f"#{field}", value)
        page.click("form button")
        page.wait_for_selector("#said:has-text('Your password is set.')")
    assert town.form(town.browser(), "bea", GOOD).status_code == 401
    town.signed_in("bea", OTHER)


def test_a_session_of_another_site_is_not_tossed_in(town: Town, vera: Visitor) -> None:
    """Attacks 34 and 43: another origin of this machine sets a cookie of ours, or sends the form."""
    mine, hers = (visitor.cookies(urlsplit(town.address).netloc) for visitor in (vera, town.person("eve")))
    for cookie in (f"{mine}; {hers}", f"{hers}; {mine}"):
        assert httpx.get(f"{town.address}/api/v1/session", headers={"cookie": cookie}).status_code == 401
    body = urlencode({"user": "eve", "password": GOOD})
    for origin in ("http://demo.localhost:1", "http://trusted.evil.com", "null"):
        answer = httpx.post(f"{town.address}/signin", content=body, headers=FORM | {"origin": origin})
        assert answer.status_code == 403 and "set-cookie" not in answer.headers


def test_a_narrowed_key_is_held_to_it_at_the_server_and_at_the_gateway(town: Town) -> None:
    town.person("nora")
    made = json.loads(
        town.command("key", "create", "--user", "nora", "--action", "tracking.*", "--days", "30", "--json")
    )
    assert made["actions"] == ["tracking.*"] and made["expires_ms"]
    with httpx.Client(base_url=town.address, headers={"authorization": f"Bearer {made['token']}"}) as client:
        found = client.post("/api/2.0/mlflow/experiments/search", json={"max_results": 1})
        assert found.status_code == 200
        for method, path in (
            ("GET", "/api/v1/domains/demo/jobs"),
            ("POST", "/api/v1/domains/demo/keys"),
            ("GET", "/metrics"),
            ("POST", "/endpoints/x/invocations"),
        ):
            answer = client.request(method, path, json={})
            assert answer.status_code == 403, f"{path} {answer.status_code} {answer.text}"
        town.command("key", "revoke", made["id"])
        assert client.get("/api/v1/session").status_code == 401


def test_a_removed_person_is_gone_and_their_files_are_named(town: Town) -> None:
    rhea = town.person("rhea")
    key = town.api.post("domains/demo/keys", {"user": "rhea"})
    link = town.api.post("signin-links", {"user": "rhea"})["url"]
    shown = json.loads(town.command("user", "show", "rhea", "--json"))
    assert shown["memberships"] == [{"domain": "demo", "role": "editor"}]
    assert (shown["sessions"], shown["keys"], shown["has_password"]) == (1, 1, False)
    with pytest.raises(Conflict, match="runs this installation"):
        town.api.delete(f"users/{town.api.get('session')['user']}")
    folder = town.live.settings.paths.user("demo", "rhea")
    removed = json.loads(town.command("user", "remove", "rhea", "--json"))
    assert removed == {"name": "rhea", "domains": ["demo"], "folders": [str(folder)]} and folder.is_dir()
    assert town.status(rhea, f"{town.address}/api/v1/session") == 401
    assert httpx.get(f"{town.address}/metrics", headers={"authorization": f"Bearer {key['token']}"}).status_code == 401
    assert httpx.get(link).status_code == 401


def test_a_weaker_role_ends_what_writes_and_removal_ends_all(town: Town, vera: Visitor) -> None:
    """A terminal, the page's events, a key and a signed address: open as an editor, then a viewer, then nobody."""
    origin = town.lab(vera)
    shell = f"/terminals/websocket/{vera.json('POST', f'{origin}/api/terminals')['name']}"
    key = town.api.post("domains/demo/keys", {"user": "vera"})
    files = "/api/2.0/mlflow-artifacts"
    program = httpx.Client(base_url=town.address, headers={"authorization": f"Bearer {key['token']}"})
    with program, websocket(vera, origin, shell) as writes, websocket(vera, origin, EVENTS) as hears:
        assert program.put(f"{files}/artifacts/a.txt", content=b"secret").status_code == 200
        signed = program.get(f"{files}/presigned/a.txt").json()["url"]
        assert httpx.get(signed).text == "secret"

        town.api.post("domains/demo/members", {"user": "vera", "role": "viewer"})
        ended(writes)
        ended(hears)
        assert program.put(f"{files}/artifacts/b.txt", content=b"x").status_code == 403
        assert refused(vera, origin, shell) >= 400
        assert vera.request("POST", f"{origin}/api/terminals").status_code >= 400
        with websocket(vera, origin, EVENTS) as listens:
            town.api.delete("domains/demo/members/vera")
            ended(listens)
        assert refused(vera, origin, EVENTS) in (401, 403)
        assert program.get("/api/v1/session").status_code == 401
        assert httpx.get(signed).status_code == 401
        assert town.status(vera, f"{origin}/studio/api/session") in (401, 403)
        assert town.status(vera, f"{town.address}/api/v1/domains/demo") == 403
