"""Attacks on signing in and on keys, at the server itself: who is refused, and in which words (31, 34, 37, 38, 45)."""

import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlencode

import httpx
import pytest
from sqlalchemy import text

from studio.access import hashing, keys, passwords, sessions
from studio.access.attempts import PERSON
from studio.access.hashing import Cost
from studio.access.passwords import Passwords
from studio.server.doors import Door
from studio.store import signal
from tests.inprocess import SECRET, World, world

CHEAP = Cost(log_n=4, r=1, p=1)
GOOD = "correct horse battery"
OWN = "http://127.0.0.1:8600"
FORM = {"content-type": "application/x-www-form-urlencoded", "accept": "text/html"}


@pytest.fixture
async def studio(tmp_path: Path, migrated: Path) -> AsyncIterator[World]:
    shutil.copy(migrated, tmp_path / "studio.db")
    async with world(tmp_path) as found:
        await found.member("eddy", "demo", "editor")
        await found.member("vera", "demo", "viewer")
        found.studio.passwords = Passwords(found.store, found.studio.audit, CHEAP)
        kept = hashing.hash_password(GOOD, CHEAP)
        await found.store.write(lambda db: passwords.put(db, "eddy", kept))
        yield found


async def send(
    client: httpx.AsyncClient, user: str = "eddy", password: str = GOOD, wanted: str = "", **headers: str
) -> httpx.Response:
    body = urlencode({"user": user, "password": password, "next": wanted})
    return await client.post("/signin", content=body, headers=FORM | {"origin": OWN} | headers)


async def opened(studio: World) -> int:
    return len(await studio.store.read(sessions.list_all))


async def test_no_other_site_signs_anybody_in(studio: World) -> None:
    """Attack 34: a form of another site would sign its visitor in under the attacker's name."""
    async with studio.anonymous() as client:
        for origin in (
            "",
            "null",
            "http://evil.test",
            "http://demo.localhost:8600",
            "http://127.0.0.1:86001",
            "http://127.0.0.1",
            "http://127.0.0.1:8600/",
            "http://127.0.0.1:8600.evil.test",
            "http://user@127.0.0.1:8600",
            "ftp://127.0.0.1:8600",
        ):
            answer = await send(client, origin=origin)
            assert answer.status_code == 403 and "set-cookie" not in answer.headers, origin
        body = urlencode({"user": "eddy", "password": GOOD, "next": ""})
        assert (await client.post("/signin", content=body, headers=FORM)).status_code == 403
    assert await opened(studio) == 0


async def test_odd_forms_are_refused(studio: World) -> None:
    async with studio.anonymous() as client:
        for kind in ("text/plain", "application/json", "multipart/form-data; boundary=x", ""):
            assert (await send(client, **{"content-type": kind})).status_code == 400, kind
        for body in (
            f"user=eddy&password={GOOD.replace(' ', '+')}&password=x&next=",
            "user=eddy&user=ada&password=x",
            "user=eddy&password=x&next=&role=admin",
            "user=%ff&password=%ff",
            "&".join(f"a{number}=1" for number in range(2000)),
            "user=" + "a" * 20_000,
            "user=ädä",
        ):
            answer = await client.post("/signin", content=body.encode(), headers=FORM | {"origin": OWN})
            assert answer.status_code in (400, 413) and "set-cookie" not in answer.headers, body[:60]
    assert await opened(studio) == 0


async def test_wrong_ones_are_told_apart_by_nothing(studio: World) -> None:
    told = set()
    async with studio.anonymous() as client:
        for user in ("eddy", "vera", "nobody", "ada"):
            answer = await send(client, user, "a wrong password", "/open?domain=demo")
            assert answer.status_code == 401 and "set-cookie" not in answer.headers
            assert "a wrong password" not in answer.text and 'name=next value="/open?domain=demo"' in answer.text
            told.add(without_nonce(answer).replace(f'value="{user}"', ""))
    assert len(told) == 1


def without_nonce(answer: httpx.Response) -> str:
    nonce = answer.headers["content-security-policy"].partition("'nonce-")[2].partition("'")[0]
    return answer.text.replace(nonce, "")


async def test_guessing_is_held_back_and_says_how_long(studio: World) -> None:
    async with studio.anonymous() as client:
        for _ in range(PERSON.free + 1):
            assert (await send(client, password="guess")).status_code == 401
        held = await send(client)
        assert held.status_code == 429 and int(held.headers["retry-after"]) >= 1
        assert "too many attempts" in held.text and "set-cookie" not in held.headers
    # Somebody else at another address is not held back.
    async with studio.anonymous(x_studio_client="198.51.100.7") as client:
        assert (await send(client, "vera", "guess")).status_code == 401


async def test_what_was_typed_is_shown_as_text(studio: World) -> None:
    async with studio.anonymous() as client:
        for nasty in ('"><script>alert(1)</script>', "a\r\nSet-Cookie: studio_session=x", "\x00"):
            answer = await send(client, nasty, "x", nasty)
            assert answer.status_code == 401 and "set-cookie" not in answer.headers
            assert "<script>alert" not in answer.text
            assert 'name=next value="/"' in answer.text


async def test_the_page_leads_only_to_paths_of_its_own(studio: World) -> None:
    async with studio.anonymous() as client, await studio.person("vera") as signed_in:
        for wanted in ("https://evil.test/", "//evil.test", "/\\evil.test", "javascript:alert(1)", "/a\r\nb"):
            page = await client.get("/signin", params={"next": wanted}, headers={"accept": "text/html"})
            assert page.status_code == 200 and 'name=next value="/"' in page.text, wanted
            assert (await signed_in.get("/signin", params={"next": wanted})).headers["location"] == "/"


async def test_a_link_that_does_not_work_leaves_no_trace_of_its_code(studio: World) -> None:
    """Attack 37: neither on the page nor in the Referer of what follows."""
    async with studio.anonymous() as client:
        answer = await client.get("/signin", params={"code": "c" * 43}, headers={"accept": "text/html"})
        assert answer.status_code == 401 and "c" * 43 not in answer.text
        assert answer.headers["referrer-policy"] == "no-referrer" and answer.headers["cache-control"] == "no-store"


async def test_code_and_programs_sign_nobody_in(studio: World) -> None:
    """Its own door would let code say which address it has, and guess from a new one each time."""
    token = "the sandbox's token"
    door = Door("sandbox", "demo.vera", keys.signing.digest(token))
    async with (
        studio.client(door, authorization=f"Bearer {token}") as inside,
        studio.operator() as operator,
        await studio.program("vera", "demo") as program,
    ):
        for client in (inside, operator, program):
            assert (await send(client)).status_code == 403
    assert await opened(studio) == 0


async def test_there_is_no_form_before_anybody_has_a_password(studio: World) -> None:
    async with studio.anonymous() as client:
        assert "type=password" in (await client.get("/signin", headers={"accept": "text/html"})).text
        assert "type=password" in (await client.get("/", headers={"accept": "text/html"})).text
        await studio.store.write(lambda db: passwords.clear(db, "eddy"))
        page = await client.get("/signin", headers={"accept": "text/html"})
        assert "type=password" not in page.text and "studio signin" in page.text


async def test_what_is_ones_own_is_nobody_elses(studio: World) -> None:
    veras = await studio.person("vera")
    async with veras, await studio.person("eddy", "demo") as lab, await studio.program("eddy", "demo") as program:
        hers = veras.headers["x-studio-credential"]
        listed = (await lab.get("/api/v1/sessions")).json()
        assert [(item["user"], item["current"]) for item in listed] == [("eddy", True)]
        assert (await lab.get("/api/v1/sessions", params={"user": "vera"})).status_code == 403
        assert (await lab.delete("/api/v1/sessions", params={"user": "vera"})).status_code == 403
        assert (await lab.delete(f"/api/v1/sessions/{hers}")).status_code == 404
        # Neither a key nor a page of a domain changes a password.
        for client in (program, lab):
            answer = await client.put("/api/v1/session/password", json={"old": GOOD, "new": "another good password"})
            assert answer.status_code == 403, answer.text
        for path in ("/api/v1/sessions", "/api/v1/session/password"):
            assert (await program.get(path)).status_code == 403
        assert (await veras.put("/api/v1/users/vera/password", json={"password": GOOD})).status_code == 403
        assert (await veras.get("/api/v1/session")).status_code == 200


async def test_refusals_never_repeat_a_password(studio: World) -> None:
    async with await studio.person("eddy") as client, studio.operator() as operator:
        for password in ("short-pw", "eddyeddyeddyeddy", "q" * 2000):
            for answer in (
                await client.put("/api/v1/session/password", json={"old": GOOD, "new": password}),
                await client.put("/api/v1/session/password", json={"new": password, "extra": password}),
                await operator.put("/api/v1/users/eddy/password", json={"password": password}),
            ):
                assert answer.status_code == 400, answer.text
                assert password not in answer.text and answer.json()["error"]["hint"]


async def test_keys_of_ones_own(studio: World) -> None:
    """Attack 31: an editor's keys are the editor's alone, and a key makes no other key, whatever its scope."""
    key, _ = await studio.store.write(lambda db: keys.create_key(db, "demo", "ada"))
    async with await studio.person("eddy", "demo") as eddy, await studio.person("vera", "demo") as vera:
        assert (await eddy.get("/api/v1/domains/demo/keys")).json() == []
        for body in ({"user": "ada"}, {"user": "vera"}):
            assert (await eddy.post("/api/v1/domains/demo/keys", json=body)).status_code == 403
        assert (await eddy.delete(f"/api/v1/domains/demo/keys/{key.id}")).status_code == 404
        for bad in ({"actions": ["nothing"]}, {"resources": ["seven"]}, {"expires_days": -1}):
            answer = await eddy.post("/api/v1/domains/demo/keys", json=bad)
            assert answer.status_code == 400 and answer.json()["error"]["hint"]
        assert (await vera.get("/api/v1/domains/demo/keys")).status_code == 403
        assert (await vera.post("/api/v1/domains/demo/keys", json={})).status_code == 403
    for user in ("eddy", "ada"):
        async with await studio.program(user, "demo") as program:
            assert (await program.post("/api/v1/domains/demo/keys", json={"user": user})).status_code == 403
    door = Door("sandbox", "demo.ada", keys.signing.digest("t"))
    async with studio.client(door, authorization="Bearer t") as inside:
        for method in ("GET", "POST"):
            assert (await inside.request(method, "/api/v1/domains/demo/keys", json={})).status_code == 403
    assert len(await studio.store.read(keys.list_all)) == 3


async def test_a_key_whose_time_is_over_is_none(studio: World) -> None:
    key, _ = await studio.store.write(lambda db: keys.create_key(db, "demo", "ada", expires_days=1))
    at = {"x_studio_gateway": SECRET, "x_studio_via": "key", "x_studio_domain": "demo"}
    async with studio.client(Door("gateway"), x_studio_credential=key.id, **at) as client:
        assert (await client.get("/api/v1/session")).status_code == 200

        def over(db):  # type: ignore[no-untyped-def]
            db.execute(text("update access_keys set expires_ms = 1"))
            signal(db, "keys", "demo", key.id)

        await studio.store.write(over)
        # A gateway that has not heard of it yet changes nothing.
        assert (await client.get("/api/v1/session")).status_code == 401


async def test_a_narrowed_key_reaches_nothing_else_on_any_route(studio: World) -> None:
    def narrowed(db):  # type: ignore[no-untyped-def]
        return keys.create_key(db, "demo", "ada", actions=["tracking.read"], resources=["experiment/7"])[0]

    key = await studio.store.write(narrowed)
    at = {"x_studio_gateway": SECRET, "x_studio_via": "key", "x_studio_domain": "demo"}
    async with studio.client(Door("gateway"), x_studio_credential=key.id, **at) as client:
        for method, path in (
            ("GET", "/api/v1/domains/demo"),
            ("GET", "/api/v1/domains/demo/jobs"),
            ("POST", "/api/v1/domains/demo/members"),
            ("GET", "/api/v1/domains/demo/keys"),
            ("POST", "/api/2.0/mlflow/runs/create"),
            ("POST", "/api/2.0/mlflow/experiments/search"),
        ):
            answer = await client.request(method, path, json={})
            assert answer.status_code == 403, f"{method} {path} {answer.status_code} {answer.text}"
        assert (await client.get("/api/v1/session")).status_code == 200
