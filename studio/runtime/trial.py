"""Looks around in a sandbox that was made for this, and says what it found: a report claims no more than was tried.

Run inside as `python -I -S trial.py PORT NAME`: a port and an abstract unix socket of the host, on which somebody
listens meanwhile. Standard library only."""

import contextlib
import json
import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

NAMESPACES = ("user", "pid", "ipc", "uts", "mnt", "net")
_NEW_USER = 0x10000000  # CLONE_NEWUSER


class Facts(NamedTuple):
    """`own`: the kinds of namespace that are not the host's; `loopback` and `abstract`: whether the host's were
    reached; `nested`: whether a namespace could be made inside; `devices`: what lies in /dev."""

    own: frozenset[str]
    processes: int
    devices: frozenset[str]
    capabilities: int
    filtered: bool
    nested: bool
    loopback: bool
    abstract: bool


def read(text: str) -> Facts | None:
    """The facts that `main` printed, compared with the host's namespaces; None if it printed something else."""
    try:
        said = json.loads(text)
        own = frozenset(kind for kind in NAMESPACES if said["namespaces"][kind] != _namespace(kind))
        return Facts(
            own,
            int(said["processes"]),
            frozenset(said["devices"]),
            int(said["capabilities"], 16),
            said["seccomp"] == "2",
            bool(said["nested"]),
            bool(said["loopback"]),
            bool(said["abstract"]),
        )
    except (ValueError, KeyError, TypeError):
        return None


@contextlib.contextmanager
def listening() -> Iterator[tuple[int, str]]:
    """A port of the host's loopback and the name of an abstract unix socket; both answer while the block runs."""
    with socket.socket() as tcp, socket.socket(socket.AF_UNIX) as unix:
        tcp.bind(("127.0.0.1", 0))
        tcp.listen()
        name = f"studio-trial-{os.getpid()}-{tcp.getsockname()[1]}"
        unix.bind("\0" + name)
        unix.listen()
        yield tcp.getsockname()[1], name


def main(port: int, name: str) -> None:
    """Prints what there is."""
    with open("/proc/self/status") as file:
        status = dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)
    found = {
        "namespaces": {kind: _namespace(kind) for kind in NAMESPACES},
        "processes": sum(entry.name.isdigit() for entry in Path("/proc").iterdir()),
        "devices": [entry.name for entry in Path("/dev").iterdir()],
        "capabilities": status["CapBnd"],
        "seccomp": status.get("Seccomp", "0"),
        "nested": _makes_namespace(),
        "loopback": _reaches(socket.AF_INET, ("127.0.0.1", port)),
        "abstract": _reaches(socket.AF_UNIX, "\0" + name),
    }
    print(json.dumps(found))


def _namespace(kind: str) -> str:
    return str(Path(f"/proc/self/ns/{kind}").readlink())


def _reaches(family: int, address: tuple[str, int] | str) -> bool:
    with socket.socket(family) as client:
        client.settimeout(2.0)
        try:
            client.connect(address)
        except OSError:
            return False
    return True


def _makes_namespace() -> bool:
    """Tried in a child, which then ends."""
    import ctypes

    pid = os.fork()
    if pid == 0:
        os._exit(ctypes.CDLL(None).unshare(_NEW_USER) & 1)
    return os.waitpid(pid, 0)[1] == 0


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
