"""A real Studio for tests: started by its own command in a home of its own, ended and checked for leaks at the end."""

import contextlib
import fcntl
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from studio.cli.demo.visitor import Visitor
from studio.client import Rest, connect
from studio.errors import StudioError
from studio.settings import Settings
from tests import leaks

ROOT = Path(__file__).resolve().parent.parent
ENVIRONMENTS = Path(os.environ.get("STUDIO_TEST_ENVIRONMENTS", ROOT / ".cache" / "environments"))
LEAST_S = 60.0
T = TypeVar("T")


def until(condition: Callable[[], T], what: str, timeout_s: float = 30.0, *, promised_s: float | None = None) -> T:
    """The first true value of `condition`; fails naming `what`. A busy machine gets a minute at least.

    `promised_s` is a time that the product promises: it is held to exactly, busy or not."""
    limit = max(timeout_s, LEAST_S) if promised_s is None else promised_s
    deadline = time.monotonic() + limit
    while not (value := condition()):
        assert time.monotonic() < deadline, f"{what} did not happen within {limit} s"
        time.sleep(0.05)
    return value


class Live:
    """One running Studio."""

    def __init__(self, home: Path, **variables: str) -> None:
        self.home = home
        self.variables = {"STUDIO_ENVIRONMENTS": str(ENVIRONMENTS), **variables}
        self.settings = Settings(home=home, environments=ENVIRONMENTS)
        self._pids: dict[str, int] = {}

    def studio(self, *words: str, check: bool = True, timeout_s: float = 900.0) -> subprocess.CompletedProcess[str]:
        """Runs the command `studio WORDS`."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("STUDIO_", "MLFLOW_"))}
        done = subprocess.run(
            [sys.executable, "-m", "studio.cli.main", "--home", str(self.home), *words],
            env=environment | self.variables,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            stdin=subprocess.DEVNULL,
        )
        if check:
            assert done.returncode == 0, f"studio {' '.join(words)}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    def json(self, *words: str) -> Any:
        """The JSON that a command prints."""
        return json.loads(self.studio(*words, "--json").stdout)

    def start(self) -> None:
        """`studio up`, and the environment of the story built (once per machine: the store is shared)."""
        ENVIRONMENTS.mkdir(parents=True, exist_ok=True)
        with (ENVIRONMENTS / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            self.studio("up", "--detach", "--no-browser", "--port", "0")
            self.studio("env", "build", "sklearn")

    def stop(self) -> None:
        """`studio down`; fails if a process, socket, cgroup or mount of it is left."""
        with contextlib.suppress(StudioError):
            self._pids |= leaks.table(self.settings)
        self.studio("down")
        leaks.check(self.settings, self._pids)

    @property
    def status(self) -> Any:
        """`studio status --json`."""
        return self.json("status")

    @property
    def address(self) -> str:
        """http://127.0.0.1:PORT."""
        return str(self.status["address"])

    def operator(self) -> Rest:
        """REST through the operator's socket."""
        return connect(self.settings)

    def key(self, domain: str, user: str) -> str:
        """A new access key's token."""
        with self.operator() as api:
            return str(api.post(f"domains/{domain}/keys", {"user": user, "name": "test"})["token"])

    def person(self, user: str | None = None) -> Visitor:
        """Somebody signed in at the apex."""
        with self.operator() as api:
            link = api.post("signin-links", {"user": user} if user else {})["url"]
        visitor = Visitor(self.address)
        assert visitor.visit(link).status_code == 200
        session = visitor.json("GET", f"{self.address}/api/v1/session")
        visitor.csrf[urlsplit(self.address).netloc] = session["csrf"]
        return visitor

    def in_lab(self, visitor: Visitor, domain: str = "demo") -> str:
        """Opens the domain's lab for `visitor`; its origin."""
        origin = f"http://{domain}.localhost:{urlsplit(self.address).port}"

        def opened() -> bool:
            # On a busy machine the lab may take longer than one call waits for it.
            assert visitor.visit(f"{self.address}/open?domain={domain}&wait=1").status_code == 200
            return visitor.request("GET", f"{origin}/studio/api/session").is_success

        until(opened, f"the lab of {domain}")
        session = visitor.json("GET", f"{origin}/studio/api/session")
        visitor.csrf[urlsplit(origin).netloc] = session["csrf"]
        return origin


@contextlib.contextmanager
def running(home: Path, **variables: str) -> Iterator[Live]:
    """A Studio for the length of the block."""
    live = Live(home, **variables)
    try:
        live.start()
        yield live
    finally:
        live.stop()
