"""Sessions that are listed and ended, keys that are narrowed and keep their secret, the end of an account."""

import ipaddress
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, text

from studio import signing
from studio.access import codes, keys, leaving, memberships, passwords, permissions, scopes, sessions, users
from studio.access.people import People
from studio.access.places import place, source
from studio.access.principals import Kind, Principal, Role, Scope
from studio.domains import domains
from studio.errors import Conflict, Denied, Invalid, NotFound, StudioError
from studio.store import Store
from studio.store.signals import take

MASTER = "the installation's key in these tests"


@pytest.fixture
async def store(tmp_path: Path, migrated: Path) -> AsyncIterator[Store]:
    shutil.copy(migrated, tmp_path / "studio.db")
    found = Store(f"sqlite:///{tmp_path / 'studio.db'}")
    await found.start()

    def write(db):  # type: ignore[no-untyped-def]
        for user in ("ada", "bob"):
            users.create_user(db, user)
        for name in ("demo", "other"):
            domains.create_domain(db, name)
            memberships.put(db, name, "ada", "admin")
        memberships.put(db, "demo", "bob", "editor")

    await found.write(write)
    yield found
    await found.close()


@pytest.mark.parametrize(
    ("header", "agent"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Linux"),
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64) AppleWebKit/537 (KHTML, like Gecko) Chrome/140 Safari/537 Edg/140",
            "Edge on Windows",
        ),
        (
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605 (KHTML, like Gecko) Version/18 Safari/605",
            "Safari on macOS",
        ),
        (
            "Mozilla/5.0 (Linux; Android 15; Pixel) AppleWebKit/537 (KHTML, like Gecko) Chrome/140 Mobile Safari/537",
            "Chrome on Android",
        ),
        ("python-httpx/0.28", "a program"),
        ("", ""),
    ],
)
def test_a_browser_is_told_by_its_name_and_system(header: str, agent: str) -> None:
    assert place(header, "").agent == agent


@given(st.text(), st.text() | st.ip_addresses().map(str))
def test_a_place_is_short_and_holds_no_whole_address(header: str, address: str) -> None:
    found = place(header, address)
    assert len(found.agent) <= 100 and len(found.address) <= 64
    assert found.agent.isprintable() and found.address.isprintable()
    assert not found.address or found.address != address or address.endswith("::")


def test_addresses_are_told_coarsely() -> None:
    for address, told in (
        ("127.0.0.1", "this computer"),
        ("::1", "this computer"),
        ("::ffff:127.0.0.1", "this computer"),
        ("192.0.2.17", "192.0.2.x"),
        ("2001:db8:1:2::3", "2001:db8:1::"),
        ("fe80::1%eth0", "fe80::"),
        ("unix", ""),
    ):
        assert place("", address).address == told


@given(st.ip_addresses(v=6), st.integers(0, 2**64 - 1))
def test_one_customers_network_is_one_sender(address: ipaddress.IPv6Address, host: int) -> None:
    beside = ipaddress.IPv6Address((int(address) >> 64 << 64) + host)
    assert source(str(address)) == source(str(beside)) != ""


def test_both_databases_keep_and_end_the_same(shared_engine: Engine) -> None:
    with shared_engine.connect() as db:
        for user in ("ada", "bob"):
            users.create_user(db, user)
            memberships.put(db, "demo", user, "admin")
        passwords.put(db, "bob", "x")
        apex, _ = sessions.create_session(db, "bob", via="password")
        for _ in range(sessions.MOST_IN_LAB + 2):
            sessions.create_session(db, "bob", "demo", apex.id)
        assert len(sessions.list_all(db, "bob")) == 1 + sessions.MOST_IN_LAB
        key, secret = keys.create_key(db, "demo", "bob", actions=["tracking.*"], master=MASTER)
        assert keys.list_all(db, "demo") == [key] and keys.secrets(db, MASTER)[key.id] == secret
        sessions.note_seen(db, [apex.id], 60_000)
        passwords.put(db, "bob", "y", keep_session=apex.id)
        assert sessions.get(db, apex.id).seen_ms == 60_000
        assert leaving.remove_user(db, "bob") == ["demo"]
        assert (sessions.list_all(db), keys.list_all(db), passwords.holders(db)) == ([], [], frozenset())
        take(db)
        db.rollback()


async def test_people_end_their_own_sessions_and_nobody_elses(store: Store) -> None:
    mine, _ = await store.write(lambda db: sessions.create_session(db, "bob"))
    hers, _ = await store.write(lambda db: sessions.create_session(db, "ada"))
    told = []
    for session_id in (hers.id, "session-none", ""):
        with pytest.raises(NotFound) as refused:
            await store.write(lambda db, session_id=session_id: sessions.end_one(db, session_id, "bob"))
        told.append(str(refused.value).replace(repr(session_id), "it"))
    assert len(set(told)) == 1  # whether there is one is not told
    await store.write(lambda db: sessions.end_one(db, mine.id, "bob"))
    await store.write(lambda db: sessions.end_one(db, hers.id))
    assert await store.read(sessions.list_all) == []


async def test_all_but_the_one_that_asks_end(store: Store) -> None:
    kept, _ = await store.write(lambda db: sessions.create_session(db, "ada"))
    lab, _ = await store.write(lambda db: sessions.create_session(db, "ada", "demo", kept.id))
    for _ in range(2):
        other, _ = await store.write(lambda db: sessions.create_session(db, "ada"))
        await store.write(lambda db, other=other: sessions.create_session(db, "ada", "demo", other.id))
    bobs, _ = await store.write(lambda db: sessions.create_session(db, "bob"))
    assert await store.write(lambda db: sessions.end_all(db, "ada", but=lab.id)) == 2
    assert {item.id for item in await store.read(sessions.list_all)} == {kept.id, lab.id, bobs.id}
    assert await store.write(lambda db: sessions.end_all(db, "ada")) == 1
    assert [item.id for item in await store.read(sessions.list_all)] == [bobs.id]


async def test_the_oldest_of_too_many_end(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "MOST", 3)
    monkeypatch.setattr(sessions, "MOST_IN_LAB", 2)
    made = []
    for number in range(5):
        monkeypatch.setattr(sessions, "now_ms", lambda number=number: 1_000_000 + number)
        made.append((await store.write(lambda db: sessions.create_session(db, "ada")))[0])
        for domain in ("demo", "demo", "demo", "other"):
            parent = made[-1].id
            await store.write(
                lambda db, domain=domain, parent=parent: sessions.create_session(db, "ada", domain, parent)
            )
    monkeypatch.setattr(sessions, "now_ms", lambda: 1_000_005)  # sessions of one millisecond have no order
    bobs, _ = await store.write(lambda db: sessions.create_session(db, "bob"))
    left = await store.read(sessions.list_all)
    assert [item.id for item in left if item.parent is None] == [*(item.id for item in made[2:]), bobs.id]
    labs = [(item.parent, item.domain) for item in left if item.parent is not None]
    assert sorted(labs) == sorted((item.id, name) for item in made[2:] for name in ("demo", "demo", "other"))


async def test_being_seen_is_noted_and_wakes_nobody(store: Store) -> None:
    people = People(store)
    session, _ = await store.write(lambda db: sessions.create_session(db, "ada"))
    key, _ = await store.write(lambda db: keys.create_key(db, "demo", "ada"))
    before = await people.fresh()
    await store.write(lambda db: sessions.note_seen(db, [session.id, "session-gone"], 60_000))
    await store.write(lambda db: keys.note_used(db, [key.id], 120_000))
    assert await people.fresh() is before
    assert (await store.read(lambda db: sessions.get(db, session.id))).seen_ms == 60_000
    assert (await store.read(lambda db: keys.get(db, "demo", key.id))).used_ms == 120_000


async def test_a_keys_secret_is_kept_sealed_and_only_for_that_key(store: Store) -> None:
    key, secret = await store.write(lambda db: keys.create_key(db, "demo", "ada", master=MASTER))
    other, _ = await store.write(lambda db: keys.create_key(db, "demo", "ada", master=MASTER))
    kept = await store.read(lambda db: keys.secrets(db, MASTER))
    assert kept[key.id] == secret and kept.keys() == {key.id, other.id}
    rows = str(await store.read(lambda db: db.execute(text("select * from access_keys")).all()))
    assert secret not in rows and signing.digest(keys.token(key.id, secret)) in rows
    assert await store.read(lambda db: keys.secrets(db, "another master key")) == {}
    # Moved to another key's row by somebody who can write the database: it is nobody's.
    moved = f"update access_keys set sealed = (select sealed from access_keys where id = '{key.id}')"
    await store.write(lambda db: db.execute(text(moved)))
    assert await store.read(lambda db: keys.secrets(db, MASTER)) == {key.id: secret}


async def test_a_key_without_a_kept_secret_is_a_bearer_token_only(store: Store) -> None:
    """As keys were before secrets were kept."""
    key, _ = await store.write(lambda db: keys.create_key(db, "demo", "ada"))
    assert (await People(store).fresh()).key(key.id) is not None
    assert await store.read(lambda db: keys.secrets(db, MASTER)) == {}


async def test_only_the_owner_or_an_admin_revokes(store: Store) -> None:
    key, _ = await store.write(lambda db: keys.create_key(db, "demo", "ada"))
    with pytest.raises(NotFound):
        await store.write(lambda db: keys.revoke(db, "demo", key.id, "bob"))
    await store.write(lambda db: keys.revoke(db, "demo", key.id, "ada"))


async def test_what_a_key_is_narrowed_to_is_kept(store: Store) -> None:
    made, _ = await store.write(
        lambda db: keys.create_key(db, "demo", "ada", actions=["tracking.*"], resources=["experiment/7"])
    )
    found = (await People(store).fresh()).key(made.id)
    assert found is not None and (found.actions, found.resources) == (("tracking.*",), ("experiment/7",))


@pytest.mark.parametrize(
    "pattern", ["", "nothing", "tracking", "tracking.reads", "Tracking.*", "*.x", "a" * 200, "t\0*"]
)
def test_a_pattern_of_no_action_is_refused_and_what_exists_is_named(pattern: str) -> None:
    with pytest.raises(Invalid, match=r"tracking\.\*"):
        scopes.check_actions([pattern])


@pytest.mark.parametrize(
    "pattern", ["", "7", "experiment", "experiment/", "experimnt/7", "/x", "experiment/a\nb", "*/7"]
)
def test_a_pattern_of_no_resource_is_refused_and_the_kinds_are_named(pattern: str) -> None:
    with pytest.raises(Invalid, match="experiment"):
        scopes.check_resources([pattern])


def test_patterns_are_kept_once_and_are_not_many() -> None:
    assert scopes.check_actions(["tracking.*", "*", "tracking.*"]) == ("tracking.*", "*")
    assert scopes.check_resources(["experiment/7", "model/*", "*"]) == ("experiment/7", "model/*", "*")
    for check, pattern in ((scopes.check_actions, "tracking.*"), (scopes.check_resources, "experiment/7")):
        with pytest.raises(Invalid, match="at most"):
            check([pattern] * (scopes.MOST + 1))


ACTIONS = sorted({*permissions.IN_DOMAIN, *permissions.SIGNED_IN, *permissions.OPERATOR_ONLY, *permissions.PERSONAL})


@given(
    st.sampled_from(ACTIONS),
    st.none() | st.sampled_from(list(Role)),
    st.lists(st.sampled_from([*ACTIONS, "tracking.*", "*.read", "*"]), max_size=3),
    st.lists(st.sampled_from(["experiment/7", "endpoint/*", "domain/demo"]), max_size=2),
    st.sampled_from(["", "experiment/7", "experiment/8", "endpoint/x"]),
)
def test_a_key_never_does_more_than_its_user_and_less_when_narrowed(
    action: str, role: Role | None, actions: list[str], resources: list[str], resource: str
) -> None:
    roles = {"demo": role} if role else {}

    def may(kind: Kind, scope: Scope) -> bool:
        try:
            permissions.require(Principal(kind, "ada", "demo", roles=roles, scope=scope), action, "demo", resource)
        except StudioError:
            return False
        return True

    narrow, wide = may(Kind.key, Scope(tuple(actions), tuple(resources))), may(Kind.key, Scope())
    assert narrow <= wide <= may(Kind.person, Scope())


async def test_nothing_of_a_removed_person_is_left(store: Store) -> None:
    def fill(db) -> None:  # type: ignore[no-untyped-def]
        apex, _ = sessions.create_session(db, "bob")
        sessions.create_session(db, "bob", "demo", apex.id)
        codes.create_enter(db, apex.id, "demo")
        codes.create_signin(db, "bob")
        keys.create_key(db, "demo", "bob")
        passwords.put(db, "bob", "x")

    await store.write(fill)
    assert await store.write(lambda db: leaving.remove_user(db, "bob")) == ["demo"]
    tables = ("users", "memberships", "access_keys", "sessions", "codes", "passwords")
    for table in tables:
        column = "name" if table == "users" else '"user"'
        query = text(f"select count(*) from {table} where {column} = 'bob'")
        assert await store.read(lambda db, query=query: db.execute(query).scalar_one()) == 0, table
    with pytest.raises(NotFound):
        await store.write(lambda db: leaving.remove_user(db, "bob"))


async def test_the_last_admin_of_a_domain_is_not_removed_and_nothing_is_half_done(store: Store) -> None:
    await store.write(lambda db: memberships.put(db, "demo", "bob", "admin"))
    await store.write(lambda db: sessions.create_session(db, "ada"))
    with pytest.raises(Conflict, match="last admin of other"):
        await store.write(lambda db: leaving.remove_user(db, "ada"))
    assert {(item.domain, item.user) for item in await store.read(memberships.list_all)} == {
        ("demo", "ada"),
        ("demo", "bob"),
        ("other", "ada"),
    }
    assert len(await store.read(sessions.list_all)) == 1


async def test_what_is_ones_own_is_for_people(store: Store) -> None:
    roles = {"demo": Role.admin}
    for action in sorted(permissions.PERSONAL):
        permissions.require(Principal(Kind.person, "ada", roles=roles), action)
        for kind in (Kind.key, Kind.sandbox):
            with pytest.raises(Denied, match="in a browser"):
                permissions.require(Principal(kind, "ada", "demo", roles=roles), action)
    with pytest.raises(Denied, match="code in a sandbox"):
        permissions.require(Principal(Kind.sandbox, "ada", "demo", cap=Role.editor, roles=roles), "keys.own", "demo")
