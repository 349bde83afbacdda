"""Passwords: how they are kept, how often they may be tried, who may change them."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, text

from studio import clock
from studio.access import codes, hashing, keys, memberships, passwords, sessions, users
from studio.access.attempts import ADDRESS, FORGET_S, PERSON, Attempts, Pace
from studio.access.audit import Audit
from studio.access.hashing import Cost
from studio.access.passwords import LEAST, MOST, Passwords
from studio.access.places import Place
from studio.domains import domains
from studio.errors import Denied, Invalid, NotFound, StudioError, TooMany, Unauthenticated, Unavailable
from studio.server import first_start
from studio.settings import Settings
from studio.store import Store
from studio.store.tables.audit import audit

CHEAP = Cost(log_n=4, r=1, p=1)
GOOD, OTHER = "correct horse battery", "staple wrong mule charge"
HERE = Place("Firefox on Linux", "this computer")
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)


@given(TEXTS, TEXTS)
def test_a_hash_fits_its_password_and_no_other(password: str, other: str) -> None:
    kept = hashing.hash_password(password, CHEAP)
    assert hashing.fits(password, kept)
    assert hashing.fits(other, kept) == (hashing.normalised(other) == hashing.normalised(password))
    assert hashing.hash_password(password, CHEAP) != kept  # a salt of its own
    assert hashing.is_made_with(kept, CHEAP) and not hashing.is_made_with(kept)
    assert not hashing.fits(password, hashing.decoy(CHEAP))


def test_nothing_of_a_long_password_is_cut_off() -> None:
    kept = hashing.hash_password("x" * 200 + "a", CHEAP)
    assert not hashing.fits("x" * 200 + "b", kept)
    assert not hashing.fits("x" * 200, kept)


def test_the_same_characters_from_another_keyboard_are_the_same_password() -> None:
    assert hashing.fits("über-größe-ﬁn", hashing.hash_password("über-größe-fin", CHEAP))


@given(st.text() | st.from_regex(r"\$scrypt\$ln=\d+,r=\d+,p=\d+\$.{0,40}\$.{0,60}"))
def test_what_is_no_hash_fits_nothing(kept: str) -> None:
    assert not hashing.fits(GOOD, kept)


def test_the_cost_of_a_real_hash_is_the_stated_one() -> None:
    assert hashing.hash_password(GOOD).startswith("$scrypt$ln=15,r=8,p=3$")


@pytest.mark.parametrize(
    "password",
    [
        "",
        "short",
        "x" * (LEAST - 1),
        "a" * 40,
        "ababababababab",
        "my-ada-lovelace-1",
        "x" * (MOST + 1),
        "half\ud800" * 4,
    ],
)
def test_passwords_that_would_be_guessed_are_refused_and_not_repeated(password: str) -> None:
    with pytest.raises(Invalid) as refused:
        passwords.check_new(password, "lovelace")
    assert not password or password not in str(refused.value)


def test_good_passwords_are_taken() -> None:
    for password in (GOOD, "ключ на столе лежит", "a-short-name-in-it-is-chance"):
        passwords.check_new(password, "a")


class Time:
    """A clock that stands until it is moved."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Time:
    found = Time()
    monkeypatch.setattr(clock, "monotonic", found)
    return found


def wait_of(attempts: Attempts, person: str, address: str) -> int:
    """0 if an attempt may begin (it has then), else the seconds to wait."""
    try:
        attempts.begin(person, address)
    except TooMany as refused:
        assert refused.status == 429 and refused.retry_s
        return refused.retry_s
    return 0


@given(st.sampled_from([PERSON, ADDRESS]), st.integers(0, 10_000))
def test_waits_grow_up_to_a_limit(pace: Pace, failures: int) -> None:
    assert 0 <= pace.wait_s(failures) <= pace.wait_s(failures + 1) <= pace.most_s
    assert (pace.wait_s(failures) == 0) == (failures <= pace.free)


def test_a_person_waits_longer_with_each_failure(time: Time) -> None:
    attempts, waits = Attempts(), []
    for number in range(PERSON.free + 1):
        # From another address each time, as a botnet would.
        assert wait_of(attempts, "ada", f"10.0.0.{number}") == 0
    for number in range(12):
        waits.append(wait_of(attempts, "ada", f"10.0.1.{number}"))
        time.now += waits[-1]
        assert wait_of(attempts, "ada", f"10.0.2.{number}") == 0
    assert waits[:3] == [1, 2, 4] and waits == sorted(waits) and waits[-1] == PERSON.most_s


def test_an_address_waits_whomever_it_tries(time: Time) -> None:
    attempts = Attempts()
    tried = 0
    while not wait_of(attempts, f"name-{tried}", "10.0.0.1"):
        tried += 1
    assert tried == ADDRESS.free + 1
    assert wait_of(attempts, "name-0", "10.0.0.2") == 0
    # What it found out by signing in itself does not let it go on guessing.
    time.now += ADDRESS.most_s
    attempts.begin("eve", "10.0.0.1")
    attempts.succeeded("eve", "10.0.0.1")
    assert wait_of(attempts, "x", "10.0.0.1") == 0
    assert wait_of(attempts, "y", "10.0.0.1") > 0


def test_success_and_time_forget_failures(time: Time) -> None:
    attempts = Attempts()
    for _ in range(PERSON.free):
        attempts.begin("ada", "a")
    attempts.begin("ada", "a")
    attempts.succeeded("ada", "a")
    for _ in range(PERSON.free + 1):
        assert wait_of(attempts, "ada", "a") == 0
    assert wait_of(attempts, "ada", "a") > 0
    time.now += FORGET_S + 1
    assert wait_of(attempts, "ada", "a") == 0 and wait_of(attempts, "ada", "a") == 0


def test_a_flood_of_names_does_not_free_one(time: Time, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("studio.access.attempts.MOST", 100)
    attempts = Attempts()
    for number in range(PERSON.free + 1):
        attempts.begin("ada", f"b{number}")
    for number in range(1000):
        attempts.begin(f"name-{number}", f"c{number}")
    assert len(attempts._records) <= 102
    assert wait_of(attempts, "ada", "d") > 0


@pytest.fixture
async def store(tmp_path: Path, migrated: Path) -> AsyncIterator[Store]:
    shutil.copy(migrated, tmp_path / "studio.db")
    found = Store(f"sqlite:///{tmp_path / 'studio.db'}")
    await found.start()

    def write(db):  # type: ignore[no-untyped-def]
        for user in ("ada", "bob"):
            users.create_user(db, user)
        domains.create_domain(db, "demo")
        memberships.put(db, "demo", "ada", "admin")
        passwords.put(db, "ada", hashing.hash_password(GOOD, CHEAP))

    await found.write(write)
    yield found
    await found.close()


def desk_of(store: Store, cost: Cost = CHEAP) -> Passwords:
    return Passwords(store, Audit(store, "the installation's key"), cost)


async def refused(desk: Passwords, user: str, password: str, address: str = "192.0.2.1") -> StudioError:
    with pytest.raises(StudioError) as error:
        await desk.sign_in(user, password, address, HERE)
    return error.value


async def test_the_right_password_opens_a_session(store: Store) -> None:
    session, value = await desk_of(store).sign_in("ada", GOOD, "127.0.0.1", HERE)
    assert value and (session.user, session.domain, session.via) == ("ada", None, "password")
    assert (session.agent, session.address) == ("Firefox on Linux", "this computer")
    lab, _ = await store.write(lambda db: sessions.create_session(db, "ada", "demo", session.id))
    assert (lab.via, lab.agent) == ("password", "Firefox on Linux")


async def test_wrong_person_and_wrong_password_are_told_the_same_after_the_same_work(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    checked: list[bool] = []
    real = hashing.fits
    monkeypatch.setattr(hashing, "fits", lambda *given: checked.append(True) or real(*given))
    desk = desk_of(store)
    told = []
    for number, user in enumerate(("ada", "bob", "nobody", "", "../x", "ADA\0", "a" * 500)):
        for password in (OTHER, "", "x" * 5000, "half\ud800"):
            told.append(await refused(desk, user, password, f"10.{number}.{len(password) % 250}.1"))
    assert len({str(error) for error in told}) == 1
    assert {type(error) for error in told} == {Unauthenticated}
    assert len(checked) == len(told)


async def test_signing_in_and_failing_to_is_on_record_without_what_was_typed(store: Store) -> None:
    desk = desk_of(store)
    await desk.sign_in("ada", GOOD, "", HERE)
    for number, user in enumerate(("ada", "bob", "typed-my-password-here")):
        await refused(desk, user, OTHER, f"192.0.2.{number}")
    rows = await store.read(lambda db: db.execute(select(audit).order_by(audit.c.seq)).all())
    assert [(row.user, row.action, row.outcome) for row in rows] == [
        ("ada", "sessions.open", "done"),
        ("ada", "sessions.open", "denied"),
        ("bob", "sessions.open", "denied"),
        ("", "sessions.open", "denied"),
    ]
    assert {row.address for row in rows} == {"this computer"}
    for typed in (GOOD, OTHER, "typed-my-password-here"):
        assert typed not in str(rows)


async def test_after_failures_even_the_right_password_waits(store: Store) -> None:
    desk = desk_of(store)
    for number in range(PERSON.free + 1):
        await refused(desk, "ada", OTHER, f"192.0.2.{number}")
    assert isinstance(await refused(desk, "ada", GOOD, "198.51.100.1"), TooMany)


async def test_many_guesses_at_once_are_no_more_than_one_after_the_other(store: Store) -> None:
    desk = desk_of(store)
    guesses = [refused(desk, "ada", f"guess number {number}", f"192.0.2.{number}") for number in range(40)]
    kinds = [type(error) for error in await asyncio.gather(*guesses)]
    assert kinds.count(Unauthenticated) <= PERSON.free + 1
    assert set(kinds) <= {Unauthenticated, TooMany, Unavailable}


async def test_a_flood_is_told_to_come_back_and_costs_nobody_a_failure(store: Store) -> None:
    desk = desk_of(store)
    async with desk._turn:  # the one that is being made
        waiting = [asyncio.create_task(desk.make(OTHER)) for _ in range(passwords.QUEUE)]
        await asyncio.sleep(0)
        assert isinstance(await refused(desk, "ada", GOOD), Unavailable)
        with pytest.raises(Unavailable):
            await desk.make(OTHER)
    await asyncio.gather(*waiting)
    for number in range(PERSON.free):
        await refused(desk, "ada", OTHER, f"192.0.2.{number}")
    await desk.sign_in("ada", GOOD, "192.0.2.77", HERE)


async def test_an_old_hash_is_made_anew_at_sign_in_and_nobody_signed_out(store: Store) -> None:
    first, _ = await desk_of(store).sign_in("ada", GOOD, "", HERE)
    stronger = Cost(log_n=5, r=1, p=1)
    await desk_of(store, stronger).sign_in("ada", GOOD, "", HERE)
    kept = await store.read(lambda db: passwords.find(db, "ada"))
    assert kept and hashing.is_made_with(kept, stronger) and hashing.fits(GOOD, kept)
    assert first.id in {item.id for item in await store.read(sessions.list_all)}


async def test_a_password_is_changed_with_the_old_one_or_a_fresh_link(store: Store) -> None:
    desk = desk_of(store)
    mine, _ = await desk.sign_in("ada", GOOD, "", HERE)
    elsewhere, _ = await desk.sign_in("ada", GOOD, "", HERE)
    by_link, _ = await store.write(lambda db: sessions.create_session(db, "ada"))
    with pytest.raises(Denied, match="old password is needed"):
        await desk.change(mine.id, None, OTHER, "")
    with pytest.raises(Denied, match="old password is wrong"):
        await desk.change(mine.id, OTHER, OTHER, "")
    await desk.change(mine.id, GOOD, OTHER, "")
    left = {item.id for item in await store.read(sessions.list_all)}
    assert left == {mine.id, by_link.id}  # what the old one opened elsewhere has ended
    assert elsewhere.id not in left
    await refused(desk, "ada", GOOD)
    await desk.change(by_link.id, None, GOOD, "")
    assert mine.id not in {item.id for item in await store.read(sessions.list_all)}


async def test_a_link_is_fresh_for_a_while_only(store: Store) -> None:
    session, _ = await store.write(lambda db: sessions.create_session(db, "bob"))
    late = session.created_ms - passwords.FRESH_MS
    await store.write(lambda db: db.execute(text(f"update sessions set created_ms = {late}")))
    with pytest.raises(Denied, match="old password is needed"):
        await desk_of(store).change(session.id, None, OTHER, "")


async def test_a_page_of_a_domain_changes_no_password(store: Store) -> None:
    apex, _ = await store.write(lambda db: sessions.create_session(db, "ada"))
    lab, _ = await store.write(lambda db: sessions.create_session(db, "ada", "demo", apex.id))
    for old in (None, GOOD):
        with pytest.raises(Denied, match="domain's page"):
            await desk_of(store).change(lab.id, old, OTHER, "")


async def test_guessing_the_old_password_is_held_back_too(store: Store) -> None:
    desk = desk_of(store)
    mine, _ = await desk.sign_in("ada", GOOD, "", HERE)
    for _ in range(PERSON.free + 1):
        with pytest.raises(Denied):
            await desk.change(mine.id, "not the old password", OTHER, "")
    with pytest.raises(TooMany):
        await desk.change(mine.id, GOOD, OTHER, "")


async def test_clearing_ends_what_the_password_opened(store: Store) -> None:
    await desk_of(store).sign_in("ada", GOOD, "", HERE)
    by_link, _ = await store.write(lambda db: sessions.create_session(db, "ada"))
    await store.write(lambda db: passwords.clear(db, "ada"))
    assert [item.id for item in await store.read(sessions.list_all)] == [by_link.id]
    with pytest.raises(NotFound):
        await store.write(lambda db: passwords.clear(db, "ada"))
    with pytest.raises(NotFound):
        await store.write(lambda db: passwords.put(db, "nobody", "x"))


async def test_the_password_itself_is_nowhere_in_the_database(store: Store, tmp_path: Path) -> None:
    await desk_of(store).sign_in("ada", GOOD, "", HERE)
    await store.close()
    assert GOOD.encode() not in b"".join(path.read_bytes() for path in tmp_path.iterdir() if path.is_file())


async def test_a_fresh_home_has_no_password_and_no_key(tmp_path: Path) -> None:
    """Attack 32: there are no default credentials, not even for who runs it."""
    settings = Settings(home=tmp_path / "home")
    settings.paths.home.mkdir()
    fresh = Store(settings.database)
    await fresh.start()
    try:
        operator = await first_start.ensure(fresh, settings)
        assert await fresh.read(passwords.holders) == frozenset()
        assert await fresh.read(keys.list_all) == [] and await fresh.read(sessions.list_all) == []
        desk = desk_of(fresh)
        for number, user in enumerate((operator, "admin", "root", "studio", "operator", "jovyan")):
            for guess in (user, "", "admin", "password", "changeme", "studio"):
                assert isinstance(
                    await refused(desk, user, guess, f"10.0.{number}.{len(guess)}"), Unauthenticated | TooMany
                )
        with pytest.raises(Unauthenticated):
            await fresh.write(lambda db: codes.use_signin(db, ""))
    finally:
        await fresh.close()
