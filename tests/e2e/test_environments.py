"""A domain's own environment in a running Studio: what runs keeps what it started from, what comes has the new one."""

import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from studio.client import Rest
from studio.environments import build, definitions, store
from studio.settings import Settings
from tests.live import ENVIRONMENTS, Live, until

LONG = """
import mlflow, pathlib, time
with mlflow.start_run():
    print("begun", flush=True)
    while not pathlib.Path("go").exists():
        time.sleep(0.05)
"""
SHORT = "import os; print(os.environ['STUDIO_ENVIRONMENT'], os.environ['STUDIO_ENVIRONMENT_HASH'])"


class Own:
    """A home with a store of its own, in which two environments are built: the catalogue's, and one like it that was
    locked for one package more."""

    def __init__(self, home: Path) -> None:
        shared = definitions.parse((Settings().assets / "environments" / "sklearn.toml").read_text(), "sklearn.toml")
        ENVIRONMENTS.mkdir(parents=True, exist_ok=True)
        with (ENVIRONMENTS / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            self.shared = build.build(shared, ENVIRONMENTS)
        self.packages = [*shared.packages, "numpy"]
        text = store.lock_path(ENVIRONMENTS, shared).read_text()
        root = home / "environments"
        (root / "locks").mkdir(parents=True)
        store.lock_path(root, shared).write_text(text)
        more = definitions.Definition("mine", "", "", tuple(self.packages), shared.preload)
        store.lock_path(root, more).write_text(text + "\n")
        self.first = store.content_hash(text + "\n")
        for name in (self.shared, self.first):
            source, folder = store.folder(ENVIRONMENTS, self.shared), store.folder(root, name)
            shutil.copytree(source, folder, symlinks=True, copy_function=os.link, ignore=lambda *_: [store.COMPLETE])
            shutil.copy(source / store.COMPLETE, folder)
        self.live = Live(home)
        del self.live.variables["STUDIO_ENVIRONMENTS"]
        self.live.settings = Settings(home=home)


pytestmark = pytest.mark.soak


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Own]:
    found = Own(tmp_path_factory.mktemp("environments"))
    try:
        found.live.start()
        yield found
    finally:
        found.live.stop()


@pytest.fixture
def api(own: Own) -> Iterator[Rest]:
    with own.live.operator() as client:
        yield client


def test_what_runs_keeps_its_environment_and_what_comes_has_the_new_one(own: Own, api: Rest) -> None:
    body = {"name": "mine", "packages": own.packages, "preload": ["pandas"]}
    api.post("domains/demo/environments", body)
    mine = until(lambda: ready(api, 1), "the first version")
    assert mine["hash"] == own.first

    long = api.post("domains/demo/jobs", {"script_name": "long.py", "script": LONG, "environment": "mine"})
    until(lambda: "begun" in api.get(f"domains/demo/jobs/{long['id']}/log")["text"], "the first job", 120)
    found = api.get(f"domains/demo/jobs/{long['id']}")
    assert (found["environment"], found["environment_hash"]) == ("mine", own.first)
    tags = api.get(f"domains/demo/runs/{found['run_ids'][0]}")["tags"]
    assert (tags["studio.environment"], tags["studio.environment_hash"]) == ("mine", own.first)
    specs = own.live.settings.paths.box(f"demo.{found['owner']}") / "in" / "kernels"
    until((specs / "mine" / "kernel.json").is_file, "its kernelspec in the running sandbox")

    api.post("domains/demo/environments/mine/versions", {"remove": ["numpy"]})
    assert until(lambda: ready(api, 2), "the second version")["hash"] == own.shared
    short = api.post("domains/demo/jobs", {"script_name": "short.py", "script": SHORT, "environment": "mine"})
    until(lambda: api.get(f"domains/demo/jobs/{short['id']}")["state"] == "Completed", "the second job", 120)
    assert api.get(f"domains/demo/jobs/{short['id']}/log")["text"] == f"mine {own.shared}\n"
    assert api.get(f"domains/demo/jobs/{short['id']}")["environment_hash"] == own.shared
    until(lambda: spec_hash(specs) == own.shared, "the kernelspec of the new version")

    # The first goes on, from the folder that it has: that is why it is not collected.
    [use] = [use for use in api.get("domains/demo/environments/mine")["uses"] if use["kind"] == "job"]
    assert (use["name"], use["hash"]) == ("long", own.first)
    assert api.post("environments/collect", {})["hashes"] == []
    (own.live.settings.paths.user("demo", found["owner"]) / "go").touch()
    until(lambda: api.get(f"domains/demo/jobs/{long['id']}")["state"] == "Completed", "the end of the first job", 60)
    until(lambda: api.post("environments/collect", {})["hashes"] == [own.first], "the older folder's end")
    states = {item["number"]: item["state"] for item in own.live.json("env", "versions", "mine")}
    assert states == {1: "NotBuilt", 2: "Ready"}
    own.live.studio("env", "delete", "mine")
    until(lambda: not (specs / "mine").exists(), "the end of its kernelspec")


def ready(api: Rest, number: int) -> Any:
    """The environment once that version is the one in use."""
    found = api.get("domains/demo/environments/mine")
    assert found["state"] != "Failed", found["error"]
    return found if found["current"] == number else None


def spec_hash(specs: Path) -> str:
    return str(json.loads((specs / "mine" / "kernel.json").read_text())["metadata"]["environment"]["hash"])
