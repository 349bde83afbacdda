"""Sockets in a folder that somebody else writes."""

import os
import socket
from pathlib import Path

import pytest

from studio.errors import Denied, Invalid, Unavailable
from studio.runtime import sockets


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return sockets.private_folder(tmp_path / "out")


def test_listener_is_private_and_replaces_a_stale_one(root: Path) -> None:
    for _ in range(2):
        with sockets.listen(root / "a.sock") as server:
            assert (root / "a.sock").stat().st_mode & 0o777 == 0o600
            with sockets.connect_beneath(root, "a.sock", expect_pid=os.getpid()):
                pass
            assert server.getblocking() is False


def test_links_files_and_strangers_are_refused(root: Path, tmp_path: Path) -> None:
    outside = sockets.private_folder(tmp_path / "outside")
    with sockets.listen(outside / "a.sock"), sockets.listen(root / "b.sock"):
        (root / "link.sock").symlink_to(outside / "a.sock")
        (root / "folder").symlink_to(outside)
        (root / "file.sock").write_text("")
        os.mkfifo(root / "fifo.sock")
        for name in ("link.sock", "folder/a.sock", "file.sock", "fifo.sock", "absent.sock"):
            with pytest.raises((Denied, Unavailable)):
                sockets.connect_beneath(root, name)
        with pytest.raises(Denied):
            sockets.connect_beneath(root, "b.sock", expect_pid=1)
        for name in ("", "/etc/passwd", "../outside/a.sock", "a\0b"):
            with pytest.raises(Invalid):
                sockets.connect_beneath(root, name)
    linked = tmp_path / "linked"
    linked.symlink_to(outside)
    with pytest.raises(Unavailable):
        sockets.connect_beneath(linked, "a.sock")


def test_path_ends_at_107_bytes() -> None:
    assert sockets.check_path("x" * 107)
    with pytest.raises(Invalid, match="107"):
        sockets.check_path("x" * 108)
    with pytest.raises(Invalid):
        sockets.check_path("é" * 54)


def test_somebody_elses_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path)
    with pytest.raises((Denied, FileExistsError)):
        sockets.private_folder(tmp_path / "link")


def test_peer_is_told_by_the_kernel() -> None:
    left, right = socket.socketpair()
    with left, right:
        assert sockets.peer(left) == (os.getpid(), os.geteuid())
