"""The jobs' routes on the real store: what is refused, what is written, who may."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from studio.jobs import jobs
from studio.jobs.states import State
from tests.unit import rest_app
from tests.unit.rest_app import App

SCRIPT = {"script_name": "train.py", "script": "print(1)\n"}


@pytest.fixture
async def app(tmp_path: Path) -> AsyncIterator[App]:
    async with rest_app.running(tmp_path / "home") as started:
        yield started


def staged(app: App, user: str) -> list[Path]:
    """All files below the folder that jobs of `user` are staged in."""
    root = app.settings.paths.user("demo", user) / ".studio"
    return [path for path in root.rglob("*") if path.is_file()]


async def test_a_job_is_queued_with_its_script_staged(app: App) -> None:
    async with app.as_user("eve") as http:
        answer = await http.post("jobs", json=SCRIPT | {"params": {"depth": 3, "fast": True}, "name": "retrain"})
        job = answer.json()
        assert answer.status_code == 202
        assert (job["state"], job["owner"], job["name"]) == ("Queued", "eve", "retrain")
        assert job["params"] == {"depth": "3", "fast": "true"}
        assert (job["environment"], job["instance_type"], job["run_ids"], job["cost"]) == (
            "sklearn",
            "std.small",
            [],
            0,
        )
        [file] = staged(app, "eve")
        assert file.read_text() == SCRIPT["script"]
        assert job["id"] in file.parts
        assert [item["id"] for item in (await http.get("jobs")).json()] == [job["id"]]
        assert (await http.get(f"jobs/{job['id']}")).json() == job
        log = (await http.get(f"jobs/{job['id']}/log")).json()
        assert log == {"text": "", "next_offset": 0, "done": False}


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ({"script": "x ="}, 400, "line 1"),
        ({"script_name": "../x.py"}, 400, "script's name"),
        ({"environment": "nope"}, 404, "nope"),
        ({"instance_type": "std.huge"}, 404, "std.huge"),
        ({"params": {"a b": 1}}, 400, "a b"),
        ({"params": {"a": [1]}}, 400, "params"),
        ({"name": "x" * 201}, 400, "name"),
        ({"script": "#" * 1_100_000}, 413, "bytes"),
        ({"unknown": 1}, 400, "unknown"),
    ],
)
async def test_what_cannot_be_a_job_is_refused_and_nothing_is_left(
    app: App, body: dict[str, object], status: int, words: str
) -> None:
    async with app.as_user("eve") as http:
        answer = await http.post("jobs", json=SCRIPT | body)
        assert answer.status_code == status
        assert words in answer.json()["error"]["message"]
        assert answer.json()["error"]["hint"]
        assert (await http.get("jobs")).json() == []
    assert staged(app, "eve") == []


async def test_a_link_in_the_owners_folder_is_not_followed(app: App, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    home = app.settings.paths.user("demo", "eve")
    home.mkdir(parents=True)
    (home / ".studio").symlink_to(outside)
    async with app.as_user("eve") as http:
        answer = await http.post("jobs", json=SCRIPT)
        assert answer.status_code == 400
        assert "link" in answer.json()["error"]["message"]
        assert (await http.get("jobs")).json() == []
    assert list(outside.iterdir()) == []


async def test_viewers_and_strangers_start_nothing(app: App) -> None:
    for user in ("vic", "stranger"):
        async with app.as_user(user) as http:
            assert (await http.post("jobs", json=SCRIPT)).status_code == 403
    async with app.as_user("vic") as http:
        assert (await http.get("jobs")).status_code == 200
    async with app.as_user("stranger") as http:
        assert (await http.get("jobs")).status_code == 403


async def test_another_domains_jobs_are_not_there(app: App) -> None:
    async with app.as_user("eve") as http:
        job = (await http.post("jobs", json=SCRIPT)).json()
        assert (await http.get(f"http://studio/domains/other/jobs/{job['id']}")).status_code == 403
    assert await app.store.read(lambda db: jobs.list_all(db, "other")) == []


async def test_stopping_is_the_owners_and_the_admins(app: App) -> None:
    async with app.as_user("eve") as eve, app.as_user("bob") as bob, app.as_user("ann") as ann:
        first, second = [(await eve.post("jobs", json=SCRIPT)).json()["id"] for _ in range(2)]
        assert (await bob.post(f"jobs/{first}/stop")).status_code == 403
        assert (await ann.post(f"jobs/{first}/stop")).status_code == 202
        assert (await eve.post(f"jobs/{second}/stop")).json()["reason"] == "It is being stopped."
        assert (await eve.post("jobs/job-none/stop")).status_code == 404
        found = await app.store.read(lambda db: jobs.get(db, "demo", first))
        await app.store.write(lambda db: jobs.end(db, found, State.stopped, "It was stopped."))
        answer = await eve.post(f"jobs/{first}/stop")
        assert (answer.status_code, answer.json()["error"]["code"]) == (409, "CONFLICT")


async def test_the_log_is_read_in_pieces_and_done_at_the_end(app: App) -> None:
    async with app.as_user("eve") as http:
        job_id = (await http.post("jobs", json=SCRIPT)).json()["id"]
        folder = app.settings.paths.logs / "demo.eve"
        folder.mkdir(parents=True)
        (folder / f"{job_id}.log").write_text("é" * 200_000)
        first = (await http.get(f"jobs/{job_id}/log")).json()
        assert not first["done"]
        found = await app.store.read(lambda db: jobs.get(db, "demo", job_id))
        await app.store.write(lambda db: jobs.end(db, jobs.start(db, found), State.completed, "", exit_code=0))
        text, part = first["text"], first
        while not part["done"]:
            part = (await http.get(f"jobs/{job_id}/log", params={"offset": part["next_offset"]})).json()
            text += part["text"]
        assert text == "é" * 200_000
        ended = (await http.get(f"jobs/{job_id}?wait_s=5")).json()
        assert (ended["state"], ended["exit_code"]) == ("Completed", 0)


async def test_a_finished_job_does_not_start_again(app: App) -> None:
    async with app.as_user("eve") as http:
        job_id = (await http.post("jobs", json=SCRIPT)).json()["id"]
    found = await app.store.read(lambda db: jobs.get(db, "demo", job_id))
    await app.store.write(lambda db: jobs.end(db, found, State.failed, "gone"))
    with pytest.raises(Exception, match="cannot become"):
        await app.store.write(lambda db: jobs.start(db, found))
    assert await app.store.read(jobs.active) == []
