"""The stand-in for an environment's fork server: it forks real replicas."""

import contextlib
import json
import os
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.e2e.gateways.processes import alive, environment, until

# Imports what a fork server preloads (of scikit-learn only if asked), then forks replicas as the gateway asks.
_FORKER = """
import json, os, signal, socket, sys
import uvloop
if sys.argv[2:]:
    import pandas, skops.io, sklearn.compose, sklearn.linear_model, sklearn.pipeline, sklearn.preprocessing, yaml
from studio.guest.replica import main
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
listener = socket.socket(socket.AF_UNIX); listener.bind(sys.argv[1]); listener.listen(64)
print("ready", flush=True)
forks = 0
while True:
    connection, _ = listener.accept()
    for line in connection.makefile("rb"):
        request = json.loads(line)
        forks += 1
        print("fork", forks, flush=True)
        pid = os.fork()
        if pid == 0:
            listener.close(); connection.close()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            try:
                main(request["args"])
            finally:
                os._exit(0)
        print("pid", pid, flush=True)
        connection.sendall(json.dumps({"ok": True, "pid": pid}).encode() + b"\\n")
"""


class Forker:
    """Stands for the fork server of an environment: imports once, forks replicas; `log` names each fork."""

    def __init__(self, folder: Path, *, libraries: bool = True) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="fk-", dir="/tmp")
        self.socket = Path(self._folder.name) / "fork.sock"
        self.log = folder / "forker.log"
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-c", _FORKER, str(self.socket), *(["libraries"] if libraries else [])],
                env=environment(),
                stdout=log,
                stderr=log,
            )
        until(lambda: "ready" in self.log.read_text(), "the fork server", 90)

    def fork(self, args: dict[str, Any]) -> int:
        """The pid of a new replica."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(self.socket))
            connection.sendall(
                json.dumps({"op": "fork", "name": args["name"], "kind": "replica", "args": args}).encode() + b"\n"
            )
            return int(json.loads(connection.makefile("rb").readline())["pid"])

    def forks(self) -> list[int]:
        """The pids of all forks so far."""
        return [int(line.split()[1]) for line in self.log.read_text().splitlines() if line.startswith("pid ")]

    def end_all(self) -> None:
        """Kills every fork; waits until they are gone."""
        for pid in self.forks():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, 9)
        until(lambda: not any(alive(pid) for pid in self.forks()), "the replicas' end")

    def close(self) -> None:
        self.end_all()
        self._process.kill()
        self._process.wait(10)
        self._folder.cleanup()
