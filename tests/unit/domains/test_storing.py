"""The program that makes snapshots and restores them: whole or not at all, and going on where it was killed."""

import os
import threading
from pathlib import Path

import msgspec
import pytest

from studio.domains import storing
from studio.domains.storing import Report, Task


class Volume:
    """A folder that people write to, and where its snapshots lie."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.root = folder / "shared"
        self.snapshots = folder / "snapshots"
        (self.root / "work").mkdir(parents=True)
        (self.root / "work" / "a.txt").write_text("first")
        (self.root / "b.txt").write_text("first")

    def run(self, kind: str, name: str = "snap-1", folder: str = "", identity: str = "") -> Report:
        path = self.folder / f"{identity or name}-{kind}.json"
        task = Task(identity or name, kind, str(self.root), str(self.snapshots / name), folder)  # type: ignore[arg-type]
        path.write_bytes(msgspec.json.encode(task))
        return storing.run(path)

    def content(self) -> dict[str, str]:
        return {
            path.relative_to(self.root).as_posix(): path.read_text()
            for path in sorted(self.root.rglob("*"))
            if path.is_file() and ".studio" not in path.parts
        }


@pytest.fixture
def volume(tmp_path: Path) -> Volume:
    return Volume(tmp_path)


FIRST = {"b.txt": "first", "work/a.txt": "first"}


def test_a_snapshot_is_restored_beside_what_is_there(volume: Volume) -> None:
    made = volume.run("snapshot")
    assert (made.state, made.files, made.total, made.error) == ("Done", 2, 10, "")
    (volume.root / "b.txt").write_text("second")
    assert volume.run("restore", folder="back", identity="restore-1").state == "Done"
    restored = {f"back/{name}": text for name, text in FIRST.items()}
    assert volume.content() == {**restored, "b.txt": "second", "work/a.txt": "first"}
    assert volume.run("snapshot").state == "Done"  # the same once more does nothing
    failed = volume.run("restore", folder="back", identity="restore-2")
    assert failed.state == "Failed" and "already 'back'" in failed.error


def test_a_restore_in_place_takes_away_what_came_since_and_leaves_studios_own(volume: Volume) -> None:
    volume.run("snapshot")
    (volume.root / "b.txt").unlink()
    (volume.root / "b.txt").mkdir()
    (volume.root / "b.txt" / "x").write_text("second")
    (volume.root / "new").write_text("second")
    (volume.root / ".studio" / "jobs").mkdir(parents=True)
    (volume.root / ".studio" / "jobs" / "script.py").write_text("runs now")
    assert volume.run("restore", identity="restore-1").state == "Done"
    assert volume.content() == FIRST
    assert (volume.root / ".studio" / "jobs" / "script.py").exists()
    assert [path.name for path in (volume.root / ".studio").iterdir()] == ["jobs"]
    assert [path.name for path in volume.snapshots.iterdir()] == ["snap-1"]


def test_a_damaged_snapshot_changes_nothing(volume: Volume) -> None:
    volume.run("snapshot")
    (volume.snapshots / "snap-1" / "tree" / "b.txt").write_text("FIRST")
    (volume.root / "b.txt").write_text("second")
    for folder in ("", "back"):
        failed = volume.run("restore", folder=folder, identity=f"restore-{folder}1")
        assert failed.state == "Failed" and "'b.txt'" in failed.error
    assert volume.content() == {"b.txt": "second", "work/a.txt": "first"}
    assert [path.name for path in volume.snapshots.iterdir()] == ["snap-1"]


class Killed(BaseException):
    """The program ends here, as by kill -9: nothing after it is done, no report is written."""


@pytest.mark.parametrize("at", range(8))
def test_a_restore_that_was_killed_goes_on(volume: Volume, at: int, monkeypatch: pytest.MonkeyPatch) -> None:
    volume.run("snapshot")
    (volume.root / "b.txt").write_text("second")
    (volume.root / "new").write_text("second")
    real, count = os.rename, 0

    def rename(*args: object, **options: object) -> None:
        nonlocal count
        if count == at:
            raise Killed
        count += 1
        real(*args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "rename", rename)
    finished = False
    try:
        volume.run("restore", identity="restore-1")
        finished = True
    except Killed:
        monkeypatch.setattr(os, "rename", real)
        finished = volume.run("restore", identity="restore-1").state == "Done"
    assert finished
    assert volume.content() == FIRST
    assert [path.name for path in volume.snapshots.iterdir()] == ["snap-1"]


def test_a_snapshot_that_was_killed_is_made_anew(volume: Volume, monkeypatch: pytest.MonkeyPatch) -> None:
    def die(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(Path, "rename", die)
        with pytest.raises(Killed):
            volume.run("snapshot")
    left = volume.snapshots / ".making-snap-1"
    left.mkdir(exist_ok=True)  # a real kill leaves it
    (left / "half").touch()
    assert not (volume.snapshots / "snap-1").exists()
    assert volume.run("snapshot").state == "Done"
    assert [path.name for path in volume.snapshots.iterdir()] == ["snap-1"]


@pytest.mark.parametrize("plant", ["own folder", "its child"])
def test_links_planted_where_studio_puts_things_lead_nowhere(volume: Volume, tmp_path: Path, plant: str) -> None:
    volume.run("snapshot")
    victim = tmp_path / "victim"
    victim.mkdir()
    (victim / "restore-1").mkdir()
    (victim / "restore-1" / "precious").touch()
    if plant == "own folder":
        (volume.root / ".studio").symlink_to(victim)
    else:
        (volume.root / ".studio").mkdir()
        (volume.root / ".studio" / "restore-1").symlink_to(victim)
    failed = volume.run("restore", identity="restore-1")
    assert failed.state == "Failed" and failed.error
    assert (victim / "restore-1" / "precious").exists()
    assert {name: text for name, text in volume.content().items() if name in FIRST} == FIRST
    done = Task("space-1", "empty", str(volume.root), folder=".studio/restore-1")
    path = tmp_path / "space-1.json"
    path.write_bytes(msgspec.json.encode(done))
    storing.run(path)
    assert (victim / "restore-1" / "precious").exists()


def test_a_snapshot_while_links_are_swapped_in_holds_nothing_from_outside(volume: Volume, tmp_path: Path) -> None:
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "a.txt").write_text("secret")
    work, spare, link = volume.root / "work", volume.root / "spare", volume.root / "link"
    link.symlink_to(tmp_path / "secret")
    ended = threading.Event()

    def swap() -> None:
        while not ended.is_set():
            for old, new in ((work, spare), (link, work), (work, link), (spare, work)):
                old.rename(new)

    thread = threading.Thread(target=swap)
    thread.start()
    try:
        for number in range(30):
            done = volume.run("snapshot", f"snap-{number}")
            assert done.state == "Done", done.error
    finally:
        ended.set()
        thread.join()
    for path in volume.snapshots.rglob("*"):
        if not path.is_symlink() and path.is_file() and path.name == "a.txt":
            assert path.read_text() == "first"


def test_measuring_tells_every_folder(volume: Volume, tmp_path: Path) -> None:
    folders = {"shared": str(volume.root), "home/ann": str(tmp_path / "none")}
    path = tmp_path / "measure.json"
    path.write_bytes(msgspec.json.encode(Task("measure", "measure", domains={"demo": folders})))
    report = storing.run(path)
    assert report.use["demo"]["shared"].files == 2
    assert report.use["demo"]["home/ann"].disk == 0
    assert msgspec.json.decode(storing.report_path(path).read_bytes(), type=Report) == report
