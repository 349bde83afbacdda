"""Domains, desired sandboxes, instance types, the example's files: on a real database and real folders."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from studio import signing
from studio.access import memberships, users
from studio.domains import addresses, domains, examples, instance_types, sandboxes, volumes
from studio.domains.instance_types import InstanceType
from studio.errors import AlreadyExists, Denied, Invalid, NotFound
from studio.runtime.sandbox import Layout
from studio.settings import Settings
from studio.store import Signal, Store


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    found = Store(f"sqlite:///{tmp_path / 'studio.db'}")
    await found.start()

    def write(db):  # type: ignore[no-untyped-def]
        instance_types.ensure(db)
        for user in ("ada", "bob"):
            users.create_user(db, user)
        domains.create_domain(db, "demo", "Demo")
        memberships.put(db, "demo", "ada", "admin")

    await found.write(write)
    yield found
    await found.close()


@pytest.mark.parametrize("name", ["", ".", "..", "../b", "a/b", "a.b", "Demo", "-a", "localhost", "x" * 41, "a\n"])
async def test_odd_domains_are_refused(store: Store, name: str) -> None:
    with pytest.raises(Invalid):
        await store.write(lambda db: domains.create_domain(db, name))


async def test_a_domain_is_made_once_and_named_when_missing(store: Store) -> None:
    with pytest.raises(AlreadyExists):
        await store.write(lambda db: domains.create_domain(db, "demo"))
    with pytest.raises(NotFound, match="no domain 'nope'"):
        await store.read(lambda db: domains.get(db, "nope"))


async def test_a_lab_has_an_origin_of_its_own(store: Store) -> None:
    found = await store.read(lambda db: domains.get(db, "demo"))
    assert addresses.origin("http://127.0.0.1:8600", found) == "http://demo.localhost:8600"
    found = await store.write(lambda db: domains.set_port(db, "demo", 8701))
    assert addresses.origin("http://127.0.0.1:8600", found) == "http://127.0.0.1:8701"


async def test_wanting_twice_writes_once(store: Store) -> None:
    heard: list[Signal] = []
    store.signals.listen(heard.append)
    for _ in range(3):
        await store.write(lambda db: sandboxes.want(db, "demo", "ada", lab=True, environment="sklearn"))
    assert heard == [Signal("sandboxes", "demo", ("demo.ada",))]
    found = await store.read(lambda db: sandboxes.get(db, "demo.ada"))
    assert (found.wanted, found.lab_wanted, found.environments, found.role) == (True, True, ("sklearn",), "admin")


async def test_only_members_and_the_service_get_a_sandbox(store: Store) -> None:
    with pytest.raises(Denied, match="no member"):
        await store.write(lambda db: sandboxes.want(db, "demo", "bob"))
    with pytest.raises(NotFound):
        await store.write(lambda db: sandboxes.want(db, "nope", "service"))
    with pytest.raises(Denied):
        await store.write(lambda db: sandboxes.want(db, "demo", "service", lab=True))
    assert await store.write(lambda db: sandboxes.want(db, "demo", "service")) == "demo.service"


async def test_a_start_makes_older_tokens_void_and_none_lies_in_the_database(store: Store, tmp_path: Path) -> None:
    await store.write(lambda db: sandboxes.want(db, "demo", "ada"))
    secret = signing.new_secret()
    first = await store.write(lambda db: sandboxes.renew(db, "demo.ada", "admin"))
    second = await store.write(lambda db: sandboxes.renew(db, "demo.ada", "admin"))
    tokens = {first.token(secret), second.token(secret), second.lab_secret(secret)}
    assert len(tokens) == 3
    again = await store.read(lambda db: sandboxes.get(db, "demo.ada"))
    assert again.token(secret) == second.token(secret)
    raw = b"".join(path.read_bytes() for path in tmp_path.glob("studio.db*"))
    assert not any(token.encode() in raw for token in tokens)


async def test_a_removed_member_has_no_role_and_a_changed_one_another(store: Store) -> None:
    await store.write(lambda db: memberships.put(db, "demo", "bob", "editor"))
    await store.write(lambda db: sandboxes.want(db, "demo", "bob"))
    await store.write(lambda db: memberships.put(db, "demo", "bob", "viewer"))
    assert (await store.read(lambda db: sandboxes.get(db, "demo.bob"))).role == "viewer"
    await store.write(lambda db: memberships.remove(db, "demo", "bob"))
    assert (await store.read(lambda db: sandboxes.get(db, "demo.bob"))).role == ""


async def test_instance_types_are_an_editable_table(store: Store) -> None:
    assert (await store.read(instance_types.get)).name == "std.small"
    await store.write(lambda db: instance_types.put(db, InstanceType("std.small", 1, 1024, 0, 0.05)))
    await store.write(instance_types.ensure)
    assert (await store.read(lambda db: instance_types.get(db, "std.small"))).price_per_hour == 0.05
    with pytest.raises(NotFound, match=r"std\.large"):
        await store.read(lambda db: instance_types.get(db, "huge"))
    for wrong in (
        InstanceType("a/b", 1, 1024, 0, 0),
        InstanceType("a", 0, 1024, 0, 0),
        InstanceType("a", 1, 64, 0, -1),
    ):
        with pytest.raises(Invalid):
            await store.write(lambda db, wrong=wrong: instance_types.put(db, wrong))


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    paths = Settings(home=tmp_path / "home").paths
    volumes.create(paths, "demo")
    volumes.create_home(paths, "demo", "ada")
    return Layout(paths, "demo", "ada", "bubblewrap")


@pytest.fixture
def assets(tmp_path: Path) -> Path:
    for name, text in (("notebooks/welcome.ipynb", "{}"), ("data/weather.csv", "a,b\n1,2\n")):
        (tmp_path / "assets" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "assets" / name).write_text(text)
    return tmp_path / "assets"


def test_the_example_is_copied_and_never_over_what_is_there(layout: Layout, assets: Path) -> None:
    assert examples.copy(assets, layout) == "ada/welcome.ipynb"
    (layout.host_home / "welcome.ipynb").write_text("mine")
    examples.copy(assets, layout)
    assert (layout.host_home / "welcome.ipynb").read_text() == "mine"
    assert [path.name for path in layout.host_shared.rglob("*.csv")] == ["weather.csv"]
    assert not [path for path in layout.host_home.rglob("*") if path.name.endswith(".part")]


def test_the_example_follows_no_link_out_of_the_volume(layout: Layout, assets: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (layout.host_home / "welcome.ipynb").symlink_to(outside / "planted")
    (layout.host_shared / "data").symlink_to(outside)
    with pytest.raises(Invalid, match="is a link"):
        examples.copy(assets, layout)
    assert list(outside.iterdir()) == []


def test_a_volume_is_a_real_folder(tmp_path: Path) -> None:
    paths = Settings(home=tmp_path / "home").paths
    paths.domain("demo").parent.mkdir(parents=True)
    paths.domain("demo").symlink_to(tmp_path)
    with pytest.raises(Denied):
        volumes.create(paths, "demo")
