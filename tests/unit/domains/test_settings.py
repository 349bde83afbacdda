"""What a domain allows and requires, and what that means on this host."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from studio.access import memberships, users
from studio.domains import domains, removed, sandboxes, settings
from studio.errors import Conflict, Invalid, NotFound
from studio.runtime.limits import host_memory_mb
from studio.runtime.specs import Limits
from studio.settings import Settings
from studio.store import Store


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    found = Store(f"sqlite:///{tmp_path / 'studio.db'}")
    await found.start()

    def write(db: Any) -> None:
        users.create_user(db, "ada")
        for name in ("demo", "other"):
            domains.create_domain(db, name)
            memberships.put(db, name, "ada", "admin")

    await found.write(write)
    yield found
    await found.close()


async def test_settings_are_changed_one_by_one(store: Store) -> None:
    found = await store.write(lambda db: settings.change(db, "demo", {"memory_mb": 4000, "network_mode": "none"}))
    assert (found.memory_mb, found.cpu, found.network_mode) == (4000, None, "none")
    found = await store.write(lambda db: settings.change(db, "demo", {"cpu": 1.5, "idle_minutes": 0}))
    assert (found.memory_mb, found.cpu, found.idle_minutes) == (4000, 1.5, 0)
    assert settings.limits(found) == Limits(1.5, 4000, settings.PROCESSES)
    other = await store.read(lambda db: domains.get(db, "other"))
    assert settings.limits(other) == Limits(0.0, int(host_memory_mb() * 0.8), settings.PROCESSES)
    # 0 is said and means none; nothing said means what fits this host.
    free = await store.write(lambda db: settings.change(db, "demo", {"memory_mb": 0, "processes": 0, "cpu": None}))
    assert settings.limits(free) == Limits(0.0, 0, 0)


@pytest.mark.parametrize(
    "wrong",
    [
        {"memory_mb": 255},
        {"memory_mb": -1},
        {"cpu": 0.01},
        {"cpu": 5000.0},
        {"processes": 3},
        {"idle_minutes": 50_000},
        {"network_mode": "host"},
        {"required_isolation": "total"},
        {"title": " "},
        {"name": "mine"},
        {"removing_ms": 1},
    ],
)
async def test_odd_settings_are_refused_whole(store: Store, wrong: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        await store.write(lambda db: settings.change(db, "demo", {"title": "Changed", **wrong}))
    assert (await store.read(lambda db: domains.get(db, "demo"))).title == "demo"


async def test_a_restart_is_for_what_is_wanted_and_ends_with_a_start(store: Store) -> None:
    for name in ("demo", "other"):
        await store.write(lambda db, name=name: sandboxes.want(db, name, "ada"))
    await store.write(lambda db: sandboxes.want(db, "demo", "service"))
    await store.write(lambda db: sandboxes.unwant(db, "demo.service"))
    await store.write(lambda db: settings.restart(db, "demo"))
    found = {item.id: item.restart for item in await store.read(sandboxes.list_all)}
    assert found == {"demo.ada": True, "demo.service": False, "other.ada": False}
    await store.write(lambda db: settings.change(db, "demo", {"network_mode": "open"}))
    before = await store.read(lambda db: sandboxes.get(db, "demo.ada"))
    after = await store.write(lambda db: sandboxes.renew(db, "demo.ada", "admin"))
    assert (before.network, after.network, after.restart) == ("open", "open", False)
    # What runs keeps the network it was started with, whatever the domain says now.
    await store.write(lambda db: settings.change(db, "demo", {"network_mode": "none"}))
    assert (await store.read(lambda db: sandboxes.get(db, "demo.ada"))).network == "open"


async def test_nothing_starts_in_a_domain_that_is_being_removed(store: Store, tmp_path: Path) -> None:
    await store.write(lambda db: sandboxes.want(db, "demo", "ada", lab=True))
    await store.write(lambda db: domains.begin_removal(db, "demo"))
    begun = await store.read(lambda db: domains.get(db, "demo"))
    await store.write(lambda db: domains.begin_removal(db, "demo"))
    assert (await store.read(lambda db: domains.get(db, "demo"))).removing_ms == begun.removing_ms
    assert not (await store.read(lambda db: sandboxes.get(db, "demo.ada"))).wanted
    with pytest.raises(Conflict, match="being removed"):
        await store.write(lambda db: sandboxes.want(db, "demo", "ada"))
    await store.write(lambda db: domains.remove(db, "demo"))
    with pytest.raises(NotFound):
        await store.read(lambda db: domains.get(db, "demo"))
    assert [item.domain for item in await store.read(memberships.list_all)] == ["other"]


def test_files_are_moved_aside_whole_also_after_a_crash(tmp_path: Path) -> None:
    paths = Settings(home=tmp_path / "home").paths
    paths.shared("demo").mkdir(parents=True)
    (paths.shared("demo") / "kept.txt").write_text("kept")
    paths.shared("demo2").mkdir(parents=True)
    (paths.artifacts / "demo").mkdir(parents=True)
    first = removed.set_aside(paths, "demo", 17)
    # A server that ended in between does it again, and finds the rest only.
    (paths.models / "demo").mkdir(parents=True)
    assert removed.set_aside(paths, "demo", 17) == first == removed.folder(paths, "demo", 17)
    assert sorted(item.name for item in first.iterdir()) == ["artifacts", "models", "volume"]
    assert (first / "volume" / "shared" / "kept.txt").read_text() == "kept"
    assert paths.shared("demo2").is_dir() and not paths.domain("demo").exists()
