"""Environments over REST: who may what, what is refused and in which words, exports, logs, uses."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from studio.access.principals import Kind, Role
from studio.environments import environments, store, versions
from studio.environments.definitions import Definition
from tests.unit import rest_app
from tests.unit.rest_app import App

LOCK = "alpha==1.0 \\\n    --hash=sha256:" + "0" * 64 + "\n"


@pytest.fixture
async def app(tmp_path: Path) -> AsyncIterator[App]:
    async with rest_app.running(tmp_path / "home") as found:
        yield found


async def finish(app: App, name: str, content_hash: str) -> None:
    """Its newest version is built."""
    await app.store.write(lambda db: versions.finish(db, environments.get(db, "demo", name).newest, content_hash, 5))


def locked(app: App, *packages: str, text: str = LOCK) -> None:
    """The lock that a build of them would have written."""
    path = store.lock_path(app.settings.paths.environments, Definition("x", "", "", packages, ()))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


async def test_an_editor_makes_changes_goes_back_and_deletes(app: App) -> None:
    async with app.as_user("eve") as http:
        made = await http.post("environments", json={"name": "mine", "packages": ["alpha"], "title": "Mine"})
        assert made.status_code == 202, made.text
        assert (made.json()["state"], made.json()["current"], made.json()["is_own"]) == ("Queued", None, True)
        await finish(app, "mine", "a" * 32)
        changed = (await http.post("environments/mine/versions", json={"add": ["beta>=2"]})).json()
        assert (changed["newest"], changed["current"], changed["hash"]) == (2, 1, "a" * 32)
        await finish(app, "mine", "b" * 32)
        assert (await http.post("environments/mine/rollback", json={"number": 1})).json()["newest"] == 3
        found = (await http.get("environments/mine")).json()
        assert [(item["number"], item["note"]) for item in found["versions"]] == [
            (3, "Back to version 1."),
            (2, "Added beta>=2."),
            (1, "The first version."),
        ]
        assert found["versions"][0]["created_by"] == "eve" and found["uses"] == []
        assert [item["name"] for item in (await http.get("environments")).json()] == ["mine", "sklearn"]
        assert (await http.delete("environments/mine")).status_code == 204
        assert (await http.get("environments/mine")).status_code == 404


async def test_adding_to_the_catalogue_makes_a_clone_of_the_domain(app: App) -> None:
    async with app.as_user("eve") as http:
        made = (await http.post("environments/sklearn/packages", json={"packages": ["polars"]})).json()
        assert (made["name"], made["packages"]) == ("demo-sklearn", ["scikit-learn", "polars"])
        again = (await http.post("environments/sklearn/packages", json={"packages": ["scipy"]})).json()
        assert (again["name"], again["newest"]) == ("demo-sklearn", 2)
        refused = await http.post("environments/sklearn/versions", json={"add": ["polars"]})
        assert refused.status_code == 403 and "Clone it" in refused.json()["error"]["hint"]
        assert (await http.delete("environments/sklearn")).status_code == 403
        sklearn = (await http.get("environments/sklearn")).json()
        assert (sklearn["packages"], sklearn["is_default"]) == (["scikit-learn"], True)


@pytest.mark.parametrize(
    "line",
    [
        "--index-url https://evil.example",
        "-e .",
        "x @ https://evil.example/x.whl",
        "../x",
        "x; import os",
        "$(touch x)",
    ],
)
async def test_options_addresses_and_commands_are_refused(app: App, line: str) -> None:
    async with app.as_user("eve") as http:
        for path, body in {
            "environments": {"name": "mine", "packages": [line]},
            "environments/sklearn/packages": {"packages": [line]},
        }.items():
            answer = await http.post(path, json=body)
            assert answer.status_code == 400 and "URLs and paths" in answer.json()["error"]["hint"]
        for name in (line, "a b", "A", "", "x" * 41, "..", "sklearn"):
            answer = await http.post("environments", json={"name": name, "packages": ["alpha"]})
            assert answer.status_code in (400, 409)
        bad = await http.post("environments", json={"name": "mine", "packages": [], "preload": [line]})
        assert bad.status_code == 400
        assert [item["name"] for item in (await http.get("environments")).json()] == ["sklearn"]


async def test_a_viewer_looks_and_a_stranger_does_not(app: App) -> None:
    async with app.as_user("vic") as viewer, app.as_user("nobody") as stranger:
        assert (await viewer.get("environments")).status_code == 200
        assert (await stranger.get("environments")).status_code == 403
        for path, body in {
            "environments": {"name": "mine"},
            "environments/sklearn/packages": {"packages": ["x"]},
            "environments/sklearn/build": {},
        }.items():
            assert (await viewer.post(path, json=body)).status_code == 403
        assert (await viewer.put("default-environment", json={"name": "sklearn"})).status_code == 403
        # The catalogue and the store are the installation's.
        for path in ("environments/sklearn/build", "environments/collect"):
            answer = await viewer.post(f"http://studio/{path}", json={})
            assert answer.status_code == 403 and "installation" in answer.text
    # A cell may add packages: it acts as its owner, capped at editor.
    async with app.as_user("ann", kind=Kind.sandbox, cap=Role.editor) as cell:
        assert (await cell.post("environments/sklearn/packages", json={"packages": ["x"]})).status_code == 202


async def test_another_domain_has_neither_names_nor_packages(app: App) -> None:
    async with app.as_user("eve") as http:
        await http.post("environments", json={"name": "secret-plan", "packages": ["alpha"]})
        outside = await http.get("http://studio/environments")
        assert "secret-plan" not in outside.text
        assert (await http.get("http://studio/environments/secret-plan")).status_code == 404
        for path in ("environments", "environments/secret-plan", "environments/secret-plan/export"):
            assert (await http.get(f"http://studio/domains/other/{path}")).status_code == 403


async def test_locks_are_exported_and_compared(app: App) -> None:
    async with app.as_user("eve") as http:
        await http.post("environments", json={"name": "mine", "packages": ["alpha"], "preload": ["alpha"]})
        missing = await http.get("environments/mine/export")
        assert missing.status_code == 404 and "Build it first" in missing.json()["error"]["hint"]
        locked(app, "alpha")
        locked(app, "alpha", "beta", text=LOCK + LOCK.replace("alpha==1.0", "beta==2.0"))
        exported = await http.get("environments/mine/export")
        assert exported.text == LOCK and "attachment" in exported.headers["content-disposition"]
        toml = (await http.get("environments/mine/export", params={"form": "toml"})).text
        assert toml == 'name = "mine"\ntitle = "mine"\npackages = ["alpha"]\npreload = ["alpha"]\n'
        await http.post("environments/mine/versions", json={"add": ["beta"]})
        found = (await http.get("environments/mine/versions/2")).json()
        assert (found["against"], found["changes"]) == (1, [{"name": "beta", "version": "2.0", "before": ""}])
        assert (await http.get("environments/mine/versions/1")).json()["against"] == 0
        assert (await http.get("environments/mine/versions/9")).status_code == 404


async def test_a_build_log_is_read_in_pieces_of_whole_lines(app: App) -> None:
    async with app.as_user("eve") as http:
        await http.post("environments", json={"name": "mine", "packages": ["alpha"]})
        empty = (await http.get("environments/mine/versions/1/log")).json()
        assert (empty["text"], empty["done"]) == ("", False)
        version = await app.store.read(lambda db: environments.get(db, "demo", "mine").newest)
        log = app.settings.paths.logs / f"{version.tool}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_text('{"studio": "progress", "text": "Choosing versions"}\nResolved\nhalf a li')
        piece = (await http.get("environments/mine/versions/1/log")).json()
        assert (piece["text"], piece["done"]) == ("Choosing versions\nResolved\n", False)
        log.write_text(log.read_text() + "ne\n")
        await finish(app, "mine", "a" * 32)
        offset = {"offset": piece["next_offset"]}
        rest = (await http.get("environments/mine/versions/1/log", params=offset)).json()
        assert (rest["text"], rest["done"]) == ("half a line\n", True)


async def test_what_is_needed_is_not_deleted(app: App) -> None:
    async with app.as_user("eve") as http:
        await http.post("environments", json={"name": "mine", "source": "sklearn"})
        await finish(app, "mine", "a" * 32)
        assert (await http.put("default-environment", json={"name": "mine"})).json()["is_default"] is True
        script = {"script_name": "x.py", "script": "print(1)"}
        job = (await http.post("jobs", json=script)).json()
        assert job["environment"] == "mine"  # the domain's, since it named none
        [use] = [item for item in (await http.get("environments/mine")).json()["uses"] if item["kind"] == "job"]
        assert use["name"] == "x"
        refused = await http.delete("environments/mine")
        assert refused.status_code == 409 and "job x" in refused.text and "the domain's choice" in refused.text
        assert (await http.get("environments")).json()[0]["used_by"] == 2


async def test_the_store_is_cleared_only_where_it_is_this_homes_alone(app: App, tmp_path: Path) -> None:
    root = app.settings.paths.environments
    for name in ("0" * 32, "1" * 32):
        store.folder(root, name).mkdir(parents=True)
        (store.folder(root, name) / store.COMPLETE).write_text('{"bytes": 7}')
    async with app.as_user("ann", kind=Kind.operator) as http:
        # Nobody says what runs: nothing is taken away.
        assert (await http.post("http://studio/environments/collect", json={})).status_code == 503
        app.settings.environments = tmp_path / "shared"
        refused = await http.post("http://studio/environments/collect", json={})
        assert refused.status_code == 409 and "--shared" in refused.json()["error"]["hint"]
    assert all((store.folder(root, name) / store.COMPLETE).is_file() for name in ("0" * 32, "1" * 32))
