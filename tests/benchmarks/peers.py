"""Peers live in virtualenvs of their own, made here and nowhere else."""

import contextlib
import hashlib
import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from tests.live import until

PEERS = Path(__file__).resolve().parents[2] / ".cache" / "peers"


def virtualenv(name: str, packages: Sequence[str]) -> Path:
    """The `bin` folder of a virtualenv with `packages`; made at the first call."""
    mark = hashlib.sha256("\n".join(packages).encode()).hexdigest()[:12]
    folder = PEERS / f"{name}-{mark}"
    if not (folder / ".complete").exists():
        subprocess.run([sys.executable, "-m", "uv", "venv", "--quiet", "--clear", str(folder)], check=True)
        install = [
            sys.executable,
            "-m",
            "uv",
            "pip",
            "install",
            "--quiet",
            "--compile-bytecode",
            "--python",
            str(folder / "bin" / "python"),
        ]
        subprocess.run([*install, *packages], check=True)
        (folder / ".complete").touch()
    return folder / "bin"


def free_port() -> int:
    """A port nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def server(command: Sequence[str], url: str, folder: Path, env: Mapping[str, str] = {}) -> Iterator[int]:
    """A peer's server as a process group of its own, up when `url` answers; ended with the block. Its pid."""
    with (folder / "peer.log").open("wb") as log:
        process = subprocess.Popen(
            command, cwd=folder, stdout=log, stderr=log, env={**os.environ, **env}, start_new_session=True
        )
        try:
            until(lambda: process.poll() is None and answers(url), f"{command[0]} at {url}", 120)
            yield process.pid
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(20)


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as response:
            return bool(response.status < 500)
    except urllib.error.HTTPError as error:
        return error.code < 500
    except OSError:
        return False
