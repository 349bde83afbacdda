"""Volumes, snapshots and spaces on the wire: who sees and may do what, and what is refused with nothing half made."""

import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from studio.access.principals import Kind, Role
from studio.domains import snapshots
from tests.unit.rest_app import App, running


@pytest.fixture
async def app(tmp_path: Path, migrated: Path) -> AsyncIterator[App]:
    shutil.copy(migrated, tmp_path / "studio.db")
    async with running(tmp_path) as found:
        for folder in (found.settings.paths.shared("demo"), *homes(found)):
            folder.mkdir(parents=True)
        yield found


def homes(app: App) -> list[Path]:
    return [app.settings.paths.user("demo", name) for name in ("ann", "eve", "bob", "vic")]


async def ready(app: App, made: dict[str, Any]) -> None:
    """As when its program has ended well."""

    def write(db: Any) -> None:
        snapshots.change(db, snapshots.get(db, "demo", made["id"]), state=snapshots.READY)

    await app.store.write(write)


def told(answer: httpx.Response, status: int, words: str) -> None:
    """An error of this wire."""
    assert answer.status_code == status, answer.text
    error = answer.json()["error"]
    assert words in f"{error['message']} {error['hint']}", error


async def test_a_space_has_a_folder_and_an_address(app: App) -> None:
    async with app.as_user("eve") as eve:
        made = (await eve.post("spaces", json={"name": "lab-1", "title": "First"})).json()
        shared = (await eve.post("spaces", json={"name": "lab-1", "kind": "shared"})).json()
        told(await eve.post("spaces", json={"name": "lab-1"}), 409, "already a space")
        told(await eve.post("spaces", json={"name": "../lab"}), 400, "cannot be the name")
        listed = (await eve.get("spaces")).json()
    assert (app.settings.paths.user("demo", "eve") / "spaces" / "lab-1").is_dir()
    assert (app.settings.paths.shared("demo") / "spaces" / "lab-1").is_dir()
    assert (made["kind"], made["path"], made["title"]) == ("private", "eve/spaces/lab-1", "First")
    end = f"/lab/workspaces/{shared['id']}/tree/shared/spaces/lab-1"
    assert shared["address"].startswith("http://demo.localhost:") and shared["address"].endswith(end)
    assert [item["id"] for item in listed] == [shared["id"], made["id"]]


async def test_private_spaces_are_their_owners_alone(app: App) -> None:
    async with app.as_user("eve") as eve, app.as_user("ann") as admin, app.as_user("vic") as viewer:
        made = (await eve.post("spaces", json={"name": "mine"})).json()
        common = (await eve.post("spaces", json={"name": "ours", "kind": "shared"})).json()
        for other in (admin, viewer):
            assert [item["name"] for item in (await other.get("spaces")).json()] == ["ours"]
            told(await other.get(f"spaces/{made['id']}"), 404, "no space")
            told(await other.post(f"spaces/{made['id']}/open"), 404, "no space")
        # A viewer opens what is shared and changes nothing.
        assert (await viewer.post(f"spaces/{common['id']}/open")).status_code == 200
        for method, path in (("POST", "spaces"), ("DELETE", f"spaces/{common['id']}")):
            assert (await viewer.request(method, path, json={"name": "x"})).status_code == 403
        async with app.as_user("bob") as bob:
            told(await bob.delete(f"spaces/{common['id']}"), 403, "")
        assert (await admin.delete(f"spaces/{common['id']}")).status_code == 200


async def test_a_rename_moves_the_folder_and_keeps_the_workspace(app: App) -> None:
    home = app.settings.paths.user("demo", "eve") / "spaces"
    async with app.as_user("eve") as eve:
        made = (await eve.post("spaces", json={"name": "old"})).json()
        (home / "old" / "nb.ipynb").write_text("{}")
        (home / "taken").mkdir()
        told(await eve.patch("spaces/old", json={"name": "taken"}), 409, "already")
        assert (await eve.get("spaces/old")).json()["name"] == "old"
        renamed = (await eve.patch("spaces/old", json={"name": "new", "title": "New"})).json()
    assert (renamed["workspace"], renamed["path"], renamed["title"]) == (made["id"], "eve/spaces/new", "New")
    assert (home / "new" / "nb.ipynb").exists() and not (home / "old").exists()


async def test_a_deleted_space_waits_in_the_trash(app: App) -> None:
    home = app.settings.paths.user("demo", "eve")
    async with app.as_user("eve") as eve:
        made = (await eve.post("spaces", json={"name": "old"})).json()
        (home / "spaces" / "old" / "nb.ipynb").write_text("{}")
        told(await eve.post("spaces/old/empty"), 409, "not in the trash")
        for _ in range(2):  # the same once more does nothing
            assert (await eve.delete(f"spaces/{made['id']}")).json()["trashed_ms"]
        assert not (home / "spaces" / "old").exists()
        assert (await eve.get("spaces")).json() == []
        assert [item["id"] for item in (await eve.get("spaces", params={"trash": True})).json()] == [made["id"]]
        # Its name is free; while another one has it, the old one stays where it is.
        await eve.post("spaces", json={"name": "old"})
        told(await eve.post(f"spaces/{made['id']}/restore"), 409, "already")
        assert (home / ".studio" / "trash" / made["id"] / "nb.ipynb").exists()
        await eve.delete("spaces/old")
        assert (await eve.post(f"spaces/{made['id']}/restore")).status_code == 200
    assert (home / "spaces" / "old" / "nb.ipynb").exists()


async def test_links_in_the_volume_are_not_followed_by_spaces(app: App, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.mkdir()
    (app.settings.paths.shared("demo") / "spaces").symlink_to(victim)
    async with app.as_user("eve") as eve:
        told(await eve.post("spaces", json={"name": "x", "kind": "shared"}), 400, "is a link")
        assert (await eve.get("spaces")).json() == []
    assert list(victim.iterdir()) == []


async def test_snapshots_of_a_home_are_seen_by_its_owner_only(app: App) -> None:
    async with app.as_user("eve") as eve, app.as_user("ann") as admin, app.as_user("vic") as viewer:
        own = (await eve.post("snapshots", json={"target": "home", "title": "mine"})).json()
        common = (await eve.post("snapshots", json={})).json()
        assert {item["id"] for item in (await eve.get("snapshots")).json()} == {own["id"], common["id"]}
        assert (own["user"], own["target"], common["user"], common["state"]) == ("eve", "home", "", "Waiting")
        for other in (admin, viewer):
            assert [item["id"] for item in (await other.get("snapshots")).json()] == [common["id"]]
            told(await other.get(f"snapshots/{own['id']}"), 404, "no snapshot")
        told(await admin.post(f"snapshots/{own['id']}/restore", json={}), 404, "no snapshot")
        assert (await viewer.post("snapshots", json={})).status_code == 403
        told(await eve.delete(f"snapshots/{common['id']}"), 409, "still being made")


async def test_only_admins_put_the_shared_folder_back_in_place(app: App) -> None:
    async with app.as_user("eve") as eve, app.as_user("ann") as admin:
        made = (await eve.post("snapshots", json={})).json()
        told(await eve.post(f"snapshots/{made['id']}/restore", json={}), 409, "Only one that is Ready")
        await ready(app, made)
        told(await eve.post(f"snapshots/{made['id']}/restore", json={"in_place": True}), 403, "")
        async with app.as_user("ann", kind=Kind.sandbox, cap=Role.editor) as code:
            told(await code.post(f"snapshots/{made['id']}/restore", json={"in_place": True}), 403, "")
            told(await code.delete(f"snapshots/{made['id']}"), 403, "deletes no snapshot")
        for wrong in ("../x", ".studio", "a/b", "x" * 200, "a\n"):
            told(await eve.post(f"snapshots/{made['id']}/restore", json={"folder": wrong}), 400, "")
        (app.settings.paths.shared("demo") / "taken").mkdir()
        told(await eve.post(f"snapshots/{made['id']}/restore", json={"folder": "taken"}), 409, "already")
        begun = (await admin.post(f"snapshots/{made['id']}/restore", json={"in_place": True})).json()
        assert (begun["state"], begun["in_place"], begun["folder"]) == ("Waiting", True, "")
        # What is there now is kept first; a second restore there waits its turn.
        kept = (await admin.get(f"snapshots/{begun['kept']}")).json()
        assert kept["title"] == f"Before {made['id']}"
        told(await admin.post(f"snapshots/{made['id']}/restore", json={}), 409, "going on")
        told(await admin.delete(f"snapshots/{made['id']}"), 409, "being restored")


async def test_a_domain_over_its_quota_takes_nothing_new(app: App) -> None:
    app.studio.full["demo"] = "demo stores 2 MiB; its quota is 1 MiB."
    async with app.as_user("eve") as eve:
        refused = [
            await eve.post("snapshots", json={}),
            await eve.post("spaces", json={"name": "x"}),
            await eve.post("jobs", json={"script_name": "x.py", "script": "1", "name": "x"}),
        ]
        for answer in refused:
            told(answer, 507, "its quota is 1 MiB")
        assert (await eve.get("volume")).status_code == 200
    app.studio.full.clear()
    async with app.as_user("eve") as eve:
        assert (await eve.post("spaces", json={"name": "x"})).status_code == 201


async def test_the_quota_is_set_by_who_runs_the_installation(app: App) -> None:
    async with app.as_user("ann") as admin, app.as_user("ann", kind=Kind.operator) as operator:
        told(await admin.put("volume/quota", json={"quota_mb": 5}), 403, "")
        found = (await operator.put("volume/quota", json={"quota_mb": 5})).json()
        assert (found["quota_mb"], found["level"], found["over"]) == (5, "measured", False)
        assert found["disk_free_bytes"] > 0
        told(await operator.put("volume/quota", json={"quota_mb": -5}), 400, "no quota")
