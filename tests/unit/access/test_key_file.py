"""The installation's key files: made whole, read only while nobody else can."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from studio import signing
from studio.errors import Invalid
from tests.live import Live


def test_a_key_file_is_made_once_and_is_the_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "master.key"
    with ThreadPoolExecutor(8) as pool:
        found = set(pool.map(signing.secret_file, [path] * 32))
    assert found == {path.read_text()} and len(path.read_text()) >= signing.LEAST
    assert path.stat().st_mode & 0o777 == 0o600
    assert [item.name for item in path.parent.iterdir()] == ["master.key"]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602, 0o644, 0o666])
def test_a_key_file_that_others_can_read_is_refused_with_the_cure(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "master.key"
    secret = signing.secret_file(path)
    path.chmod(mode)
    with pytest.raises(Invalid, match=f"chmod 600 {path}") as refused:
        signing.secret_file(path)
    assert secret not in str(refused.value)
    path.chmod(0o600)
    assert signing.secret_file(path) == secret


def test_what_is_no_key_file_is_refused(tmp_path: Path) -> None:
    real = tmp_path / "real"
    signing.secret_file(real)
    (tmp_path / "link").symlink_to(real)
    (tmp_path / "dangling").symlink_to(tmp_path / "nothing")
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "fifo", 0o600)
    (tmp_path / "empty").touch(0o600)
    for name in ("link", "dangling", "folder", "fifo", "empty"):
        with pytest.raises(Invalid):
            signing.secret_file(tmp_path / name)
    assert not (tmp_path / "nothing").exists()


def test_studio_does_not_start_with_a_key_that_others_can_read(tmp_path: Path) -> None:
    live = Live(tmp_path / "home")
    key = live.settings.paths.keys / "master.key"
    signing.secret_file(key)
    key.chmod(0o644)
    refused = live.studio("up", "--detach", "--no-browser", "--port", "0", check=False, timeout_s=60)
    assert refused.returncode == 1
    assert f"chmod 600 {key}" in refused.stderr
    assert not (live.settings.paths.sockets / "server.sock").exists()
    live.studio("down")
