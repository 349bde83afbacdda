"""Attacks 1–8, 10 and 12 on artifacts: no path leads out, no link is followed, no half file is seen."""

import os
from pathlib import Path

import pytest

from studio.errors import Invalid, NotFound
from studio.settings import Paths
from studio.tracking import artifacts, places, uploads
from studio.tracking.places import Place


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    """A home whose domain `dom` has a file, beside a domain `dom2` with a secret."""
    paths = Paths(tmp_path, tmp_path / "s", tmp_path / "e")
    put(paths, "dom", "1/run/artifacts/a.txt", b"mine")
    put(paths, "dom2", "secret.txt", b"theirs")
    (tmp_path / "host.txt").write_text("the host's")
    return paths


def put(paths: Paths, domain: str, path: str, data: bytes) -> None:
    """Uploads a file."""
    upload = uploads.Upload(paths)
    upload.write(data)
    upload.finish(artifacts.root(paths, domain), Place(places.split(path)))


@pytest.mark.parametrize(
    "path",
    [
        *("../dom2/secret.txt", "a/../../x", "..", "a/..", "./a", "a/./b"),
        *("%2e%2e/x", "%252e%252e/x", "a%2fb", "..;/x", "..;a/x", ";/x"),
        *("/etc/passwd", "//etc/passwd", "a//b", "a/"),
        *("a\x00b", "a\\b", "..\\x", "\\\\host\\share", "C:/x", "a\nb", "x" * 256, "a/" * 1100 + "b", "\ud800"),
    ],
)
def test_a_path_that_is_not_plain_is_refused(path: str) -> None:
    with pytest.raises(Invalid):
        places.split(path)


@pytest.mark.parametrize("path", ["a", "a/b.c", "ä/ü 1.txt", "100%.txt", "a;b", "...", "..a", "x:y", "a b/c+d=e,f@g"])
def test_a_plain_path_is_kept(path: str) -> None:
    assert "/".join(places.split(path)) == path


@pytest.mark.parametrize(
    "uri",
    [
        *(
            "file:///etc",
            "/etc",
            "http://host/x",
            "s3://b/k",
            "mlflow-artifacts://host/x",
            "mlflow-artifacts:/../x",
            "",
            "runs:/x",
        ),
        *("mlflow-artifacts:/a?x=1", "mlflow-artifacts:/a#b", "mlflow-artifacts:/%2e%2e/x"),
    ],
)
def test_a_location_elsewhere_is_refused(uri: str) -> None:
    with pytest.raises(Invalid):
        places.parse(uri)


def test_a_sibling_with_the_same_prefix_is_not_within() -> None:
    assert Place(("a", "run1")).is_within(Place(("a",)))
    assert not Place(("a", "run12")).is_within(Place(("a", "run1")))


def test_links_are_not_followed_anywhere(paths: Paths) -> None:
    root = artifacts.root(paths, "dom")
    (root / "link.txt").symlink_to(paths.home / "host.txt")
    (root / "folder").symlink_to(paths.home, target_is_directory=True)
    for place in (Place(("link.txt",)), Place(("folder", "host.txt"))):
        with pytest.raises(NotFound):
            artifacts.open_file(root, place)
    assert [info.path for info in artifacts.list_files(root, Place(()))] == ["1"]
    assert artifacts.list_files(root, Place(("folder",))) == []
    with pytest.raises(Invalid):
        put(paths, "dom", "folder/host.txt", b"overwritten")
    artifacts.remove(root, Place(("folder",)))
    assert (paths.home / "host.txt").read_text() == "the host's"
    put(paths, "dom", "link.txt", b"a file of its own")
    assert (paths.home / "host.txt").read_text() == "the host's"


def test_a_folder_swapped_for_a_link_does_not_lead_out(paths: Paths) -> None:
    root = artifacts.root(paths, "dom")
    walk = artifacts.walk(root, Place(("1",)))
    (root / "1" / "run").rename(root / "1" / "moved")
    (root / "1" / "run").symlink_to(paths.home, target_is_directory=True)
    assert [info.path for info in walk] == ["moved/artifacts/a.txt"]


def test_special_files_are_no_artifacts(paths: Paths) -> None:
    root = artifacts.root(paths, "dom")
    os.mkfifo(root / "pipe")
    with pytest.raises(NotFound):
        artifacts.open_file(root, Place(("pipe",)))
    assert [info.path for info in artifacts.walk(root, Place(()))] == ["1/run/artifacts/a.txt"]


def test_nothing_of_an_upload_is_seen_before_its_end(paths: Paths) -> None:
    root = artifacts.root(paths, "dom")
    upload = uploads.Upload(paths)
    upload.write(b"half")
    assert [info.path for info in artifacts.walk(root, Place(()))] == ["1/run/artifacts/a.txt"]
    upload.abort()
    assert not list((paths.artifacts / ".uploads").iterdir())
    uploads.settle(paths)
    assert artifacts.read_bytes(root, Place(("1", "run", "artifacts", "a.txt"))) == b"mine"


def test_a_file_is_replaced_whole_and_never_by_a_folder(paths: Paths) -> None:
    root = artifacts.root(paths, "dom")
    put(paths, "dom", "1/run/artifacts/a.txt", b"new")
    assert artifacts.read_bytes(root, Place(("1", "run", "artifacts", "a.txt"))) == b"new"
    for path in ("1/run/artifacts", "1/run/artifacts/a.txt/b"):
        with pytest.raises(Invalid):
            put(paths, "dom", path, b"x")
    artifacts.remove(root, Place(("1",)))
    artifacts.remove(root, Place(("1",)))
    assert artifacts.list_files(root, Place(())) == []


def test_a_tree_is_copied(paths: Paths, tmp_path: Path) -> None:
    put(paths, "dom", "1/run/artifacts/sub/b.bin", b"12345")
    target = tmp_path / "copy"
    assert artifacts.copy_tree(artifacts.root(paths, "dom"), Place(("1", "run", "artifacts")), target) == 9
    assert (target / "sub" / "b.bin").read_bytes() == b"12345"
