"""Attacks from a sandbox on its host and on a neighbour at work: network, system calls, memory, processes."""

import json
import os
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import psutil
import pytest

from studio.runtime import isolation
from studio.runtime.specs import Limits, ServiceSpec
from studio.runtime.supervising import Supervisor
from tests.marks import needs_sandboxes
from tests.sandboxes import Box, Running, supervised, until

pytestmark = needs_sandboxes
NAME = f"studio-test-{os.getpid()}"
# Tries every address that it is given, and says how each ended.
REACH = """
import json, os, socket, sys
facts = json.loads(sys.argv[1])
def tried(family, kind, address, data=b""):
    try:
        with socket.socket(family, kind) as client:
            client.settimeout(2)
            client.connect(address)
            client.send(data) if data else None
            return "reached"
    except OSError as error:
        return type(error).__name__
print(json.dumps({
    "control plane": tried(socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", facts["gateway"])),
    "loopback": tried(socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", facts["tcp"])),
    "network": [tried(socket.AF_INET, socket.SOCK_STREAM, (host, facts["tcp"])) for host in facts["hosts"]],
    "datagram": tried(socket.AF_INET, socket.SOCK_DGRAM, ("127.0.0.1", facts["udp"]), facts["mode"].encode()),
    "abstract": tried(socket.AF_UNIX, socket.SOCK_STREAM, "\\0" + facts["name"]),
    "metadata": [] if facts["mode"] == "open" else [
        tried(socket.AF_INET, socket.SOCK_STREAM, ("169.254.169.254", 80)),
        tried(socket.AF_INET6, socket.SOCK_STREAM, ("fd00:ec2::254", 80)),
    ],
    "hypervisor": tried(40, socket.SOCK_STREAM, (2, 9999)),
}))
"""


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One supervisor for all: each test has domains of its own."""
    with supervised(tmp_path_factory.mktemp("walls") / "home") as found:
        yield found


@pytest.fixture
async def running(started: Running) -> AsyncIterator[Running]:
    """With a connection of this test's own event loop."""
    started.client = Supervisor(started.paths.sockets / "supervisor.sock")
    yield started
    await started.client.close()


class Host:
    """What listens on this machine meanwhile: a port of every interface, a datagram socket, an abstract unix socket."""

    def __init__(self, opened: ExitStack) -> None:
        self.tcp = opened.enter_context(socket.socket())
        self.tcp.bind(("0.0.0.0", 0))
        self.udp = opened.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        self.udp.bind(("127.0.0.1", 0))
        self.udp.setblocking(False)
        self.unix = opened.enter_context(socket.socket(socket.AF_UNIX))
        self.unix.bind("\0" + NAME)
        for listener in (self.tcp, self.unix):
            listener.listen()

    @property
    def facts(self) -> dict[str, Any]:
        own = [found.address for each in psutil.net_if_addrs().values() for found in each if found.family == 2]
        hosts = [address for address in own if not address.startswith("127.")]
        return {"tcp": self.tcp.getsockname()[1], "udp": self.udp.getsockname()[1], "name": NAME, "hosts": hosts}


@pytest.fixture
def host() -> Iterator[Host]:
    with ExitStack() as opened:
        yield Host(opened)


async def test_a_network_mode_reaches_what_it_says_and_no_more(running: Running, host: Host) -> None:
    gateway = int(running.address.rpartition(":")[2])
    for domain, mode in (("closed", "none"), ("guarded", "studio"), ("shared", "open")):
        box = await running.box(domain, "ann", network=mode)
        facts = host.facts | {"mode": mode, "gateway": gateway}
        seen = json.loads(await box.output(REACH, json.dumps(facts)))
        reached = {"reached"} if mode == "open" else {"ConnectionRefusedError", "OSError"}
        assert {seen["control plane"], seen["loopback"], seen["abstract"], *seen["network"]} <= reached, (mode, seen)
        assert "reached" not in seen["metadata"]
        # A machine's hypervisor is no part of any network namespace: the filter refuses it whatever the mode.
        assert seen["hypervisor"] == "OSError" or not isolation.probe().seccomp
    # Of three datagrams the host got one.
    assert host.udp.recv(100) == b"open"
    with pytest.raises(BlockingIOError):
        host.udp.recv(100)


CALLS = """
import ctypes, fcntl, json, multiprocessing, os, pty, socket, struct, subprocess, termios, threading
libc = ctypes.CDLL(None, use_errno=True)
machine = os.uname().machine
def call(x86, arm, *arguments):
    return -ctypes.get_errno() if libc.syscall(x86 if machine == "x86_64" else arm, *arguments) < 0 else 0
def double(x):
    return 2 * x
if __name__ == "__main__":
    main, other = pty.openpty()
    fcntl.ioctl(main, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 100, 0, 0))
    try:
        fcntl.ioctl(other, termios.TIOCSTI, b"x")
        typed = "done"
    except OSError as error:
        typed = type(error).__name__
    child = os.fork()
    if child == 0:
        os.pause() if hasattr(os, "pause") else __import__("signal").pause()
    attach = libc.ptrace(16, child, 0, 0)
    os.waitpid(child, 0)
    os.kill(child, 9)
    from joblib import Parallel, delayed
    import numpy
    threads = [threading.Thread(target=double, args=(1,)) for _ in range(20)]
    [thread.start() for thread in threads]; [thread.join() for thread in threads]
    with multiprocessing.get_context("fork").Pool(2) as pool, multiprocessing.get_context("spawn").Pool(2) as fresh:
        pools = pool.map(double, [1, 2]) + fresh.map(abs, [-3, -4])
    print("SEEN" + json.dumps({
        "works": [
            attach, pools, Parallel(n_jobs=2)(delayed(abs)(x) for x in (-1, -2)), float(numpy.ones((50, 50)).sum()),
            subprocess.run(["sh", "-c", "echo hello | cat"], capture_output=True, text=True).stdout,
        ],
        "refused": {
            "typing into a terminal": typed, "io_uring": call(425, 425, 1, 0), "keyctl": call(250, 219, 0, -3, 0),
            "bpf": call(321, 280, 0, 0, 0), "perf": call(298, 241, 0, 0, -1, -1, 0), "uffd": call(323, 282, 0),
            "mount": call(428, 428, -100, b"/", 0), "namespace": libc.unshare(0x10000000),
            "clone3": call(435, 435, 0, 0), "modules": call(313, 273, -1, b"", 0), "handle": call(304, 265, -1, 0, 0),
        },
    }))
"""


async def test_odd_system_calls_are_refused_and_ordinary_programs_work(running: Running) -> None:
    if not isolation.probe().seccomp:
        pytest.skip("this kernel takes no filter")
    box = await running.box("caller", "ann")
    seen = json.loads((await box.output(CALLS)).rpartition("SEEN")[2])
    assert seen["works"] == [0, [2, 4, 3, 4], [1, 2], 2500.0, "hello\n"]
    refused = seen["refused"]
    assert refused.pop("typing into a terminal") == "PermissionError"
    assert refused.pop("clone3") == -38  # ENOSYS: libraries go on with clone
    assert set(refused.values()) == {-1}, refused


async def test_nobody_of_another_domain_is_traced_or_ended(running: Running) -> None:
    alpha, beta = await running.box("tracer", "ann"), await running.box("traced", "bob")
    waits = await beta.job("import time; print('up', flush=True); time.sleep(600)")
    await until(lambda: "up" in beta.log(waits), "beta's job")
    state = await running.client.state()
    [its] = [box for box in state.sandboxes if box.domain == "traced"]
    pids = [its.pid, *(found.pid for found in (*its.services, *its.children)), running.pid]
    source = f"""
import ctypes, json, os
libc, own = ctypes.CDLL(None, use_errno=True), {{int(pid) for pid in os.listdir("/proc") if pid.isdigit()}}
print(json.dumps([[libc.ptrace(16, pid, 0, 0), libc.kill(pid, 9)] for pid in {pids} if pid not in own]))
"""
    tried = json.loads(await alpha.output(source))
    assert all(result == [-1, -1] for result in tried) and len(tried) >= len(pids) - 2
    for pid in pids:
        assert "TracerPid:\t0\n" in Path(f"/proc/{pid}/status").read_text()
    assert await beta.output("print('goes on')") == "goes on\n"


def group(box_pid: int, controller: str) -> Path:
    """The folder of the group that a sandbox's first process is in."""
    for line in Path(f"/proc/{box_pid}/cgroup").read_text().splitlines():
        _, controllers, place = line.split(":", 2)
        if controller in controllers.split(","):
            return Path("/sys/fs/cgroup") / controller / place.lstrip("/")
    return Path("/sys/fs/cgroup") / place.lstrip("/").removesuffix("/main")


async def begin(box: Box, *argv: str) -> None:
    """Starts a program as a terminal's would be: beside the children, under the sandbox's own limits."""
    await box.running.client.service_start(box.id, ServiceSpec("terminal", list(argv), kept=False))


async def test_bombs_in_a_terminal_hurt_nobody_else(running: Running) -> None:
    if not (held := (await running.client.state()).supervisor.held).memory_mb or not held.pids:
        pytest.skip("no cgroup that this user may write")
    alpha = await running.box("alpha", "ann", limits=Limits(cpu=0.5, memory_mb=700, pids=300))
    beta = await running.box("beta", "bob", limits=Limits(memory_mb=700, pids=300))
    waits = await beta.job("import time; print('up', flush=True); time.sleep(600)")
    pid = next(box.pid for box in (await running.client.state()).sandboxes if box.domain == "alpha")
    await begin(alpha, "python3", "-c", "held = []\nwhile True: held.append(b'1' * (64 << 20))")

    async def ended() -> bool:
        found = next(box for box in (await running.client.state()).sandboxes if box.domain == "alpha")
        return all(service.name != "terminal" or not service.pid for service in found.services)

    await until(ended, "the end of what took all memory")
    # Its own sandbox goes on: the one that took the memory was ended, not the fork server.
    assert await alpha.output("print('still here')") == "still here\n"
    await running.client.service_stop(alpha.id, "terminal")
    await begin(alpha, "bash", "-c", "bomb() { bomb | bomb & }; bomb; sleep 600")
    folder = group(pid, "pids")
    await until(lambda: int((folder / "pids.events").read_text().split()[1]) > 0, "the limit of processes")
    assert int((folder / "pids.current").read_text()) <= 300
    # Beta makes its processes meanwhile, and what ran there runs on.
    forks = "import os\npids = [os.fork() or os._exit(0) for _ in range(100)]\n[os.waitpid(pid, 0) for pid in pids]\n"
    assert await beta.output(forks + "print('all of them')") == "all of them\n"
    await running.client.sandbox_stop(alpha.id)
    assert not folder.exists()
    assert waits in {child.name for box in (await running.client.state()).sandboxes for child in box.children}
