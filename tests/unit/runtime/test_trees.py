"""Copies of folders: what is in them, what never gets in, and that a damaged one is found out."""

import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from studio.errors import Conflict, TooLarge
from studio.runtime import trees

MIB = 1 << 20


@pytest.fixture
def source(tmp_path: Path) -> Path:
    root = tmp_path / "source"
    (root / "a" / "empty").mkdir(parents=True)
    (root / "a" / "x.csv").write_text("1,2\n")
    (root / "run.sh").write_text("#!/bin/sh\n")
    (root / "run.sh").chmod(0o755)
    os.utime(root / "a" / "x.csv", ns=(1_000_000_000, 1_000_000_000))
    return root


def test_a_copy_is_the_same_with_modes_times_and_links(source: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    (source / "out").symlink_to(tmp_path / "secret")
    (source / "a" / "up").symlink_to("../run.sh")
    os.mkfifo(source / "pipe")
    made = trees.copy(source, tmp_path / "copy")
    copy = tmp_path / "copy"
    assert (copy / "a" / "x.csv").read_text() == "1,2\n"
    assert (copy / "a" / "x.csv").stat().st_mtime_ns == 1_000_000_000
    assert (copy / "run.sh").stat().st_mode & 0o777 == 0o755
    assert (copy / "a" / "empty").is_dir()
    # A link stays what it is: text. What it points at is not in the copy.
    assert (copy / "out").readlink() == tmp_path / "secret"
    assert made.skipped == ["pipe"] and made.changed == []
    assert made.files == 2 and "secret" not in {item.path for item in made.items}
    trees.same(made, trees.copy(copy, tmp_path / "again"))


def test_a_set_user_id_bit_is_not_copied(source: Path, tmp_path: Path) -> None:
    (source / "run.sh").chmod(0o4755)
    trees.copy(source, tmp_path / "copy")
    assert (tmp_path / "copy" / "run.sh").stat().st_mode & 0o7777 == 0o755


@pytest.mark.parametrize("damage", ["changed", "missing", "more", "link"])
def test_a_damaged_copy_is_named(source: Path, tmp_path: Path, damage: str) -> None:
    made = trees.copy(source, tmp_path / "copy")
    victim = tmp_path / "copy" / "a" / "x.csv"
    match damage:
        case "changed":
            victim.write_text("1,3\n")
        case "missing":
            victim.unlink()
        case "more":
            (tmp_path / "copy" / "a" / "x.csv2").touch()
        case "link":
            victim.unlink()
            victim.symlink_to("/etc/hostname")
    with pytest.raises(Conflict, match=r"a/x\.csv"):
        trees.same(made, trees.copy(tmp_path / "copy", tmp_path / "again"))


def test_holes_stay_holes(tmp_path: Path) -> None:
    (tmp_path / "source").mkdir()
    with (tmp_path / "source" / "sparse").open("wb") as file:
        file.write(b"begin")
        file.seek(8 * MIB)
        file.write(b"middle")
        file.truncate(16 * MIB)
    made = trees.copy(tmp_path / "source", tmp_path / "copy")
    copied = tmp_path / "copy" / "sparse"
    assert copied.stat().st_size == 16 * MIB and copied.stat().st_blocks * 512 < MIB
    assert made.items[0].sha256 == trees.copy(tmp_path / "copy", tmp_path / "again").items[0].sha256


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 300_000), st.binary(min_size=1, max_size=50)), max_size=6), st.integers(0, 9))
def test_any_file_is_copied_byte_by_byte(pieces: list[tuple[int, bytes]], more: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        (root / "source").mkdir()
        with (root / "source" / "f").open("wb") as file:
            for at, data in pieces:
                file.seek(at)
                file.write(data)
            file.truncate(max((at + len(data) for at, data in pieces), default=0) + more)
        trees.copy(root / "source", root / "copy")
        assert (root / "copy" / "f").read_bytes() == (root / "source" / "f").read_bytes()


def test_a_file_that_never_stands_still_is_said(source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (source / "log").write_bytes(b"x" * MIB)
    calls: list[str] = []
    real = trees._copy_data

    def copy_data(read: int, write: int, size: int) -> None:
        # Somebody writes at the worst moment: to one file each time, to the other only the first time.
        name = Path(f"/proc/self/fd/{read}").readlink().name
        calls.append(name)
        if name == "log" or (name == "run.sh" and calls.count(name) == 1):
            with (source / name).open("ab") as file:
                file.write(b"more")
        real(read, write, size)

    monkeypatch.setattr(trees, "_share", lambda *_: False)
    monkeypatch.setattr(trees, "_copy_data", copy_data)
    made = trees.copy(source, tmp_path / "copy")
    assert made.changed == ["log"]
    assert (calls.count("log"), calls.count("run.sh"), calls.count("x.csv")) == (3, 2, 1)
    assert (tmp_path / "copy" / "run.sh").read_text() == "#!/bin/sh\nmore"


def test_use_counts_a_hard_link_once_and_leaves_out(source: Path) -> None:
    (source / "big").write_bytes(b"1" * MIB)
    before = trees.measure(source)
    os.link(source / "big", source / "a" / "again")
    (source / ".studio").mkdir()
    (source / ".studio" / "own").write_bytes(b"1" * MIB)
    found = trees.measure(source, [".studio"])
    assert (found.disk, found.files) == (before.disk, before.files)
    assert trees.measure(source).disk >= before.disk + MIB
    assert trees.measure(source / "none") == trees.Use()


def test_too_much_is_refused_before_anything_is_copied(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (source / "bomb").open("wb") as file:
        file.truncate(trees.MOST_BYTES + 1)
    with pytest.raises(TooLarge, match="1024 GiB"):
        trees.check_room(source, tmp_path)
