"""What code in a sandbox can and cannot do: real bubblewrap, real fork server, real limits."""

import asyncio
import json
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from studio.errors import Conflict, Denied, Invalid, NotFound
from studio.runtime import sockets
from studio.runtime.specs import ChildSpec, Limits, Mount
from tests.marks import needs_sandboxes
from tests.sandboxes import Box, Running, connected, kill, until

pytestmark = needs_sandboxes


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[Running]:
    async with connected(tmp_path / "home") as found:
        yield found


@pytest.fixture
async def box(running: Running) -> Box:
    return await running.box("alpha", "ann", child_limits=Limits(memory_mb=512))


async def test_other_domains_database_and_processes_are_not_there(running: Running, box: Box) -> None:
    other = running.layout("beta", "bob")
    other.host_shared.mkdir(parents=True)
    (other.host_shared / "secret.txt").write_text("beta's")
    running.paths.database.write_text("the database")
    (box.layout.host_shared / "own.txt").write_text("alpha's")
    (box.layout.host_shared / "link").symlink_to(other.host_shared / "secret.txt")
    paths = [str(other.host_shared), str(running.paths.database), str(running.paths.keys), "/var/lib", "/var/log"]
    source = f"""
import json, os
def seen(path):
    return os.path.exists(path)
def readable(path):
    try:
        return open(path).read()
    except OSError as error:
        return type(error).__name__
words = []
for pid in filter(str.isdigit, os.listdir("/proc")):
    words.append(readable(f"/proc/{{pid}}/cmdline").replace("\\0", " "))
print(json.dumps({{
    "own": readable("/volume/shared/own.txt"), "link": readable("/volume/shared/link"),
    "seen": [path for path in {paths!r} if seen(path)], "commands": words,
    "boxes": os.listdir(os.path.dirname(os.environ["STUDIO_IN"])), "environ": readable("/proc/1/environ"),
    "users": readable("/etc/passwd"), "pid1": readable("/proc/1/cmdline"),
}}))
"""
    found = json.loads(await box.output(source))
    assert found["own"] == "alpha's"
    assert found["link"] == "FileNotFoundError"
    assert found["seen"] == []
    assert sorted(found["boxes"]) == ["guest", "in", "out"]
    assert not [word for word in found["commands"] if "bwrap" in word or "supervised" in word]
    assert len(found["users"].splitlines()) == 2
    names = {entry.split("=")[0] for entry in found["environ"].split("\0") if entry}
    assert names == {"STUDIO_IN", "STUDIO_OUT", "PATH", "PWD"}
    assert "init.py" in found["pid1"]


async def test_host_is_out_of_reach(running: Running, box: Box) -> None:
    port = int(running.address.rpartition(":")[2])
    source = f"""
import ctypes, json, os, signal, socket
def tried(work):
    try:
        work()
        return "done"
    except OSError as error:
        return type(error).__name__
libc = ctypes.CDLL(None, use_errno=True)
status = dict(line.split(":", 1) for line in open("/proc/self/status").read().splitlines())
print(json.dumps({{
    "tcp": tried(lambda: socket.create_connection(("127.0.0.1", {port}), 2)),
    "usr": tried(lambda: open("/usr/planted", "w")), "root": tried(lambda: open("/planted", "w")),
    "in": tried(lambda: open(os.environ["STUDIO_IN"] + "/planted", "w")),
    "guest": tried(lambda: open("/studio/guest/studio/guest/planted", "w")),
    "chroot": tried(lambda: os.chroot("/tmp")),
    "mount": libc.mount(b"none", b"/tmp", b"tmpfs", 0, None), "unshare": libc.unshare(0x10000000),
    "supervisor": tried(lambda: os.kill({running.pid}, 0)),
    "caps": status["CapEff"].strip(), "new": status["NoNewPrivs"].strip(), "uid": os.getuid(),
}}))
"""
    found = json.loads(await box.output(source))
    assert found.pop("uid") == 1000
    assert found.pop("caps") == "0" * 16
    assert found.pop("new") == "1"
    assert found.pop("mount") == found.pop("unshare") == -1
    assert "done" not in found.values(), found


async def test_forwarder_reaches_the_api_socket_and_waits_for_it(running: Running, box: Box) -> None:
    source = """
import urllib.request, os
print(urllib.request.urlopen(os.environ["MLFLOW_TRACKING_URI"] + "/x", timeout=9).read().decode())
"""
    name = await box.job(source)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 5\r\n\r\nhello")
        await writer.drain()
        writer.close()

    server = await asyncio.start_unix_server(answer, sock=sockets.listen(box.layout.host_in / "api.sock"))
    async with server:
        assert (await box.ended(name)).code == 0, box.log(name)
    assert box.log(name) == "hello\n"


async def test_job_has_a_log_an_exit_code_and_a_traceback(box: Box) -> None:
    source = """
import sys
print("given", sys.argv[1:])
def broken():
    raise ValueError("no such column")
broken()
"""
    name = await box.job(source, "--depth", "6")
    record = await box.ended(name)
    assert (record.code, record.signal, record.reason) == (1, None, "exit code 1")
    log = box.log(name)
    assert log.startswith("given ['--depth', '6']\nTraceback")
    assert "ValueError: no such column" in log and "runpy" not in log and "studio/guest" not in log
    with pytest.raises(NotFound):
        await box.running.client.child_fork(box.id, "absent", ChildSpec("job-x", "job", args={"script": "/x"}))
    with pytest.raises(Invalid):
        await box.running.client.child_fork(box.id, "sklearn", ChildSpec("../x", "job", args={"script": "/x"}))


async def test_job_is_stopped_and_its_survivors_too(box: Box) -> None:
    source = """
import os, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        open("/volume/shared/survivor", "w").write(str(os.getpid()))
        time.sleep(600)
    os._exit(0)
while not os.path.exists("/volume/shared/survivor"): time.sleep(0.01)
print("up", flush=True)
try:
    time.sleep(600)
finally:
    print("cleaned up")
"""
    name = await box.job(source)
    await until(lambda: "up" in box.log(name), "the job's first line")
    with pytest.raises(Conflict):
        await box.job("pass", name=name)
    await box.running.client.child_stop(box.id, name, 5.0)
    record = await box.ended(name)
    assert (record.code, record.reason) == (130, "stopped")
    assert "cleaned up" in box.log(name)
    alive = "import os; pid = open('/volume/shared/survivor').read(); print(os.path.exists('/proc/' + pid))"
    assert await box.output(alive) == "False\n"


async def test_memory_limit_ends_one_child_with_a_reason(box: Box) -> None:
    if not (await box.running.client.state()).supervisor.limits.startswith("cgroup"):
        pytest.skip("no cgroup that this user may write")
    waiting = await box.job("import time; print('up', flush=True); time.sleep(600)")
    name = await box.job("x = b'1' * (300 << 20)\nprint('never')", limits=Limits(memory_mb=128, pids=50, cpu=1))
    record = await box.ended(name)
    assert (record.reason, record.signal) == ("out of memory", 9)
    assert "128 MiB" in record.message and record.peak_bytes > 100 << 20
    state = await box.running.client.state()
    assert [child.name for child in state.sandboxes[0].children] == [waiting]
    assert all(service.state == "Running" and not service.restarts for service in state.sandboxes[0].services)


async def test_nothing_inside_can_forge_a_hello_or_an_exit(box: Box) -> None:
    victim = await box.job("import time; time.sleep(600)")
    source = f"""
import json, os, socket
def say(message):
    client = socket.socket(socket.AF_UNIX)
    client.connect(os.environ["STUDIO_IN"] + "/hello.sock")
    client.sendall(json.dumps(message).encode() + b"\\n")
    return client.recv(4096).decode().strip()
print(say({{"name": "kernel-forged", "kind": "kernel"}}))
print(say({{"name": "job-forged", "kind": "job"}}))
say({{"exited": {{"name": "{victim}", "pid": 3, "code": 0, "signal": None}}}})
"""
    first, second = (await box.output(source)).splitlines()
    assert json.loads(first)["go"] is json.loads(second)["go"] is False
    state = await box.running.client.state()
    assert [child.name for child in state.sandboxes[0].children] == [victim]
    await box.running.client.child_stop(box.id, victim, 0.0)
    assert (await box.ended(victim)).reason == "stopped"


async def test_socket_replaced_by_a_link_is_not_followed(box: Box) -> None:
    out = box.layout.host_out
    (out / "elsewhere.sock").symlink_to(box.layout.host_in / "hello.sock")
    with pytest.raises(Exception, match="elsewhere") as caught:
        sockets.connect_beneath(out, "elsewhere.sock")
    assert caught.type.__name__ in ("Unavailable", "Denied")
    with pytest.raises(Denied):
        sockets.connect_beneath(out, "init.sock", expect_pid=1)


async def test_children_draw_different_random_numbers(box: Box) -> None:
    source = "import random, numpy; print(random.random(), numpy.random.rand())"
    assert await box.output(source) != await box.output(source)


async def test_children_outlive_their_fork_server(box: Box) -> None:
    source = "import os, time\nprint('up', flush=True)\nwhile not os.path.exists('/volume/shared/go'): time.sleep(0.01)"
    name = await box.job(source)
    await until(lambda: "up" in box.log(name), "the job's first line")
    state = await box.running.client.state()
    server = next(found for found in state.sandboxes[0].services if found.name == "fork-sklearn")
    kill(server.pid)
    # A new fork server within two seconds, and the old one's child goes on and is seen to its end.
    assert await box.output("print('new')", name="job-new") == "new\n"
    (box.layout.host_shared / "go").touch()
    assert (await box.ended(name)).code == 0


async def test_threads_make_a_fresh_interpreter_of_the_child(running: Running) -> None:
    box = await running.box("gamma", "ann", preload=("json", "threaded", "later"))
    # Started again with a library folder that has one module with a thread, and one whose thread comes later.
    library = box.layout.host_shared / "library"
    library.mkdir()
    (library / "threaded.py").write_text(
        "import threading, time\nthreading.Thread(target=time.sleep, args=(60,), daemon=True).start()"
    )
    (library / "later.py").write_text(
        "import signal, threading, time\n"
        "def go(*_): threading.Thread(target=time.sleep, args=(60,), daemon=True).start()\n"
        "signal.signal(signal.SIGUSR1, go)"
    )
    await running.client.service_stop(box.id, "fork-sklearn")
    from studio.runtime import guests
    from tests.sandboxes import environment

    path = {"PYTHONPATH": f"{box.layout.inside_guest}:{box.layout.inside(library)}"}
    service = guests.fork_server(box.layout, "sklearn", environment(), ("json", "threaded", "later"), env=path)
    pid = await running.client.service_start(box.id, service)
    look = "import sys; print('threaded' in sys.modules, 'later' in sys.modules)"
    assert await box.output(look) == "False True\n"
    import signal

    os.kill(pid, signal.SIGUSR1)
    await until(lambda: len(list(Path(f"/proc/{pid}/task").iterdir())) == 2, "the thread")
    assert await box.output(look) == "False False\n"
    server = (await running.client.state()).sandboxes[-1].services[-1]
    assert (server.name, server.reason.split(" that")[0]) == ("fork-sklearn", "2 threads live in the fork server, so")


async def test_services_give_way_as_they_are_told(running: Running, box: Box) -> None:
    """A fork server until it is warm, what it forks never, a job of Studio's own always."""
    from msgspec.structs import replace

    from studio.runtime import guests
    from studio.runtime.specs import ServiceSpec
    from tests.sandboxes import environment

    plain = guests.fork_server(box.layout, "other", environment(), ("json",))
    pid = await running.client.service_start(box.id, replace(plain, starts_nice=7))
    await until(lambda: os.getpriority(os.PRIO_PROCESS, pid) == 0, "the usual priority")
    assert await box.output("import os; print(os.nice(0))", environment="other") == "0\n"
    argv = [str(environment() / "bin/python"), "-c", "import time; time.sleep(60)"]
    low = await running.client.service_start(box.id, ServiceSpec("low", argv, kept=False, nice=7))
    assert os.getpriority(os.PRIO_PROCESS, low) == 7
    for name in ("low", "fork-other"):
        await running.client.service_stop(box.id, name)


async def test_each_environment_in_use_has_a_fork_server_of_its_own(running: Running, box: Box) -> None:
    from studio.runtime import guests
    from tests.sandboxes import environment

    await running.client.service_start(box.id, guests.fork_server(box.layout, "other", environment(), ("json",)))
    look = "import os, sys; print(os.environ['STUDIO_ENVIRONMENT'], 'numpy' in sys.modules)"
    assert await box.output(look) == "sklearn True\n"
    assert await box.output(look, environment="other") == "other False\n"
    await running.client.service_stop(box.id, "fork-other")
    assert await box.output(look) == "sklearn True\n"


async def test_odd_specs_are_refused(running: Running) -> None:
    good = running.spec("alpha", "ann")
    import msgspec

    for change in (
        {"id": "beta.bob"},
        {"domain": "../beta", "id": "../beta.ann"},
        {"domain": "", "id": ".ann"},
        {"mounts": [*good.mounts, Mount(str(running.paths.home), "/home")]},
        {"mounts": [*good.mounts, Mount("/", "/host")]},
        {"mounts": [*good.mounts, Mount(str(running.paths.home / "domains" / "beta"), "/b")]},
    ):
        with pytest.raises((Invalid, Denied)):
            await running.client.sandbox_start(msgspec.structs.replace(good, **change))
    await running.client.sandbox_start(good)
    await running.client.sandbox_start(good)
    with pytest.raises(Conflict):
        await running.client.sandbox_start(msgspec.structs.replace(good, limits=Limits(memory_mb=700)))
