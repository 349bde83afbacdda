"""Data sets through the routes on the real store; what the sandbox's process reports is made here."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from studio.data import datasets, profile
from studio.data.decide import ATTEMPTS, LONGEST_S, Fail, Finish, Observed, Start, Wait, decide
from studio.data.paths import VolumePath, parse
from studio.data.reports import Report
from studio.errors import Conflict, Denied, Invalid
from tests.unit import rest_app
from tests.unit.rest_app import App


@pytest.fixture
async def app(tmp_path: Path) -> AsyncIterator[App]:
    async with rest_app.running(tmp_path / "home") as started:
        folder = started.settings.paths.shared("demo")
        folder.mkdir(parents=True)
        (folder / "a.csv").write_text("x\n1\n2\n")
        yield started


async def profile_it(app: App, name: str) -> None:
    """What the loop does when the process in the sandbox has ended."""
    waiting = await app.store.read(lambda db: datasets.get(db, "demo", name))
    report = profile.look(app.settings.paths.shared("demo"), waiting.path.removeprefix("shared/"))
    await app.store.write(lambda db: datasets.finish(db, waiting, report))


async def test_same_content_is_the_same_version_and_changed_content_the_next(app: App) -> None:
    async with app.as_user("eve") as http:
        body = {"name": "numbers", "path": "shared/a.csv"}
        answer = await http.post("datasets", json=body)
        assert (answer.status_code, answer.json()["state"], answer.json()["version"]) == (202, "Profiling", None)
        await profile_it(app, "numbers")
        first = (await http.get("datasets/numbers?wait_s=5")).json()
        assert (first["state"], first["version"], first["rows"], first["columns"], first["bytes"]) == (
            "Ready",
            1,
            2,
            1,
            6,
        )
        assert first["profile"]["columns"][0]["mean"] == 1.5
        await http.post("datasets", json=body)
        await profile_it(app, "numbers")
        assert (await http.get("datasets/numbers")).json()["version"] == 1
        (app.settings.paths.shared("demo") / "a.csv").write_text("x\n5\n")
        await http.post("datasets", json=body)
        await profile_it(app, "numbers")
        second = (await http.get("datasets/numbers")).json()
        assert (second["version"], [item["version"] for item in second["versions"]]) == (2, [2, 1])
        assert second["hash"] != first["hash"]
        old = (await http.get("datasets/numbers?version=1")).json()
        assert old["profile"] == first["profile"]
        [listed] = (await http.get("datasets")).json()
        assert (listed["name"], listed["version"], listed["rows"]) == ("numbers", 2, 1)


async def test_going_back_to_an_old_content_goes_back_to_its_version(app: App) -> None:
    async with app.as_user("eve") as http:
        for text in ("x\n1\n", "x\n2\n", "x\n1\n"):
            (app.settings.paths.shared("demo") / "a.csv").write_text(text)
            await http.post("datasets", json={"name": "numbers", "path": "shared/a.csv"})
            await profile_it(app, "numbers")
        found = (await http.get("datasets/numbers")).json()
        assert (found["version"], len(found["versions"])) == (1, 2)


async def test_a_failed_look_keeps_the_versions(app: App) -> None:
    async with app.as_user("eve") as http:
        body = {"name": "numbers", "path": "shared/a.csv"}
        await http.post("datasets", json=body)
        await profile_it(app, "numbers")
        await http.post("datasets", json=body)
        waiting = await app.store.read(lambda db: datasets.get(db, "demo", "numbers"))
        await app.store.write(lambda db: datasets.finish(db, waiting, Report(error="It is a picture.")))
        found = (await http.get("datasets/numbers")).json()
        assert (found["state"], found["error"], found["version"]) == ("Failed", "It is a picture.", 1)


async def test_a_late_result_does_not_overwrite_a_newer_request(app: App) -> None:
    (app.settings.paths.shared("demo") / "b.csv").write_text("x\n9\n")
    async with app.as_user("eve") as http:
        await http.post("datasets", json={"name": "numbers", "path": "shared/a.csv"})
        old = await app.store.read(lambda db: datasets.get(db, "demo", "numbers"))
        again = (await http.post("datasets", json={"name": "numbers", "path": "shared/a.csv"})).json()
        assert again["state"] == "Profiling"
        await http.post("datasets", json={"name": "numbers", "path": "shared/b.csv"})
    with pytest.raises(Conflict):
        await app.store.write(lambda db: datasets.fail(db, old, "late"))
    waiting = await app.store.read(datasets.profiling)
    assert [(item.path, item.state) for item in waiting] == [("shared/b.csv", "Profiling")]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"name": "", "path": "shared/a.csv"}, 400),
        ({"name": "../x", "path": "shared/a.csv"}, 400),
        ({"name": "x", "path": ""}, 400),
        ({"name": "x", "path": "/etc/passwd"}, 400),
        ({"name": "x", "path": "shared/../../../etc/passwd"}, 400),
        ({"name": "x", "path": "shared"}, 400),
        ({"name": "x", "path": "shared/folder"}, 400),
        ({"name": "x", "path": "shared/link.csv"}, 400),
        ({"name": "x", "path": "shared/empty.csv"}, 400),
        ({"name": "x", "path": "shared/nope.csv"}, 404),
        ({"name": "x", "path": "bob/a.csv"}, 403),
        ({"name": "x", "path": "shared/a.csv", "more": 1}, 400),
        ({"name": "x"}, 400),
    ],
)
async def test_what_cannot_be_registered_says_why_and_leaves_nothing(
    app: App, body: dict[str, object], status: int
) -> None:
    folder = app.settings.paths.shared("demo")
    (folder / "folder").mkdir()
    (folder / "link.csv").symlink_to("/etc/passwd")
    (folder / "empty.csv").touch()
    async with app.as_user("eve") as http:
        answer = await http.post("datasets", json=body)
        assert answer.status_code == status, answer.text
        assert answer.json()["error"]["hint"]
        assert (await http.get("datasets")).json() == []


async def test_viewers_read_only(app: App) -> None:
    async with app.as_user("vic") as http:
        answer = await http.post("datasets", json={"name": "numbers", "path": "shared/a.csv"})
        assert answer.status_code == 403
        assert (await http.get("datasets")).json() == []
        assert (await http.get("datasets/numbers")).status_code == 404


def test_paths_as_the_owner_sees_them() -> None:
    assert parse("shared/a/b.csv", "eve") == VolumePath(True, ("a", "b.csv"))
    assert parse("/volume/eve/b.csv", "eve") == VolumePath(False, ("b.csv",))
    assert parse("eve/./b.csv", "eve") == VolumePath(False, ("b.csv",))
    for path in ("a\0b", "shared/a\nb", "shared\\..\\x", "..", "shared/..", "shared//", "x" * 2000):
        with pytest.raises((Invalid, Denied)):
            parse(path, "eve")


def test_a_look_is_tried_again_and_then_given_up() -> None:
    report = Report(hash="0" * 64)
    assert decide(Observed(None, False, False, 0)) == Wait()
    assert decide(Observed(None, False, True, 0)) == Start()
    assert decide(Observed(None, True, True, 1)) == Wait()
    assert decide(Observed(report, True, True, 1)) == Finish(report)
    assert decide(Observed(report, False, False, ATTEMPTS)) == Finish(report)
    failed = decide(Observed(None, False, True, ATTEMPTS, "It reached the limit of its memory."))
    assert isinstance(failed, Fail)
    assert "memory" in failed.error
    assert isinstance(decide(Observed(None, True, True, 1, running_s=LONGEST_S + 1)), Fail)
