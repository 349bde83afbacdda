"""The whole product as an ordinary user, whoever runs the tests: it works, and says what is not enforced."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import pytest

from studio.cli.demo.kernel import Kernel
from studio.cli.demo.visitor import Visitor
from studio.errors import StudioError
from studio.settings import Paths
from tests import leaks, ordinary
from tests.live import ENVIRONMENTS, ROOT, Live, until
from tests.marks import needs_sandboxes

UID = os.getuid() or 54321


class Ordinary(Live):
    """A Studio that another user runs: asked through its own command and the browser's way, as anybody is."""

    def __init__(self, home: Path) -> None:
        super().__init__(home, HOME=str(home.parent), STUDIO_PORT="0")
        ENVIRONMENTS.mkdir(parents=True, exist_ok=True)
        # What nobody else may enter at all, and the store, in which a start makes its lock: what lies inside of one
        # that is given is given with it.
        wanted = {ordinary.closed(Path(path)) for path in (sys.prefix, sys.base_prefix, ROOT, ENVIRONMENTS)}
        closed = {path for path in wanted if path.stat().st_mode & 0o005 != 0o005} | {ENVIRONMENTS.resolve()}
        folders = sorted(str(path) for path in closed if closed.isdisjoint(path.parents))
        own = [sys.executable, "-m", "tests.ordinary", str(UID), *folders, "--"]
        self._before = [] if os.getuid() else own

    def studio(self, *words: str, check: bool = True, timeout_s: float = 300.0) -> subprocess.CompletedProcess[str]:
        kept = {
            name: value for name, value in os.environ.items() if not name.startswith(("STUDIO_", "MLFLOW_", "XDG_"))
        }
        argv = [*self._before, sys.executable, "-m", "studio.cli.main", "--home", str(self.home), *words]
        done = subprocess.run(
            argv, env=kept | self.variables, capture_output=True, text=True, timeout=timeout_s, cwd=ROOT
        )
        if done.returncode == ordinary.CANNOT and self._before:
            pytest.skip(f"no ordinary user can be had here: {done.stderr}")
        assert not check or done.returncode == 0, f"studio {words}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    def person(self, user: str | None = None) -> Visitor:
        visitor = Visitor(self.address)
        assert visitor.visit(self.json("signin")["url"]).status_code == 200
        session = visitor.json("GET", f"{self.address}/api/v1/session")
        visitor.csrf[urlsplit(self.address).netloc] = session["csrf"]
        return visitor

    def stop(self) -> None:
        pids = {box["id"]: box["pid"] for box in self.json("status")["sandboxes"]}
        self.studio("down")
        name = f"studio-{UID}-" + self.settings.paths.sockets.name.rpartition("-")[2]
        paths = Paths(self.home.resolve(), self.settings.paths.sockets.parent / name, ENVIRONMENTS)
        leaks.check(SimpleNamespace(paths=paths), pids)  # type: ignore[arg-type]  # all that it looks at


@pytest.fixture(scope="module")
def live() -> Iterator[Ordinary]:
    with tempfile.TemporaryDirectory(prefix="ordinary-", ignore_cleanup_errors=True) as folder:
        os.chown(folder, UID, -1)
        found = Ordinary(Path(folder) / "home")
        try:
            found.start()
            yield found
        finally:
            found.stop()


@needs_sandboxes
def test_an_ordinary_user_works_and_is_told_what_is_not_enforced(live: Ordinary) -> None:
    assert {found.stat().st_uid for found in (live.home, live.home / "studio.db")} == {UID}
    with closing(live.person()) as visitor:
        origin = live.in_lab(visitor)
        api = f"{origin}/studio/api/domains/demo"
        kernel = Kernel.start(visitor, origin, "sklearn", "own.ipynb")
        try:
            look = "(lambda s: [s['Seccomp'], s['NoNewPrivs'], s['CapEff']])(dict(l.split(':\\t', 1) for l in lines))"
            kernel.run("lines = open('/proc/self/status').read().splitlines()")
            assert kernel.value(look) == ["2", "1", "0" * 16]
            assert kernel.value("__import__('os').getuid()") == 1000
        finally:
            kernel.disconnect()
        script = "import mlflow\nwith mlflow.start_run(): mlflow.log_metric('seen', 1.0)\nprint('logged')\n"
        job = visitor.json("POST", f"{api}/jobs", {"script_name": "seen.py", "script": script})["id"]
        done = until(lambda: ended(visitor.json("GET", f"{api}/jobs/{job}")), "the job's end", 90)
        assert done["state"] == "Completed", (done, visitor.json("GET", f"{api}/jobs/{job}/log"))
        report = visitor.json("GET", f"{api}/isolation")
        walls = {item["name"]: item for item in report["mechanisms"]}
        held = live.json("status")["supervisor"]["held"]
        assert walls["user namespace"]["enforced"] and walls["system call filter"]["enforced"]
        assert walls["memory limit"]["enforced"] == bool(held["memory_mb"])
        assert walls["host account"]["detail"] == f"an ordinary account (user {UID})"
        assert (report["level"], report["runs"]) == ("full" if held["memory_mb"] else "sandbox", True)


@pytest.mark.soak
@needs_sandboxes
def test_a_domain_does_not_run_below_the_level_it_requires(live: Ordinary) -> None:
    """Without the kernel's limits this host reaches `sandbox`; a domain that requires more does not run."""
    if live.json("status")["supervisor"]["held"]["memory_mb"]:
        pytest.skip("this user has groups of its own: nothing is missing")
    with closing(live.person()) as visitor:
        refuses(live, visitor, f"{live.in_lab(visitor)}/studio/api/domains/demo")


def refuses(live: Ordinary, visitor: Visitor, api: str) -> None:
    said = {finding["name"]: finding for finding in live.json("doctor")["findings"]}
    assert not said["memory limit"]["ok"] and "Delegate" in said["memory limit"]["cure"]
    live.studio("domain", "set", "demo", "--require-isolation", "limits")
    until(lambda: not live.json("status")["sandboxes"], "the end of what may not run")
    body = {"script_name": "never.py", "script": "print('never')"}
    with pytest.raises(StudioError, match="requires the isolation level limits"):
        visitor.json("POST", f"{api}/jobs", body)
    opened = visitor.request("POST", f"{api}/lab")
    assert opened.status_code == 403 and "this host reaches sandbox" in opened.text
    assert visitor.json("GET", f"{api}/isolation")["runs"] is False
    live.studio("domain", "set", "demo", "--require-isolation", "sandbox")
    again = visitor.json("POST", f"{api}/jobs", body)["id"]
    done = until(lambda: ended(visitor.json("GET", f"{api}/jobs/{again}")), "the job's end", 90)
    assert done["state"] == "Completed", done


def ended(job: dict[str, Any]) -> Any:
    return job if job["state"] in ("Completed", "Failed", "Stopped") else None
