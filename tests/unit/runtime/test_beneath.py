"""Nothing that somebody plants in a folder, or swaps there meanwhile, leads out of it or holds anybody up."""

import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.errors import Invalid, NotFound, StudioError, TooLarge
from studio.runtime import beneath


@pytest.fixture(params=["openat2", "walk"])
def root(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder beside a secret, with the kernel's help and without."""
    if request.param == "walk":
        monkeypatch.setattr(beneath, "_call", None)
    (tmp_path / "secret").write_text("secret")
    (tmp_path / "root" / "a" / "b").mkdir(parents=True)
    (tmp_path / "root" / "a" / "b" / "own.txt").write_text("own")
    return tmp_path / "root"


def test_files_are_read_written_and_removed(root: Path) -> None:
    beneath.write(root, ("new", "deep", "x"), b"first")
    beneath.write(root, ("new", "deep", "x"), b"second")
    assert beneath.read(root, ("new", "deep", "x"), 6) == b"second"
    assert (root / "new" / "deep" / "x").stat().st_mode & 0o777 == 0o600
    assert beneath.names(root, ("a", "b"), ".txt") == ["own.txt"]
    assert beneath.names(root, ("a", "none"), "") == []
    with pytest.raises(TooLarge):
        beneath.read(root, ("new", "deep", "x"), 5)
    with pytest.raises(NotFound, match="'new/none'"):
        beneath.read(root, ("new", "none", "x"), 5)
    beneath.remove(root, ("new",))
    assert (root / "new").is_dir()  # not empty
    beneath.remove_tree(root, ("new",))
    beneath.remove_tree(root, ("new",))
    assert not beneath.exists(root, ("new",))


# Only root makes devices.
PLANTS = ["link", "linked folder", "link to itself", "fifo", "socket", *(["device"] if os.geteuid() == 0 else [])]


@pytest.mark.parametrize("plant", PLANTS)
def test_links_and_special_files_are_refused(root: Path, plant: str) -> None:
    planted = root / "a" / "planted"
    parts: tuple[str, ...] = ("a", "planted")
    match plant:
        case "link":
            planted.symlink_to(root.parent / "secret")
        case "linked folder":
            planted.symlink_to(root.parent)
            parts = (*parts, "secret")
        case "link to itself":
            planted.symlink_to(planted)
        case "fifo":
            os.mkfifo(planted)
        case "socket":
            with socket.socket(socket.AF_UNIX) as listener:
                listener.bind(str(planted))
        case "device":
            os.mknod(planted, 0o600 | 0o020000, os.makedev(1, 5))
    with pytest.raises(Invalid, match=r"link|no ordinary file|cannot be opened"):
        beneath.read(root, parts, 100)
    if plant == "linked folder":
        with pytest.raises(Invalid, match="link"):
            beneath.write(root, parts, b"mine")
        assert beneath.names(root, ("a", "planted"), "") == []
    beneath.remove_tree(root, ("a", "planted"))
    assert not planted.is_symlink()
    assert (root.parent / "secret").read_text() == "secret"


def test_a_write_replaces_a_link_and_not_what_it_points_at(root: Path) -> None:
    (root / "a" / "planted").symlink_to(root.parent / "secret")
    beneath.write(root, ("a", "planted"), b"mine")
    assert not (root / "a" / "planted").is_symlink()
    assert (root.parent / "secret").read_text() == "secret"


@given(st.lists(st.sampled_from(["a", "b", "..", ".", "", "/", "a/b", "../secret", "x\0"]), max_size=4))
def test_odd_components_never_pass(parts: list[str]) -> None:
    if not parts or set(parts) - {"a", "b"}:
        with pytest.raises(Invalid):
            beneath.check(parts)
    else:
        assert beneath.check(parts) == parts


@pytest.mark.parametrize("name", ["", "/etc/passwd", "../secret", "a/../../secret", "a\0b"])
def test_odd_names_are_refused(name: str) -> None:
    with pytest.raises(Invalid):
        beneath.parts_of(name)


@pytest.fixture
def swapping(root: Path) -> Iterator[Path]:
    """`root`/a/turn is a folder with own.txt, and at once a link out, as fast as a thread can exchange the two."""
    turn, link = root / "a" / "turn", root / "a" / "link"
    turn.mkdir()
    (turn / "secret").write_text("own")
    link.symlink_to(root.parent)
    ended = threading.Event()

    def swap() -> None:
        spare = root / "a" / "spare"
        while not ended.is_set():
            turn.rename(spare)
            link.rename(turn)
            turn.rename(link)
            spare.rename(turn)

    thread = threading.Thread(target=swap)
    thread.start()
    try:
        yield root
    finally:
        ended.set()
        thread.join()


def test_a_folder_swapped_for_a_link_never_leads_out(swapping: Path) -> None:
    outcomes: set[str] = set()
    for _ in range(20_000):
        try:
            outcomes.add(beneath.read(swapping, ("a", "turn", "secret"), 100).decode())
        except StudioError as error:
            outcomes.add(type(error).__name__)
        beneath.names(swapping, ("a", "turn"), "secret")
        if {"own", "Invalid"} <= outcomes or {"own", "NotFound"} <= outcomes:
            break
    assert "own" in outcomes and "secret" not in outcomes, outcomes
    for _ in range(200):
        with_link = [entry.path for entry in beneath.walk(swapping) if entry.path.endswith("turn/secret")]
        assert with_link in ([], ["a/turn/secret"])


def test_a_walk_names_links_and_enters_none(root: Path) -> None:
    (root / "a" / "out").symlink_to(root.parent)
    os.mkfifo(root / "a" / "pipe")
    found = {entry.path: (entry.is_folder, entry.is_file, entry.is_link) for entry in beneath.walk(root)}
    assert found == {
        "a": (True, False, False),
        "a/b": (True, False, False),
        "a/b/own.txt": (False, True, False),
        "a/out": (False, False, True),
        "a/pipe": (False, False, False),
    }
    with pytest.raises(TooLarge):
        list(beneath.walk(root, most=4))


def test_folders_in_one_another_hide_nothing_however_deep(tmp_path: Path) -> None:
    root, depth = tmp_path, 1_100  # more than there may be open files, or calls in one another
    with beneath.folder(root) as top:
        here = os.dup(top)
        for _ in range(depth):
            os.mkdir("d", dir_fd=here)
            below = os.open("d", beneath.FOLDER, dir_fd=here)
            os.close(here)
            here = below
        os.close(os.open("hidden", os.O_WRONLY | os.O_CREAT, dir_fd=here))
        os.close(here)
    found = [entry.name for entry in beneath.walk(root)]
    assert found.count("d") == depth and found.count("hidden") == 1
    beneath.remove_tree(root, ("d",))
    assert list(root.iterdir()) == []


def test_a_folder_that_is_moved_while_it_is_walked_leads_nowhere_else(root: Path, tmp_path: Path) -> None:
    (root / "a" / "z").mkdir()
    (root / "c").mkdir()
    (tmp_path / "elsewhere").mkdir()
    found = []
    for entry in beneath.walk(root):
        found.append(entry.path)
        if entry.path == "a/b/own.txt":
            # Its parent is now elsewhere: the way up from it does not lead back.
            (root / "a" / "b").rename(tmp_path / "elsewhere" / "b")
    assert found == ["a", "a/b", "a/b/own.txt", "a/z", "c"]
