"""What the gateway refuses by itself: the key's scope, the domain's rules as the server has put them into the table."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection

from studio import signing
from studio.access import memberships, policies, users
from studio.access.rules import Rule
from studio.gateway.config import Config
from studio.gateway.decisions import Invoke, Metrics, Refuse, ToLab
from studio.gateway.identity import Identities
from studio.gateway.refusals import MOST
from studio.gateway.requests import Request, check
from studio.gateway.routing import Router
from studio.gateway.tables import Tables
from studio.serving import endpoints, refusals
from studio.serving.endpoints import Wanted
from tests.unit.serving.conftest import db

__all__ = ["db"]
TOKEN = f"studio_k1_{'s' * 43}"


def router(tmp_path: Path, entries: dict[str, Any], role: str = "editor", **key: Any) -> Router:
    tables = Tables(tmp_path / "table", "secret")
    known = {"digest": signing.digest(TOKEN), "user": "ann", "domain": "demo", "expires_ms": None, **key}
    fixed = {"keys/k1": known, "members/demo/ann": {"role": role}, "domains/demo": {"port": None}}
    tables.replace(1, fixed | {"endpoints/demo/a": {}, "endpoints/demo/b": {}} | entries)
    config = Config(home=tmp_path, sockets=tmp_path, port=8600, fds=[], secret=tmp_path)
    return Router(config, tables, Identities(tables))


def asked(found: Router, path: str = "/endpoints/a/invocations", method: str = "POST") -> Any:
    headers = [(b"host", b"127.0.0.1:8600"), (b"authorization", f"Bearer {TOKEN}".encode())]
    request = Request(method, path.encode(), headers, "192.0.2.7")
    assert check(request) is None
    return found.decide(request)


def denied(**rule: Any) -> dict[str, Any]:
    return {"rules": [{"who": ["role:editor"], "message": "A rule.", "hint": "Ask."} | rule]}


def test_a_rule_in_the_table_is_for_those_it_names(tmp_path: Path) -> None:
    found = router(tmp_path, {"refusals/demo/a": denied()})
    refused = asked(found)
    assert isinstance(refused, Refuse) and refused.error.status == 403 and refused.error.message == "A rule."
    assert isinstance(asked(found, "/endpoints/b/invocations"), Invoke)
    assert isinstance(asked(router(tmp_path, {"refusals/demo/a": denied()}, "viewer")), Invoke)
    assert isinstance(asked(router(tmp_path, {"refusals/demo/a": denied(who=["user:a*"])}, "viewer")), Refuse)
    # Code in an admin's sandbox is an editor.
    assert isinstance(asked(router(tmp_path, {"refusals/demo/a": denied()}, "admin", cap="editor")), Refuse)


def test_figures_are_denied_by_what_denies_any_endpoint(tmp_path: Path) -> None:
    assert isinstance(asked(router(tmp_path, {}), "/metrics", "GET"), Metrics)
    assert isinstance(asked(router(tmp_path, {"refusals/demo": denied()}), "/metrics", "GET"), Refuse)
    wide = router(tmp_path, {}, actions=["serving.*"], resources=["endpoint/*"])
    assert isinstance(asked(wide, "/metrics", "GET"), Metrics)
    assert isinstance(asked(router(tmp_path, {}, resources=["endpoint/a"]), "/metrics", "GET"), Refuse)


def test_a_lab_is_closed_by_a_rule_and_what_is_open_ends_with_it(tmp_path: Path) -> None:
    cookie = "c" * 43
    session = {"id": "session-1", "user": "ann", "csrf": "x", "expires_ms": None, "domain": "demo"}
    entries = {f"sessions/{signing.digest(cookie)}": session, "labs/demo/ann": {"socket": "s", "secret": "t"}}
    host = (b"host", b"demo.localhost:8600")
    request = Request("GET", b"/lab", [host, (b"cookie", f"studio_demo={cookie}".encode())], "127.0.0.1")
    assert check(request) is None
    opened = router(tmp_path, entries).decide(request)
    assert isinstance(opened, ToLab) and "closed/demo" in opened.identity.watch
    closed = router(tmp_path, entries | {"closed/demo": denied()})
    assert isinstance(closed.decide(request), Refuse)
    assert closed.refusals.take()["refusals"][0]["action"] == "lab.open"
    assert isinstance(router(tmp_path, entries | {"closed/demo": denied()}, "admin").decide(request), ToLab)


def test_refusals_are_kept_for_the_log_but_not_without_end(tmp_path: Path) -> None:
    found = router(tmp_path, {"refusals/demo/a": denied()}, resources=["endpoint/a"])
    for _ in range(MOST + 5):
        asked(found)
    asked(found, "/endpoints/b/invocations")
    taken = found.refusals.take()
    assert (len(taken["refusals"]), taken["dropped"]) == (MOST, 6)
    told = taken["refusals"][0]
    assert told == {
        "user": "ann", "credential": "k1", "domain": "demo", "action": "serving.invoke",
        "resource": "endpoint/a", "detail": "A rule.", "address": "192.0.2.7",
    }  # fmt: skip
    assert found.refusals.take() == {"refusals": [], "dropped": 0}


@pytest.fixture
def served(db: Connection) -> Connection:
    users.create_user(db, "ada")
    memberships.put(db, "demo", "ada", "admin")
    for name in ("a", "b"):
        wanted = Wanted(name, "models:/rain/1", "always", "std.small", "sklearn", True, 600.0)
        endpoints.create(db, "demo", "ada", wanted)
    return db


def test_the_table_says_what_holds_now(served: Connection) -> None:
    rule = Rule("", "deny", ("role:viewer",), "serving.invoke", "endpoint/a", why="closed")
    assert refusals.entries(served, 0) == {}
    made = policies.add(served, "demo", rule, "ada")
    entries = refusals.entries(served, 0)
    assert set(entries) == {"refusals/demo/a"}
    [told] = entries["refusals/demo/a"]["rules"]
    assert told["who"] == ["role:viewer"] and made.id in told["message"] and told["hint"]
    when = {"instance_type": {"in": ["std.large"]}}
    policies.change(served, "demo", made.id, replace(rule, when=when))
    assert refusals.entries(served, 0) == {}
    policies.change(served, "demo", made.id, replace(rule, when={"instance_type": {"in": ["std.*"]}}))
    assert set(refusals.entries(served, 0)) == {"refusals/demo/a"}
    days = replace(rule, action="serving.*", resource="endpoint/*", when={"time": {"days": ["thu"]}})
    policies.change(served, "demo", made.id, days)
    assert set(refusals.entries(served, 0)) == {"refusals/demo", "refusals/demo/a", "refusals/demo/b"}  # a Thursday
    assert refusals.entries(served, 86_400_000) == {}
    policies.change(served, "demo", made.id, Rule("", "deny", ("role:viewer",), "lab.open"))
    assert set(refusals.entries(served, 0)) == {"closed/demo"}
