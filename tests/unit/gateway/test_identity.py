"""Access keys at the gateway: remembered while nothing changes, refused the moment something does."""

from pathlib import Path
from typing import Any

import pytest

from studio import clock, signing
from studio.errors import Denied, Unauthenticated
from studio.gateway import identity
from studio.gateway.identity import Identities
from studio.gateway.tables import Tables

TOKEN = f"studio_k1_{'s' * 43}"
HEADER = f"Bearer {TOKEN}".encode()


def entry(**other: Any) -> dict[str, Any]:
    return {"digest": signing.digest(TOKEN), "user": "ann", "domain": "demo", "expires_ms": None, **other}


@pytest.fixture
def tables(tmp_path: Path) -> Tables:
    found = Tables(tmp_path / "table", "secret")
    found.replace(1, {"keys/k1": entry()})
    return found


def test_a_revoked_key_is_refused_although_it_was_remembered(tables: Tables) -> None:
    identities = Identities(tables)
    assert identities.key(HEADER).user == "ann"
    assert identities.key(HEADER).user == "ann"
    tables.change(2, {"keys/k1": None})
    with pytest.raises(Unauthenticated):
        identities.key(HEADER)


def test_a_changed_key_is_read_again(tables: Tables) -> None:
    identities = Identities(tables)
    identities.key(HEADER)
    tables.change(2, {"keys/k1": entry(user="bob")})
    assert identities.key(HEADER).user == "bob"


def test_a_remembered_key_expires(tables: Tables, monkeypatch: pytest.MonkeyPatch) -> None:
    now = clock.now_ms()
    tables.change(2, {"keys/k1": entry(expires_ms=now + 60_000)})
    identities = Identities(tables)
    assert identities.key(HEADER).user == "ann"
    monkeypatch.setattr(clock, "now_ms", lambda: now + 60_000)
    with pytest.raises(Unauthenticated):
        identities.key(HEADER)


def test_wrong_keys_are_not_remembered_and_right_ones_are_bounded(
    tables: Tables, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(identity, "_KNOWN", 3)
    identities = Identities(tables)
    for spaces in range(1, 9):
        identities.key(b"Bearer" + b" " * spaces + TOKEN.encode())
        with pytest.raises(Unauthenticated):
            identities.key(b"Bearer studio_k1_%d" % spaces)
    assert len(identities._known) <= 3


def test_what_was_shown_rightly_is_told_once(tables: Tables) -> None:
    identities = Identities(tables)
    tables.change(
        2, {f"sessions/{signing.digest('v')}": {"id": "session-1", "user": "ann", "domain": None, "csrf": "c"}}
    )
    for _ in range(2):
        identities.key(HEADER)
        identities.session([(b"cookie", b"studio_session=v")], "studio_session", None)
    for wrong in (b"Bearer studio_k2_x", b"Bearer studio_k1_x"):
        with pytest.raises(Unauthenticated):
            identities.key(wrong)
    identities.session([(b"cookie", b"studio_session=w")], "studio_session", None)
    identities.session([(b"cookie", b"studio_demo=v")], "studio_demo", "demo")
    assert identities.take_used() == ["k1", "session-1"]
    assert identities.take_used() == []
    identities.key(HEADER)  # remembered, and noted all the same
    assert identities.take_used() == ["k1"]


@pytest.mark.parametrize(
    ("actions", "resources", "may"),
    [
        ([], [], True),
        (["serving.*"], [], True),
        (["serving.invoke"], ["endpoint/rain"], True),
        (["tracking.*"], [], False),
        ([], ["endpoint/snow"], False),
        (["serving.*"], ["model/rain"], False),
    ],
)
def test_a_key_is_held_to_what_it_is_narrowed_to(
    tables: Tables, actions: list[str], resources: list[str], may: bool
) -> None:
    tables.change(2, {"keys/k1": entry(actions=actions, resources=resources)})
    found = Identities(tables).key(HEADER)
    if may:
        found.require("serving.invoke", "endpoint/rain")
    else:
        with pytest.raises(Denied, match="narrowed"):
            found.require("serving.invoke", "endpoint/rain")
