"""The spool of captured requests outlives its folder: an endpoint that is deleted and deployed again loses nothing."""

import shutil
from pathlib import Path

from studio.gateway.capture import Spool


def kept(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.glob("*.frames")))


def test_the_next_endpoint_of_the_same_name_keeps_all_its_requests(tmp_path: Path) -> None:
    folder = tmp_path / "demo" / "rain" / "spool"
    spool = Spool(tmp_path, folder)
    spool.write(b"one")
    spool.rotate()
    assert kept(folder) == b"one"
    shutil.rmtree(folder.parent)
    spool.write(b"two")  # the last segment was closed
    shutil.rmtree(folder.parent)
    spool.write(b"three")  # a segment was open, and went with its folder
    spool.write(b"four")
    spool.close()
    assert kept(folder) == b"threefour"
