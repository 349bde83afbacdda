"""Environments as rows: domains' own beside the catalogue, a version for every change, back and forth."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection

from studio.domains import domains
from studio.environments import defaults, environments, pins, versions
from studio.environments.definitions import Definition, package_name
from studio.environments.environments import CATALOGUE, Environment, Progress
from studio.environments.states import State
from studio.environments.versions import Change
from studio.errors import AlreadyExists, Conflict, Denied, Invalid, NotFound
from studio.store import Store

SHARED = Definition("small", "Small", "", ("numpy>=2",), ("numpy",))
OWN = Definition("mine", "Mine", "", ("pandas>=2.2", "polars"), ())


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    found = Store(f"sqlite:///{tmp_path / 'studio.db'}")
    await found.start()
    await found.write(fill)
    yield found
    await found.close()


def fill(db: Connection) -> None:
    for name in ("demo", "other"):
        domains.create_domain(db, name)
    versions.define(db, [SHARED])


def ready(db: Connection, found: Environment, content_hash: str) -> Environment:
    versions.finish(db, found.newest, content_hash, 7)
    return environments.get(db, found.domain, found.name)


async def test_the_catalogue_follows_its_definitions(store: Store) -> None:
    def walk(db: Connection) -> None:
        found = environments.get(db, CATALOGUE, "small")
        assert (found.is_ready, found.newest.state) == (False, State.not_built)
        with pytest.raises(Conflict, match="studio env build small"):
            environments.require_ready(db, "demo", "small")
        queued = versions.request_build(db, found)
        assert versions.request_build(db, queued).newest == queued.newest
        versions.start_building(db, queued.newest)
        versions.show_progress(db, queued.newest, Progress(1, 2, "x"))
        assert environments.get(db, "demo", "small").newest.progress == Progress(1, 2, "x")
        done = ready(db, queued, "abc")
        assert done.is_ready and done.hash == "abc"
        assert done.python_path(Path("/e")) == Path("/e/store/abc/bin/python")
        versions.define(db, [replace(SHARED, title="New", about="Why")])
        found = environments.get(db, "demo", "small")
        assert (found.title, found.about, found.newest.number) == ("New", "Why", 1)
        # Another definition waits to be asked for; what is there goes on being used.
        versions.define(db, [replace(SHARED, packages=("numpy>=3",))])
        found = environments.get(db, "demo", "small")
        assert (found.newest.number, found.newest.state, found.newest.note) == (2, State.not_built, "Now numpy>=3.")
        assert found.is_ready and found.hash == "abc"
        versions.define(db, [])
        assert environments.list_all(db) == []

    await store.write(walk)


async def test_a_domain_has_its_own_and_another_does_not_see_them(store: Store) -> None:
    def walk(db: Connection) -> None:
        versions.create(db, "demo", OWN, "ada")
        assert [item.name for item in environments.visible(db, "demo")] == ["mine", "small"]
        assert [item.name for item in environments.visible(db, "other")] == ["small"]
        with pytest.raises(NotFound, match="There are: small"):
            environments.get(db, "other", "mine")
        ready(db, environments.get(db, "demo", "mine"), "m")
        assert list(environments.usable(environments.list_all(db), "demo")) == ["mine"]
        assert environments.usable(environments.list_all(db), "other") == {}
        # The same name in another domain is another environment.
        versions.create(db, "other", replace(OWN, packages=("scipy",)), "eve")
        assert environments.get(db, "other", "mine").newest.packages == ("scipy",)
        assert environments.get(db, "demo", "mine").used.packages == OWN.packages
        for taken in ("mine", "small"):
            with pytest.raises(AlreadyExists, match=taken):
                versions.create(db, "demo", replace(OWN, name=taken), "ada")
        with pytest.raises(Denied, match="Clone it"):
            environments.require_own(db, "demo", "small")
        with pytest.raises(Invalid, match="a-z"):
            versions.create(db, "demo", replace(OWN, name="$(touch x)"), "ada")
        with pytest.raises(Invalid, match=r"Python 2\.7"):
            versions.create(db, "demo", replace(OWN, name="old", python="2.7"), "ada")

    await store.write(walk)


async def test_every_change_is_a_version_and_any_can_be_gone_back_to(store: Store) -> None:
    def walk(db: Connection) -> None:
        first = ready(db, versions.create(db, "demo", OWN, "ada"), "one")
        second = versions.change(db, first, Change(add=["Pandas==2.3", "scipy"], remove=["polars"]), "eve")
        assert second.newest.packages == ("Pandas==2.3", "scipy")
        assert second.newest.note == "Added scipy. Now Pandas==2.3. Without polars."
        assert (second.newest.created_by, second.newest.state) == ("eve", State.queued)
        # Until it is built, and if it cannot be, the one before is what things start from.
        assert second.hash == "one"
        versions.fail(db, second.newest, "No solution.")
        failed = environments.get(db, "demo", "mine")
        assert failed.is_ready and failed.hash == "one" and failed.newest.error == "No solution."
        with pytest.raises(Conflict, match="Build it"):
            versions.change(db, failed, Change(packages=["Pandas==2.3", "scipy"]), "eve")
        again = versions.request_build(db, failed)
        assert (again.newest.state, again.newest.attempt) == (State.queued, 2)
        assert ready(db, again, "two").hash == "two"

        back = versions.roll_back(db, environments.get(db, "demo", "mine"), 1, "ada")
        assert (back.newest.number, back.newest.note) == (3, "Back to version 1.")
        # The same definition: the same lock, the same folder, no build.
        assert back.newest.fingerprint == versions.get(db, back, 1).fingerprint
        assert ready(db, back, "one").hash == "one"
        with pytest.raises(Conflict, match="what version 1 had"):
            versions.roll_back(db, environments.get(db, "demo", "mine"), 1, "ada")
        with pytest.raises(NotFound, match="1 to 3"):
            versions.roll_back(db, back, 9, "ada")
        assert [item.number for item in versions.list_versions(db, back)] == [3, 2, 1]

    await store.write(walk)


async def test_a_later_version_is_not_replaced_by_an_earlier_that_took_longer(store: Store) -> None:
    def walk(db: Connection) -> None:
        slow = versions.create(db, "demo", OWN, "ada")
        fast = versions.change(db, slow, Change(add=["scipy"]), "ada")
        assert ready(db, fast, "two").hash == "two"
        versions.finish(db, slow.newest, "one")
        found = environments.get(db, "demo", "mine")
        assert found.hash == "two" and versions.get(db, found, 1).state is State.ready

    await store.write(walk)


async def test_what_was_taken_from_the_disk_can_be_built_again(store: Store) -> None:
    def walk(db: Connection) -> None:
        found = ready(db, versions.create(db, "demo", OWN, "ada"), "one")
        versions.removed(db, "one")
        gone = environments.get(db, "demo", "mine")
        assert not gone.is_ready and gone.newest.state is State.not_built
        assert versions.request_build(db, gone).newest.state is State.queued
        assert found.newest.tool != environments.get(db, "demo", "mine").newest.tool

    await store.write(walk)


async def test_a_domain_begins_with_what_it_chose(store: Store) -> None:
    def walk(db: Connection) -> None:
        assert defaults.get_default(db, "demo") == "sklearn"
        ready(db, versions.create(db, "demo", OWN, "ada"), "one")
        with pytest.raises(Conflict, match="small"):
            defaults.set_default(db, "demo", "small")
        defaults.set_default(db, "demo", "mine")
        defaults.set_default(db, "demo", "mine")
        assert (defaults.get_default(db, "demo"), defaults.get_default(db, "other")) == ("mine", "sklearn")
        defaults.clear_default(db, "demo")
        assert defaults.list_all(db) == {}

    await store.write(walk)


NAMES = st.sampled_from(["numpy", "scikit-learn", "polars", "a.b", "xgboost-cpu"])
LINES = st.builds(lambda name, version: name + version, NAMES, st.sampled_from(["", ">=1", "==2.0", "[x]>=3"]))


@given(st.lists(LINES, max_size=6), st.lists(LINES, max_size=4))
def test_added_packages_take_the_place_of_the_same_ones(lines: list[str], added: list[str]) -> None:
    found = versions.add_packages(lines, added)
    assert set(added) <= set(found)
    kept = [line for line in found if line not in added]
    assert {package_name(line) for line in kept}.isdisjoint({package_name(line) for line in added})
    assert versions.add_packages(found, added) == versions.add_packages(versions.add_packages(found, added), added)


def test_removing_what_was_not_asked_for_is_refused() -> None:
    assert versions.remove_packages(["scikit_learn>=1"], ["Scikit-Learn"]) == ()
    with pytest.raises(Invalid, match="joblib"):
        versions.remove_packages(["scikit-learn"], ["joblib"])
    for bad in ("--index-url https://evil.example", "../x", "x @ https://evil.example/x.whl", "-e ."):
        with pytest.raises(Invalid):
            versions.add_packages([], [bad])


def test_locks_are_compared_package_by_package() -> None:
    before = pins.pins("a==1 \\\n    --hash=sha256:00\nb[x]==2.0 ; sys_platform == 'linux' \\\n    --hash=sha256:11\n")
    assert before == {"a": "1", "b": "2.0"}
    found = pins.changes(before, {"b": "2.1", "c": "3"})
    assert [(pin.name, pin.before, pin.version) for pin in found] == [
        ("a", "1", ""),
        ("b", "2.0", "2.1"),
        ("c", "", "3"),
    ]
