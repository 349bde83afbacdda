"""Code in a sandbox against whoever reads its volume from outside: links, links swapped in while the host looks, FIFOs,
devices, hard links, odd names. Real bubblewrap, a real attacker that races."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from studio.data import sources
from studio.domains import space_folders, storing, volumes
from studio.domains.storing import Task
from studio.errors import Invalid, StudioError
from studio.jobs import staging
from studio.runtime import beneath
from studio.settings import Settings
from tests.marks import needs_sandboxes
from tests.sandboxes import Box, Running, connected, until

pytestmark = needs_sandboxes
ODD = ["", ".", "..", "../b", "a/b", "a.b", "/etc", "x\0", "a\n"]
# Exchanges a folder for a link to the host's own secret as fast as it can, where the host is about to look.
RACE = """
import contextlib, os, sys
os.chdir("/volume/shared")
secret = sys.argv[1]
for name in ("data", ".studio"):
    os.makedirs(name + "/jobs", exist_ok=True)
    open(name + "/a.csv", "w").write("own")
    os.symlink(secret, name + "-link")
print("racing", flush=True)
while not os.path.exists("stop"):
    for name in ("data", ".studio"):
        try:
            for old, new in (("", "-spare"), ("-link", ""), ("", "-link"), ("-spare", "")):
                os.rename(name + old, name + new)
        except OSError:
            # The host made the folder just then: away with it, and on.
            with contextlib.suppress(OSError):
                for left in (name, name + "-link"):
                    if os.path.lexists(left):
                        os.rename(left, f"{left}-{os.urandom(4).hex()}")
                os.symlink(secret, name + "-link")
                os.rename(name + "-spare", name)
"""
PLANT = """
import json, os, socket, stat
os.chdir("/volume/shared")
def tried(work):
    try:
        work()
        return "done"
    except OSError as error:
        return os.strerror(error.errno)
open("own", "w").write("own")
os.makedirs("spaces", exist_ok=True)
print(json.dumps({
    "fifo": tried(lambda: os.mkfifo("fifo.csv")),
    "socket": tried(lambda: socket.socket(socket.AF_UNIX).bind("socket.csv")),
    "device": tried(lambda: os.mknod("device.csv", 0o600 | stat.S_IFCHR, os.makedev(1, 5))),
    "block": tried(lambda: os.mknod("block.csv", 0o600 | stat.S_IFBLK, os.makedev(8, 0))),
    "hard link to the system": tried(lambda: os.link("/etc/passwd", "passwd.csv")),
    "hard link out of the home": tried(lambda: os.link("/volume/shared/own", os.environ["HOME"] + "/own")),
    "hard link from Studio": tried(lambda: os.link(os.environ["STUDIO_IN"] + "/hello.sock", "hello.csv")),
    "link": tried(lambda: os.symlink("/proc/1/environ", "environ.csv")),
}))
"""


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[Running]:
    async with connected(tmp_path / "home") as found:
        yield found


async def test_nothing_that_code_plants_or_swaps_leads_a_host_reader_out(running: Running, tmp_path: Path) -> None:
    box = await running.box("alpha", "ann")
    planted = json.loads(await box.output(PLANT))
    assert planted.pop("fifo") == planted.pop("socket") == planted.pop("link") == "done"
    assert "done" not in planted.values(), planted
    for name in ("fifo", "socket", "environ"):
        with pytest.raises(Invalid):
            # A reader that opened the FIFO would stand here for ever.
            await asyncio.wait_for(
                asyncio.to_thread(sources.check, running.paths, "alpha", "ann", f"shared/{name}.csv"), 20
            )
    await _race(running, box, tmp_path)


async def _race(running: Running, box: Box, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    (secret / "jobs").mkdir(parents=True)
    (secret / "a.csv").write_text("the host's secret")
    racing = await box.job(RACE, str(secret))
    await until(lambda: "racing" in box.log(racing), "the race")
    shared = box.layout.host_shared
    seen: set[str] = set()
    for number in range(5_000):
        try:
            await asyncio.to_thread(sources.check, running.paths, "alpha", "ann", "shared/data/a.csv")
            seen.add(beneath.read(shared, ("data", "a.csv"), 100).decode())
        except StudioError as error:
            seen.add(type(error).__name__)
        try:
            async with staging.staged(shared, f"job-{number}", "script.py", "print(1)"):
                pass
        except StudioError:
            seen.add("refused")
        if number > 100 and {"own"} < seen:
            break
    made = await asyncio.to_thread(_snapshot, shared, tmp_path)
    (shared / "stop").touch()
    assert (await box.ended(racing)).code == 0, box.log(racing)
    assert "own" in seen and "the host's secret" not in seen, seen
    assert seen - {"own"}, "the race was never on"
    # Not read, not written to, not removed.
    assert sorted(path.name for path in secret.rglob("*")) == ["a.csv", "jobs"]
    assert (secret / "a.csv").read_text() == "the host's secret"
    assert all("the host's secret" not in path.read_text() for path in made if path.is_file() and not path.is_symlink())


def _snapshot(shared: Path, tmp_path: Path) -> list[Path]:
    store = tmp_path / "snapshots" / "snap-1"
    task = tmp_path / "task.json"
    task.write_bytes(msgspec.json.encode(Task("snap-1", "snapshot", str(shared), str(store))))
    report = storing.run(task)
    assert report.state == "Done", report.error
    assert report.skipped >= 2  # the FIFO and the socket
    return list(store.rglob("*"))


@pytest.mark.parametrize("name", ODD)
def test_an_odd_name_never_means_the_parent_of_all_domains(tmp_path: Path, name: str) -> None:
    paths = Settings(home=tmp_path / "home").paths
    volumes.create(paths, "demo")
    with pytest.raises(Invalid):
        volumes.create(paths, name)
    with pytest.raises(Invalid):
        volumes.create_home(paths, "demo", name)
    with pytest.raises(Invalid):
        volumes.snapshot_folder(paths, "demo", name)
    with pytest.raises(Invalid):
        space_folders.make(paths, "demo", "", name)
    assert sorted(path.relative_to(paths.home).as_posix() for path in paths.home.rglob("*")) == [
        "domains",
        "domains/demo",
        "domains/demo/shared",
        "domains/demo/users",
    ]
