"""Backups are whole and read back; a restore is whole or not at all; nothing in a backup leads out of the new home."""

import io
import os
import shutil
import sqlite3
import tarfile
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from studio.errors import AlreadyExists, Conflict, Invalid, NotFound, StudioError
from studio.runtime import process
from studio.settings import Settings
from studio.supervisor import backup, records
from studio.supervisor.archives import Item, Manifest
from studio.supervisor.backup import backup as back_up
from studio.supervisor.restoring import restore

FORMS = ["backup", "backup.tar", "backup.tar.gz"]


@pytest.fixture
def home(tmp_path: Path, migrated: Path) -> Settings:
    """A home with one of everything."""
    settings = Settings(home=tmp_path / "home")
    shared = settings.paths.shared("demo")
    shared.mkdir(parents=True)
    shutil.copy(migrated, settings.paths.database)
    (shared / "out").symlink_to("/etc/passwd")
    (shared / "notebook.ipynb").write_text("{}")
    os.mkfifo(shared / "pipe")
    (settings.paths.keys).mkdir()
    (settings.paths.keys / "master").write_text("the master key")
    (settings.paths.keys / "master").chmod(0o600)
    (settings.paths.artifacts / ".uploads").mkdir(parents=True)
    (settings.paths.artifacts / ".uploads" / "half").touch()
    (settings.paths.artifacts / "demo").mkdir()
    (settings.paths.artifacts / "demo" / "model.pkl").write_bytes(os.urandom(100_000))
    (settings.paths.run / "sandboxes").mkdir(parents=True)
    (settings.paths.run / "supervisor.lock").touch()
    (settings.paths.environments / "store" / "x").mkdir(parents=True)
    (settings.paths.environments / "store" / "x" / "python").symlink_to("/usr/bin/python3")
    (settings.paths.home / "domains" / "demo" / "users" / "empty").mkdir(parents=True)
    return settings


def content(root: Path) -> dict[str, str]:
    """Every path with what is there."""
    found = {}
    for path in root.rglob("*"):
        text = str(path.readlink()) if path.is_symlink() else path.read_bytes().hex() if path.is_file() else "folder"
        found[path.relative_to(root).as_posix()] = text
    return found


@pytest.mark.parametrize("form", FORMS)
def test_a_restored_home_is_the_one_that_was_backed_up(home: Settings, tmp_path: Path, form: str) -> None:
    done = back_up(home, tmp_path / form)
    assert (done.files, done.database, done.changed) == (4, "sqlite", [])
    assert done.skipped == ["domains/demo/shared/pipe"]
    assert any("keys" in note for note in done.notes)
    other = Settings(home=tmp_path / "deep" / "other")
    restored = restore(other, tmp_path / form)
    assert (restored.files, restored.aside) == (4, "")
    expected = content(home.paths.home)
    for name in ("domains/demo/shared/pipe", "artifacts/.uploads", "artifacts/.uploads/half"):
        del expected[name]
    run = {name for name in expected if name.split("/")[0] == "run"}
    database = {name for name in expected if name.startswith("studio.db")}
    found = content(other.paths.home)
    assert set(found) == (set(expected) - run - database) | {"studio.db"}
    assert {name: found[name] for name in set(found) - {"studio.db"}} == {
        name: expected[name] for name in set(expected) - run - database
    }
    assert (other.paths.keys / "master").stat().st_mode & 0o777 == 0o600
    assert other.paths.home.stat().st_mode & 0o777 == 0o700
    source = home.paths.artifacts / "demo" / "model.pkl"
    assert (other.paths.artifacts / "demo" / "model.pkl").stat().st_mtime_ns == source.stat().st_mtime_ns
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_every_write_acknowledged_before_is_in_it_and_no_half_one(home: Settings, tmp_path: Path) -> None:
    with closing(sqlite3.connect(home.paths.database)) as db:
        db.execute("CREATE TABLE pairs (a INTEGER, b INTEGER)")
    ended, written = threading.Event(), [0]

    def write() -> None:
        with closing(sqlite3.connect(home.paths.database, timeout=30)) as db:
            number = 0
            while not ended.is_set():
                number += 1
                with db:
                    db.execute("INSERT INTO pairs VALUES (?, 0)", (number,))
                    db.execute("UPDATE pairs SET b = a WHERE a = ?", (number,))
                written[0] = number

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for number in range(5):
            while written[0] < (number + 1) * 3:
                assert writer.is_alive()
            before = written[0]
            back_up(home, tmp_path / f"{number}.tar")
            other = Settings(home=tmp_path / f"other{number}")
            restore(other, tmp_path / f"{number}.tar")
            with closing(sqlite3.connect(other.paths.database)) as db:
                highest, count, whole = db.execute("SELECT max(a), count(*), sum(a = b) FROM pairs").fetchone()
            assert before <= highest == count == whole
    finally:
        ended.set()
        writer.join()


def test_environments_and_postgresql_are_said_to_be_missing(home: Settings, tmp_path: Path) -> None:
    done = back_up(home, tmp_path / "a", environments=False)
    assert any("built again" in note for note in done.notes)
    assert not (tmp_path / "a" / "home" / "environments").exists()
    elsewhere = home.model_copy(update={"database_url": "postgresql://ann:secret@db/studio"})
    done = back_up(elsewhere, tmp_path / "b.tar")
    assert done.database == "postgresql" and any("NOT in it" in note for note in done.notes)
    assert "secret" not in str(done)
    restored = restore(Settings(home=tmp_path / "other"), tmp_path / "b.tar")
    assert any("restore its dump" in note for note in restored.notes)
    assert not (tmp_path / "other" / "studio.db").exists()


def test_a_backup_never_overwrites_and_never_holds_itself(home: Settings, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("precious")
    with pytest.raises(AlreadyExists):
        back_up(home, tmp_path / "taken")
    with pytest.raises(Invalid, match="in the home itself"):
        back_up(home, home.paths.home / "backup")
    with pytest.raises(NotFound):
        back_up(Settings(home=tmp_path / "nothing"), tmp_path / "x")
    home.paths.database.write_bytes(b"not a database at all" * 100)
    with pytest.raises(Conflict, match="database"):
        back_up(home, tmp_path / "x.tar")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["home", "taken"]


def test_a_home_is_not_overwritten(home: Settings, tmp_path: Path) -> None:
    back_up(home, tmp_path / "backup.tar")
    with pytest.raises(Conflict, match="not empty"):
        restore(home, tmp_path / "backup.tar")
    (home.paths.home / "precious").write_text("mine")
    done = restore(home, tmp_path / "backup.tar", force=True)
    assert (Path(done.aside) / "precious").read_text() == "mine"
    assert not (home.paths.home / "precious").exists()
    assert (home.paths.keys / "master").read_text() == "the master key"
    # An empty folder may be there.
    (tmp_path / "empty").mkdir()
    restore(Settings(home=tmp_path / "empty"), tmp_path / "backup.tar")


def test_a_home_on_which_something_runs_is_left_alone(home: Settings, tmp_path: Path) -> None:
    back_up(home, tmp_path / "backup.tar")
    own = process.handle(os.getpid())
    assert own is not None
    records.write(home.paths.run / "server.json", records.KeptRecord(own, 1))
    with pytest.raises(Conflict, match="studio down"):
        restore(home, tmp_path / "backup.tar", force=True)
    assert (home.paths.keys / "master").exists()


def _flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    at = data.index(b"the master key")
    data[at] ^= 1
    path.write_bytes(data)


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-30_000])


@pytest.mark.parametrize("damage", [_flip, _cut, lambda path: path.write_bytes(b"")])
def test_a_damaged_backup_changes_nothing(home: Settings, tmp_path: Path, damage: Callable[[Path], object]) -> None:
    back_up(home, tmp_path / "backup.tar")
    damage(tmp_path / "backup.tar")
    with pytest.raises(StudioError):
        restore(Settings(home=tmp_path / "other"), tmp_path / "backup.tar")
    before = content(home.paths.home / "keys")
    with pytest.raises(StudioError):
        restore(home, tmp_path / "backup.tar", force=True)
    assert content(home.paths.home / "keys") == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["backup.tar", "home"]


def _tar(path: Path, manifest: Manifest, *members: tuple[tarfile.TarInfo, bytes]) -> Path:
    with tarfile.open(path, "w") as tar:
        for info, data in members:
            info.size = len(data) if info.isreg() else 0
            tar.addfile(info, io.BytesIO(data))
        info, data = tarfile.TarInfo("manifest.json"), msgspec.json.encode(manifest)
        info.size = len(data)
        tar.addfile(info, io.BytesIO(data))
    return path


def _member(name: str, kind: bytes = tarfile.REGTYPE, target: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


EMPTY = Manifest(backup.FORMAT, "1", 1, "/h", "postgresql", "")


@pytest.mark.parametrize(
    "name", ["../out", "/etc/out", "home/../../out", "home//out", "home/./x", "elsewhere/x", "home", "home/x\\..\\y/.."]
)
def test_names_that_lead_out_are_refused(tmp_path: Path, name: str) -> None:
    source = _tar(tmp_path / "evil.tar", EMPTY, (_member(name), b"evil"))
    with pytest.raises(StudioError):
        restore(Settings(home=tmp_path / "h" / "home"), source)
    assert [path.name for path in tmp_path.rglob("*") if path.name not in ("h", "evil.tar")] == []


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE])
def test_links_in_a_backup_lead_no_file_out(tmp_path: Path, kind: bytes) -> None:
    victim = tmp_path / "victim"
    victim.mkdir()
    (victim / "precious").write_text("precious")
    link = _member("home/way", kind, str(victim))
    through = (_member("home/way/precious"), b"evil")
    source = _tar(tmp_path / "evil.tar", EMPTY, (link, b""), through)
    with pytest.raises(StudioError):
        restore(Settings(home=tmp_path / "one"), source)
    # The manifest may name a link too: then a file below it has no place, whichever comes first.
    way = Item("way", "link", target=str(victim))
    digest = "e7e3b8ac5f2a9c8d"
    for items in ([way, Item("way/precious", sha256=digest)], [way, Item("way/new", "folder")]):
        source = _tar(tmp_path / "evil2.tar", msgspec.structs.replace(EMPTY, items=items))
        with pytest.raises((StudioError, OSError)):
            restore(Settings(home=tmp_path / "two"), source)
    # A link on its own is only text.
    source = _tar(tmp_path / "fine.tar", msgspec.structs.replace(EMPTY, items=[way]))
    restore(Settings(home=tmp_path / "three"), source)
    assert (tmp_path / "three" / "way").readlink() == victim
    assert (victim / "precious").read_text() == "precious" and len(list(victim.iterdir())) == 1
    assert not (tmp_path / "one").exists() and not (tmp_path / "two").exists()


def test_a_folder_form_with_planted_links_and_devices_gives_nothing_from_outside(
    home: Settings, tmp_path: Path
) -> None:
    back_up(home, tmp_path / "backup")
    model = tmp_path / "backup" / "home" / "artifacts" / "demo" / "model.pkl"
    model.unlink()
    model.symlink_to("/etc/passwd")
    with pytest.raises(Conflict, match=r"model\.pkl"):
        restore(Settings(home=tmp_path / "other"), tmp_path / "backup")
    shutil.rmtree(tmp_path / "backup" / "home" / "keys")
    os.mkfifo(tmp_path / "backup" / "home" / "keys")
    with pytest.raises(Conflict):
        restore(Settings(home=tmp_path / "other"), tmp_path / "backup")
