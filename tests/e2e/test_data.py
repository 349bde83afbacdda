"""Data sets of a real domain: hashed and profiled in their owner's sandbox, never by the server."""

import hashlib
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from studio.client import Rest
from studio.errors import Denied, Invalid
from tests.e2e.killing import state
from tests.live import ROOT, Live, running, until

WEATHER = ROOT / "assets" / "data" / "seattle-weather.csv"


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    with running(tmp_path_factory.mktemp("data")) as started:
        yield started


@pytest.fixture
def api(live: Live) -> Iterator[Rest]:
    with live.operator() as client:
        yield client


@pytest.fixture
def shared(live: Live) -> Path:
    return live.settings.paths.shared("demo")


def register(api: Rest, name: str, path: str) -> Any:
    """The data set when it has been looked at."""
    api.post("domains/demo/datasets", {"name": name, "path": path})

    def look() -> Any:
        found = api.get(f"domains/demo/datasets/{name}", wait_s=5)
        return found if found["state"] != "Profiling" else None

    return until(look, f"the profile of {name}", 60)


def test_the_weather_is_profiled_in_the_sandbox(live: Live, api: Rest, shared: Path) -> None:
    shutil.copy(WEATHER, shared / "weather.csv")
    found = register(api, "weather", "shared/weather.csv")
    assert (found["state"], found["error"], found["version"]) == ("Ready", "", 1)
    assert found["hash"] == hashlib.sha256(WEATHER.read_bytes()).hexdigest()
    assert (found["rows"], found["columns"], found["bytes"]) == (1461, 6, WEATHER.stat().st_size)
    columns = {column["name"]: column for column in found["profile"]["columns"]}
    assert columns["weather"]["top"][0] == ["sun", 714]
    assert sum(columns["temp_max"]["histogram"]["counts"]) == 1461
    assert len(found["profile"]["head"]["rows"]) == 50
    # Nothing of the process is left, and it never ran outside.
    left = [service["name"] for box in state(live)["sandboxes"] for service in box["services"]]
    assert not [name for name in left if name.startswith("profile-")]
    sandbox = next(box for box in state(live)["sandboxes"] if box["domain"] == "demo")
    assert list((live.settings.paths.box(sandbox["id"]) / "out").glob("profile-*")) == []


def test_the_same_content_is_the_same_version_changed_content_the_next(api: Rest, shared: Path) -> None:
    (shared / "numbers.csv").write_text("x\n1\n2\n")
    assert register(api, "numbers", "shared/numbers.csv")["version"] == 1
    assert register(api, "numbers", "shared/numbers.csv")["version"] == 1
    (shared / "numbers.csv").write_text("x\n1\n2\n3\n")
    found = register(api, "numbers", "shared/numbers.csv")
    assert (found["version"], found["rows"]) == (2, 3)


def test_a_file_of_ones_own_folder(api: Rest, live: Live) -> None:
    user = api.get("session")["user"]
    (live.settings.paths.user("demo", user) / "own.jsonl").write_text('{"a": 1}\n{"a": 2}\n')
    assert register(api, "own", f"{user}/own.jsonl")["profile"]["columns"][0]["mean"] == 1.5


def test_what_cannot_be_read_fails_with_the_reason_and_keeps_its_versions(api: Rest, shared: Path) -> None:
    (shared / "mixed.csv").write_text("x\n1\n")
    register(api, "mixed", "shared/mixed.csv")
    (shared / "mixed.csv").write_bytes(bytes(range(256)))
    found = register(api, "mixed", "shared/mixed.csv")
    assert (found["state"], found["version"]) == ("Failed", 1)
    assert "not csv" in found["error"]


def test_links_and_ways_out_are_refused(api: Rest, shared: Path) -> None:
    (shared / "link.csv").symlink_to("/etc/passwd")
    (shared / "out").symlink_to("/etc")
    for path in ("shared/link.csv", "shared/out/passwd", "shared/../../../studio.db", "/etc/passwd"):
        with pytest.raises(Invalid):
            api.post("domains/demo/datasets", {"name": "x", "path": path})
    with pytest.raises(Denied):
        api.post("domains/demo/datasets", {"name": "x", "path": "somebody/x.csv"})
    assert "x" not in [item["name"] for item in api.get("domains/demo/datasets")]


def test_a_file_swapped_for_a_link_after_the_first_look_is_not_read(live: Live, api: Rest, shared: Path) -> None:
    """The server looks first, the sandbox reads later: in between the name may come to mean another file."""
    victim = live.settings.paths.home / "studio.db"
    (shared / "swap.csv").write_text("a,b\n1,2\n")
    api.post("domains/demo/datasets", {"name": "swap", "path": "shared/swap.csv"})
    (shared / "swap.csv").unlink()
    (shared / "swap.csv").symlink_to(victim)
    found = until(lambda: _settled(api, "swap"), "the end of the look", 60)
    assert found["state"] == "Failed" or found["hash"] == hashlib.sha256(b"a,b\n1,2\n").hexdigest()


def _settled(api: Rest, name: str) -> Any:
    found = api.get(f"domains/demo/datasets/{name}")
    return found if found["state"] != "Profiling" else None
