"""Logs: appended, capped, read piecewise, never through a link."""

import os
from pathlib import Path

import pytest

from studio.errors import Invalid, NotFound
from studio.runtime import logs


def _write(root: Path, name: str, data: bytes) -> None:
    descriptor = logs.open_append(root, name)
    os.write(descriptor, data)
    os.close(descriptor)


def test_tail_goes_on_where_it_ended(tmp_path: Path) -> None:
    _write(tmp_path, "a.ann/job.log", "één".encode())
    first = logs.tail(tmp_path, "a.ann/job.log", limit=4)
    assert (first.text, first.next_offset) == ("éé", 4)
    rest = logs.tail(tmp_path, "a.ann/job.log", first.next_offset)
    assert (rest.text, rest.next_offset, rest.size) == ("n", 5, 5)
    assert logs.tail(tmp_path, "a.ann/job.log", -1).text == "n"


def test_character_is_not_cut_in_two(tmp_path: Path) -> None:
    _write(tmp_path, "x.log", "aé".encode() + "€".encode() + b"z")
    text, offset = "", 0
    for _ in range(10):
        found = logs.tail(tmp_path, "x.log", offset, limit=3)
        text, offset = text + found.text, found.next_offset
    assert text == "aé€z"


def test_links_and_odd_names_are_refused(tmp_path: Path) -> None:
    root = tmp_path / "logs"
    root.mkdir()
    (tmp_path / "secret.log").write_text("secret")
    (root / "link.log").symlink_to(tmp_path / "secret.log")
    (root / "folder").symlink_to(tmp_path)
    for name in ("link.log", "folder/secret.log"):
        with pytest.raises((Invalid, NotFound)):
            logs.tail(root, name)
        with pytest.raises(OSError):
            logs.open_append(root, name)
    for name in ("", "/etc/passwd", "../secret.log", "a\\b"):
        with pytest.raises(Invalid):
            logs.tail(root, name)
    with pytest.raises(NotFound):
        logs.tail(root, "absent.log")
    with pytest.raises(Invalid):
        logs.name_below(root, str(tmp_path / "secret.log"))
    assert logs.name_below(root, str(root / "a" / "b.log")) == "a/b.log"


def test_long_log_is_cut_and_writers_go_on(tmp_path: Path) -> None:
    writer = logs.open_append(tmp_path, "long.log")
    os.write(writer, b"x" * 5000 + b"last words")
    assert logs.cap(tmp_path, 4000) == ["long.log"]
    os.write(writer, b" and more")
    os.close(writer)
    found = logs.tail(tmp_path, "long.log", 5010)
    assert found.truncated and found.size < 700
    assert found.text.startswith("[earlier output was cut") and found.text.endswith("last words and more")
    assert logs.cap(tmp_path, 4000) == []
