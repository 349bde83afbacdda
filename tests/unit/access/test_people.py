"""Users, memberships, keys, sessions, codes: on a real database."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from studio import signing
from studio.access import codes, keys, memberships, sessions, users
from studio.access.people import People
from studio.access.principals import Role
from studio.domains import domains
from studio.errors import AlreadyExists, Conflict, Denied, Invalid, NotFound, Unauthenticated
from studio.ids import is_name
from studio.store import Store


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    found = Store(f"sqlite:///{tmp_path / 'studio.db'}")
    await found.start()

    def write(db):  # type: ignore[no-untyped-def]
        for user in ("ada", "bob"):
            users.create_user(db, user)
        for name in ("demo", "other"):
            domains.create_domain(db, name)
            memberships.put(db, name, "ada", "admin")

    await found.write(write)
    yield found
    await found.close()


@given(st.text(max_size=60))
def test_any_account_makes_a_valid_user_name(account: str) -> None:
    name = users.name_of_account(account)
    assert is_name(name)
    assert name not in users.RESERVED


@pytest.mark.parametrize(
    "name", ["", ".", "..", "a/b", "../b", "Ada", "-a", "a-", "ä", "a" * 41, "a\0b", "service", "shared"]
)
async def test_odd_user_names_are_refused(store: Store, name: str) -> None:
    with pytest.raises(Invalid):
        await store.write(lambda db: users.create_user(db, name))


async def test_a_user_is_made_once(store: Store) -> None:
    with pytest.raises(AlreadyExists):
        await store.write(lambda db: users.create_user(db, "ada"))


async def test_a_domain_keeps_an_admin(store: Store) -> None:
    for change in (
        lambda db: memberships.remove(db, "demo", "ada"),
        lambda db: memberships.put(db, "demo", "ada", "viewer"),
    ):
        with pytest.raises(Conflict, match="last admin"):
            await store.write(change)
    await store.write(lambda db: memberships.put(db, "demo", "bob", "admin"))
    await store.write(lambda db: memberships.remove(db, "demo", "ada"))


async def test_roles_and_users_must_exist(store: Store) -> None:
    with pytest.raises(Invalid, match="no role"):
        await store.write(lambda db: memberships.put(db, "demo", "bob", "owner"))
    with pytest.raises(NotFound):
        await store.write(lambda db: memberships.put(db, "demo", "nobody", "viewer"))


async def test_removal_ends_keys_and_sessions_of_that_domain_only(store: Store) -> None:
    await store.write(lambda db: memberships.put(db, "demo", "bob", "editor"))
    await store.write(lambda db: memberships.put(db, "other", "bob", "editor"))
    for name in ("demo", "other"):
        await store.write(lambda db, name=name: keys.create_key(db, name, "bob"))
        await store.write(lambda db, name=name: sessions.create_session(db, "bob", name))
    await store.write(lambda db: memberships.remove(db, "demo", "bob"))
    assert [key.domain for key in await store.read(keys.list_all)] == ["other"]
    assert [session.domain for session in await store.read(sessions.list_all)] == ["other"]


async def test_a_key_is_kept_as_a_digest(store: Store) -> None:
    key, secret = await store.write(lambda db: keys.create_key(db, "demo", "ada", "laptop", 1))
    token = keys.token(key.id, secret)
    assert token.startswith(f"studio_{key.id}_")
    assert "_" not in key.id
    rows = await store.read(lambda db: db.execute(text("select * from access_keys")).all())
    assert secret not in str(rows)
    assert signing.digest(token) in str(rows)


async def test_keys_are_for_members_and_end_with_their_domain_named(store: Store) -> None:
    with pytest.raises(NotFound, match="no member"):
        await store.write(lambda db: keys.create_key(db, "demo", "bob"))
    key, _ = await store.write(lambda db: keys.create_key(db, "demo", "ada"))
    with pytest.raises(NotFound):
        await store.write(lambda db: keys.revoke(db, "other", key.id))
    await store.write(lambda db: keys.revoke(db, "demo", key.id))
    with pytest.raises(NotFound):
        await store.write(lambda db: keys.revoke(db, "demo", key.id))


@pytest.mark.parametrize("days", [0, -1, 4000])
async def test_odd_lives_of_keys_are_refused(store: Store, days: float) -> None:
    with pytest.raises(Invalid):
        await store.write(lambda db: keys.create_key(db, "demo", "ada", "", days))


async def test_a_sign_in_link_works_once(store: Store) -> None:
    code, _ = await store.write(lambda db: codes.create_signin(db, "ada"))
    session, value = await store.write(lambda db: codes.use_signin(db, code))
    assert session.digest == signing.digest(value)
    with pytest.raises(Unauthenticated, match="used before"):
        await store.write(lambda db: codes.use_signin(db, code))


async def test_old_codes_do_not_work(store: Store) -> None:
    code, expires = await store.write(lambda db: codes.create_signin(db, "ada"))
    await store.write(lambda db: db.execute(text(f"update codes set expires_ms = {expires - codes.SIGNIN_MS - 1}")))
    with pytest.raises(Unauthenticated):
        await store.write(lambda db: codes.use_signin(db, code))


async def test_an_enter_code_is_for_one_domain_and_one_member(store: Store) -> None:
    apex, _ = await store.write(lambda db: sessions.create_session(db, "ada"))
    code = await store.write(lambda db: codes.create_enter(db, apex.id, "demo"))
    with pytest.raises(Unauthenticated):
        await store.write(lambda db: codes.use_enter(db, code, "other"))
    with pytest.raises(Unauthenticated):
        await store.write(lambda db: codes.use_signin(db, code))
    lab, _ = await store.write(lambda db: codes.use_enter(db, code, "demo"))
    assert (lab.domain, lab.parent, lab.user) == ("demo", apex.id, "ada")
    assert lab.csrf != apex.csrf
    with pytest.raises(Denied):
        await store.write(lambda db: codes.create_enter(db, lab.id, "other"))
    stranger, _ = await store.write(lambda db: sessions.create_session(db, "bob"))
    code = await store.write(lambda db: codes.create_enter(db, stranger.id, "demo"))
    with pytest.raises(Denied):
        await store.write(lambda db: codes.use_enter(db, code, "demo"))


async def test_signing_out_ends_the_labs_too(store: Store) -> None:
    apex, _ = await store.write(lambda db: sessions.create_session(db, "ada"))
    lab, _ = await store.write(lambda db: sessions.create_session(db, "ada", "demo", apex.id))
    other, _ = await store.write(lambda db: sessions.create_session(db, "ada"))
    await store.write(lambda db: sessions.end(db, lab.id))
    assert [session.id for session in await store.read(sessions.list_all)] == [other.id]


async def test_the_snapshot_is_never_older_than_what_was_acknowledged(store: Store) -> None:
    people = People(store)
    assert (await people.fresh()).roles_of("bob") == {}
    await store.write(lambda db: memberships.put(db, "demo", "bob", "viewer"))
    assert (await people.fresh()).roles_of("bob") == {"demo": Role.viewer}
    key, _ = await store.write(lambda db: keys.create_key(db, "demo", "bob"))
    assert (await people.fresh()).key(key.id) is not None
    await store.write(lambda db: keys.revoke(db, "demo", key.id))
    assert (await people.fresh()).key(key.id) is None
    before = await people.fresh()
    assert await people.fresh() is before  # nothing changed: nothing is read
