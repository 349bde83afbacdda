"""The supervisor's own life: one per home, restarts, adoption after its kill -9, an end that leaves nothing."""

import asyncio
import json
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from studio.errors import Denied, Unavailable
from studio.runtime import guests, process, sandbox
from studio.runtime.specs import Limits
from studio.settings import Settings
from studio.supervisor import listening, up
from tests import leaks
from tests.sandboxes import SMALL, Box, Running, connected, environment, kill, settings, supervised, until


def ask(address: str) -> int:
    """The pid of the gateway that answers."""
    with urllib.request.urlopen(address, timeout=10) as answer:
        return int(answer.read())


async def test_killed_gateway_and_server_come_back_on_the_same_port(tmp_path: Path) -> None:
    async with connected(tmp_path / "home") as running:
        before = await running.client.state()
        assert ask(running.address) == before.gateway.pid
        kill(before.gateway.pid)
        kill(before.server.pid)
        # The listener is the supervisor's: this waits in its backlog and is answered by the next gateway.
        assert ask(running.address) != before.gateway.pid

        async def back() -> bool:
            now = await running.client.state()
            return now.server.state == now.gateway.state == "Running" and now.server.pid != before.server.pid

        await until(back, "server and gateway", 2.0)
        after = await running.client.state()
        assert (after.server.restarts, after.gateway.restarts) == (1, 1)
        assert {record.name for record in await running.client.exits()} == {"gateway", "server"}


async def test_crash_loop_backs_off_and_says_why(tmp_path: Path) -> None:
    running = Running(tmp_path / "home", crash="server")
    argv = [sys.executable, "-m", "tests.supervised", "--home", str(tmp_path / "home"), "--crash", "server"]
    argv += ["--environments", str(tmp_path)]
    child = await asyncio.to_thread(subprocess.Popen, argv, cwd=Path(__file__).parents[2])
    try:

        async def crashed() -> bool:
            try:
                server = (await running.client.state()).server
                return server.restarts >= 3 and (server.state, server.reason) == ("BackingOff", "exit code 3")
            except Unavailable:
                return False

        await until(crashed, "three restarts and a pause", 15.0)
        await running.client.close()
    finally:
        child.send_signal(signal.SIGTERM)
        child.wait(20)
    leaks.check(running.settings)


def test_second_up_finds_the_first(tmp_path: Path) -> None:
    with supervised(tmp_path / "home") as running:
        heard: list[up.Up] = []
        for detach in (True, False):
            found = up.up(settings(tmp_path / "home"), detach, heard.append)
            assert (found.already, found.pid, found.address) == (True, running.pid, running.address)
        assert len(heard) == 2
        status = up.status(running.settings)
        assert status.running and status.state is not None and status.state.supervisor.pid == running.pid
    assert not up.status(settings(tmp_path / "home")).running
    assert up.down(settings(tmp_path / "home")) is False


async def test_killed_supervisor_is_followed_by_one_that_adopts(tmp_path: Path) -> None:
    async with connected(tmp_path / "home") as running:
        box = await running.box("alpha", "ann", limits=Limits(memory_mb=2000), child_limits=Limits(memory_mb=500))
        waits = "import os, time, sys\nwhile not os.path.exists(sys.argv[1]): time.sleep(0.01)\nsys.exit(7)"
        await box.job(waits, "/volume/shared/first", name="job-first")
        await box.job(waits, "/volume/shared/second", name="job-second")
        before = leaks.table(running.settings)
        exits = await running.client.exits()
        running.kill()
        await running.client.close()
        # One ends while nobody looks: its fork server keeps the report.
        (box.layout.host_shared / "first").touch()
        await until(lambda: process.handle(before["alpha.ann/job-first"]) is None, "the first job's end")
        running.start()
        after = leaks.table(running.settings)
        assert {**before, "supervisor": 0, "alpha.ann/job-first": 0} == {
            **after,
            "supervisor": 0,
            "alpha.ann/job-first": 0,
        }
        assert (await box.ended("job-first")).code == 7
        (box.layout.host_shared / "second").touch()
        assert (await box.ended("job-second")).code == 7
        assert len(await running.client.exits(exits[-1].seq if exits else 0)) == 2
        assert await box.output("print('and a new one')", name="job-new") == "and a new one\n"
        # The adopted gateway took its listener along; a restart binds the same port again.
        kill(after["gateway"])

        def same_port() -> bool:
            try:
                return ask(running.address) != after["gateway"]
            except OSError:
                return False

        await until(same_port, "the gateway on its old port", 3.0)


async def test_down_clears_what_a_killed_supervisor_left(tmp_path: Path) -> None:
    async with connected(tmp_path / "home") as running:
        box = await running.box("alpha", "ann")
        await box.job("import time; time.sleep(600)")
        running.kill()
        assert await asyncio.to_thread(up.down, running.settings) is True
        leaks.check(running.settings, running.pids)


async def test_killed_first_process_leaves_nothing_and_can_start_again(tmp_path: Path) -> None:
    async with connected(tmp_path / "home") as running:
        box = await running.box("alpha", "ann")
        name = await box.job("import time; time.sleep(600)")
        pids = leaks.table(running.settings)
        kill(pids["alpha.ann"])
        assert (await box.ended(name)).reason == "sandbox ended"

        async def gone() -> bool:
            return not (await running.client.state()).sandboxes

        await until(gone, "the end of the sandbox", 5.0)
        inside = [pid for key, pid in pids.items() if key.startswith("alpha")]
        assert not [pid for pid in inside if process.handle(pid)]
        assert not box.layout.host_out.exists()
        again = await running.box("alpha", "ann")
        assert await again.output("print(1)", name="job-again") == "1\n"


async def test_without_isolation_the_processes_are_the_same_and_end_too(tmp_path: Path) -> None:
    async with connected(tmp_path / "home") as running:
        spec = sandbox.build_spec(running.paths, "alpha", "ann", isolation="none", token="t", address=running.address)
        assert spec.network == "open" and spec.env["STUDIO_API"] == running.address
        started = await running.client.sandbox_start(spec)
        assert (started.isolation, started.network) == ("none", "open")
        box = Box(running, spec)
        await running.client.service_start(spec.id, guests.fork_server(box.layout, "sklearn", environment(), SMALL))
        out = await box.output("import os, studio; print(os.environ['STUDIO_USER'], os.getcwd())")
        assert out.startswith("ann ")
        await box.job(
            "import subprocess, time; subprocess.Popen(['sleep', '600'], start_new_session=True); time.sleep(600)"
        )
        running.note()
        await running.client.sandbox_stop(spec.id)
        assert not (await running.client.state()).sandboxes
        inside = [pid for key, pid in running.pids.items() if key.startswith("alpha")]
        assert len(inside) == 3 and not [pid for pid in inside if process.handle(pid)]


async def test_tool_runs_once_and_its_code_is_known(tmp_path: Path) -> None:
    async with connected(tmp_path / "home") as running:
        client = running.client
        await client.tool_start("build", ["/bin/sh", "-c", "echo made; exit 4"])

        async def ended() -> bool:
            return (await client.tool_state("build")).state == "Exited"

        await until(ended, "the tool's end")
        assert (await client.tool_state("build")).code == 4
        assert (running.paths.logs / "build.log").read_text() == "made\n"
        assert (await client.tool_state("other")).state == "Unknown"
        await client.tool_start("long", ["/bin/sh", "-c", "sleep 600 & sleep 600"])


async def test_events_tell_of_starts_and_ends(tmp_path: Path) -> None:
    async with connected(tmp_path / "home") as running:
        events = running.client.subscribe()
        first = events.__anext__()
        waiting = asyncio.ensure_future(first)
        await asyncio.sleep(0)
        state = await running.client.state()
        kill(state.server.pid)
        event = await asyncio.wait_for(waiting, 5.0)
        assert (event.type, event.name) == ("exited", "server")
        await events.aclose()


def test_only_loopback_is_listened_on() -> None:
    for host in ("0.0.0.0", "192.168.1.5", "::", "example.org", ""):
        with pytest.raises(Denied):
            listening.check_loopback(host)
    for host in ("127.0.0.1", "localhost", "::1", "127.0.0.2"):
        listening.check_loopback(host)


def test_taken_port_gives_the_next_free_one() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with listening.open_listener("127.0.0.1", port) as found:
            assert port < found.getsockname()[1] < port + 100


def test_configs_name_secrets_and_never_hold_them(tmp_path: Path) -> None:
    with supervised(tmp_path / "home") as running:
        for name in ("gateway", "server"):
            path = running.paths.run / f"{name}.config.json"
            assert path.stat().st_mode & 0o777 == 0o600
            text = path.read_text()
            assert (running.paths.keys / "gateway-secret").read_text() not in text
            assert json.loads(text)["home"] == str(running.paths.home)
        assert running.paths.keys.stat().st_mode & 0o077 == 0


def test_doctor_says_what_was_tried(tmp_path: Path) -> None:
    found = up.doctor(Settings(home=tmp_path / "home"))
    names = [finding.name for finding in found.findings]
    assert names[:3] == ["isolation", "limits", "isolation level"] and names[-3:] == ["python", "uv", "home"]
    # Every wall of the isolation report, and what the network mode `open` gives away.
    assert {"user namespace", "network namespace", "memory limit", "system call filter", "host account"} <= set(names)
    assert "network mode open" in names
    assert all(finding.ok or finding.cure for finding in found.findings)
    assert found.isolation.attempts or found.isolation.level == "none"
