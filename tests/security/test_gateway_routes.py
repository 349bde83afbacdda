"""Every route of the gateway, found in its own table: nobody, a viewer and a stranger (attacks 28, 29, 30)."""

import hashlib
import json
import re
from collections.abc import Iterator

import pytest

from studio.gateway import routing
from tests.e2e.gateways import Gateway, Upstream

# What the gateway lets pass without a credential, with the reason. Nothing else.
PUBLIC = {
    ("apex", "/.*"): "the server answers, and denies by default: tests/security/test_routes_server.py",
    ("lab", "/studio/enter"): "the one-time code in the address is the credential, and the server checks it",
}
VERBS = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE")
SAFE = ("GET", "HEAD", "OPTIONS")
# What the last route of each origin is asked for, besides an invented path.
BEHIND = {
    "apex": ["/", "/api/v1/session", "/api/2.0/mlflow/experiments/search", "/signin"],
    "lab": ["/", "/lab", "/static/lab/main.js", "/api/contents", "/api/kernels/1/channels", "/studio/dashboards/x"],
}
TOKENS = {user: f"studio_key-{user}_{'t' * 40}" for user in ("vera", "otto")}


class Walk:
    """A gateway with two domains: vera views `demo`, otto administers `other`; both have sessions and keys."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway
        gateway.set({f"domains/{domain}": {"port": None} for domain in ("demo", "other")})
        gateway.set({"members/demo/vera": {"role": "viewer"}, "members/other/otto": {"role": "admin"}})
        for user, domain in (("vera", "demo"), ("otto", "other")):
            digest = hashlib.sha256(TOKENS[user].encode()).hexdigest()
            entry = {"digest": digest, "user": user, "domain": domain, "expires_ms": None}
            gateway.set({f"keys/key-{user}": entry})
        gateway.endpoint("name", [])

    def host(self, at: str) -> str:
        return self.gateway.host if at == "apex" else f"demo.localhost:{self.gateway.port}"

    def ask(self, at: str, verb: str, path: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
        body = "{}" if verb in ("POST", "PUT", "PATCH") else None
        return self.gateway.request(verb, path, body, host=self.host(at), **headers)

    def websocket(self, at: str, path: str, **headers: str) -> int:
        """The status of an opening handshake from a page of the same origin."""
        lines = [f"GET {path} HTTP/1.1", f"Host: {self.host(at)}", f"Origin: http://{self.host(at)}"]
        lines += ["Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13"]
        lines += [
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
            *(f"{name}: {value}" for name, value in headers.items()),
        ]
        answer = self.gateway.raw("\r\n".join([*lines, "", ""]).encode(), half_close=True)
        return int(answer.split(b" ", 2)[1])


@pytest.fixture(scope="module")
def walk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Walk]:
    gateway = Gateway(tmp_path_factory.mktemp("gateway"))
    gateway.start()
    server = Upstream(gateway.sockets / "server.sock")
    lab = Upstream(gateway.sockets / "b" / "demo.vera" / "out" / "lab.sock")
    gateway.set({"labs/demo/vera": {"socket": str(lab.path), "secret": "lab-secret"}})
    yield Walk(gateway)
    server.close()
    lab.close()
    gateway.close()


def routes() -> Iterator[tuple[str, routing.Route, str]]:
    """(origin, route, path) for every branch of every route's pattern."""
    for at, table in (("apex", routing.APEX), ("lab", routing.LAB)):
        for route in table:
            pattern = route.pattern.pattern
            choice = re.fullmatch(r"(.*)\(\?:(.*)\)(.*)", pattern)
            branches = [choice[1] + one + choice[3] for one in choice[2].split("|")] if choice else [pattern]
            found = [re.sub(r"\([^()]*\)", "name", one).replace("\\.", ".").replace(".*", "x/name") for one in branches]
            for path in found + (BEHIND[at] if route is table[-1] else []):
                assert route.pattern.fullmatch(path), f"{path} is not an example of {pattern}"
                yield at, route, path


def passed(answer: tuple[int, dict[str, str], bytes]) -> dict[str, str] | None:
    """The headers with which a request reached the server or the lab; None if it did not."""
    status, _, body = answer
    return dict(json.loads(body)["headers"]) if status == 200 and body.startswith(b'{"method"') else None


def test_public_routes_are_exactly_the_listed_ones() -> None:
    guarded = (routing.Guard.key, routing.Guard.member)
    assert {(at, route.pattern.pattern) for at, route, _ in routes() if route.guard not in guarded} == set(PUBLIC)
    # What has no route of its own is the last one's, whose guard is known: nothing falls through.
    assert [table[-1].pattern.pattern for table in (routing.APEX, routing.LAB)] == ["/.*", "/.*"]


@pytest.mark.parametrize("kind", ["nothing", "invented", "expired"])
def test_nobody_gets_401_everywhere(walk: Walk, kind: str) -> None:
    cookies = "studio_session=guess; studio_demo=guess"
    sent = {"nothing": {}, "invented": {"Cookie": cookies}, "expired": {"Cookie": expired(walk)}}[kind]
    for at, route, path in routes():
        for verb in VERBS:
            answer = walk.ask(at, verb, path, **sent)
            if (at, route.pattern.pattern) in PUBLIC:
                if verb in SAFE[:1]:
                    seen = passed(answer)
                    assert seen is not None and (seen["x-studio-via"], seen["x-studio-user"]) == ("anonymous", "")
            else:
                assert answer[0] == 401, f"{verb} {at} {path} answered {answer[0]} to nobody"


def expired(walk: Walk) -> str:
    """The cookies of sessions whose time is over."""
    cookies = []
    for domain in (None, "demo"):
        cookie, _ = walk.gateway.session(domain, "vera")
        key = f"sessions/{hashlib.sha256(cookie.partition('=')[2].encode()).hexdigest()}"
        walk.gateway.set({key: walk.gateway.table[key] | {"expires_ms": 1}})
        cookies.append(cookie)
    return "; ".join(cookies)


def test_nobody_gets_401_with_a_wrong_key_everywhere_at_the_apex(walk: Walk) -> None:
    for at, _, path in routes():
        for verb in VERBS:
            status, _, _ = walk.ask(at, verb, path, Authorization="Bearer studio_key-vera_guess")
            # At a lab's origin keys mean nothing: only the page before the session is open there.
            assert status == 401 or (at, path) == ("lab", "/studio/enter"), f"{verb} {at} {path} answered {status}"


def test_nobodys_browser_is_sent_to_sign_in_and_nowhere_else(walk: Walk) -> None:
    for at, route, path in routes():
        if at == "lab" and route.guard is routing.Guard.member:
            status, headers, body = walk.ask(at, "GET", path, Accept="text/html")
            assert (status, body) == (303, b"")
            assert headers["location"].startswith(f"http://{walk.gateway.host}/open?domain=demo&next=%2F")


def test_nobody_opens_a_websocket_anywhere(walk: Walk) -> None:
    for at, route, path in routes():
        status = walk.websocket(at, path)
        # There are none at the apex, and the server has none at /studio/enter.
        open_to_all = (at, route.pattern.pattern) in PUBLIC
        assert status == (400 if at == "apex" and open_to_all else 502 if open_to_all else 401), f"{at} {path} {status}"


def test_a_stranger_reaches_nothing_of_a_domain(walk: Walk) -> None:
    """otto, an admin elsewhere: sessions of the apex, of his own lab, one that claims this origin; and his key."""
    own, _ = walk.gateway.session("other", "otto")
    apex, _ = walk.gateway.session(None, "otto")
    claimed, csrf = walk.gateway.session("demo", "otto")
    for at, route, path in routes():
        if at != "lab" or (at, route.pattern.pattern) in PUBLIC:
            continue
        for verb in VERBS:
            browser = {"Origin": f"http://{walk.host(at)}", "x_studio_csrf": csrf}
            for value in (own.partition("=")[2], apex.partition("=")[2]):
                assert walk.ask(at, verb, path, Cookie=f"studio_demo={value}", **browser)[0] == 401
            assert walk.ask(at, verb, path, Cookie=claimed, **browser)[0] == 403
            assert walk.ask(at, verb, path, Authorization=f"Bearer {TOKENS['otto']}")[0] == 401
        assert walk.websocket(at, path, Cookie=claimed) == 403
        assert walk.websocket(at, path, Cookie=own.replace("studio_other", "studio_demo")) == 401


def test_a_strangers_key_is_one_of_his_own_domain(walk: Walk) -> None:
    for at, route, path in routes():
        if at == "apex":
            for verb in VERBS:
                answer = walk.ask(at, verb, path, Authorization=f"Bearer {TOKENS['otto']}")
                seen = passed(answer)
                if route.guard is routing.Guard.server:
                    if verb != "HEAD":
                        assert seen is not None and (seen["x-studio-user"], seen["x-studio-domain"]) == (
                            "otto",
                            "other",
                        )
                elif route.lead in (routing.Router.health, routing.Router.about):
                    # They tell of no domain.
                    assert answer[0] == (200 if verb in SAFE else 400)
                elif route.lead is not routing.Router.metrics:
                    # `name` is an endpoint of demo: to him it does not exist.
                    assert answer[0] == 404, f"{verb} {path} answered {answer[0]}"
                else:
                    assert b"name" not in answer[2]


def test_a_viewer_is_passed_on_as_a_viewer(walk: Walk) -> None:
    """What a viewer may do there, server and lab decide: the walks of both say so."""
    cookie, csrf = walk.gateway.session("demo", "vera")
    browser = {"Cookie": cookie, "Origin": f"http://{walk.host('lab')}", "x_studio_csrf": csrf}
    for at, route, path in routes():
        if at != "lab":
            continue
        for verb in set(VERBS) - {"HEAD"}:
            seen = passed(walk.ask(at, verb, path, **browser))
            assert seen is not None, f"{verb} {path}"
            told = (seen.get("x-studio-lab"), seen.get("x-studio-role"), seen.get("x-studio-credential"))
            to_lab = route.lead is routing.Router.lab
            assert told == (("lab-secret", "viewer", None) if to_lab else (None, None, "session-1")), f"{verb} {path}"
            assert seen["x-studio-user"] == "vera"
            assert "studio_demo" not in str(seen)


def test_a_viewers_page_cannot_write_without_its_proofs(walk: Walk) -> None:
    cookie, csrf = walk.gateway.session("demo", "vera")
    own, foreign = f"http://{walk.host('lab')}", "http://trusted.evil.com"
    for at, route, path in routes():
        if at == "lab" and route.guard is routing.Guard.member:
            for verb in ("POST", "PUT", "PATCH", "DELETE"):
                assert walk.ask(at, verb, path, Cookie=cookie, Origin=foreign, x_studio_csrf=csrf)[0] == 403
                if route.lead is routing.Router.api:
                    assert walk.ask(at, verb, path, Cookie=cookie, Origin=own)[0] == 403
                    assert walk.ask(at, verb, path, Cookie=cookie, x_studio_csrf=csrf)[0] == 403
            assert walk.websocket(at, path, Cookie=cookie) != 403
