"""Unix sockets on the host's side: private folders, short paths, and never trusting what lies in a sandbox's folder."""

import os
import socket
import stat
import struct
from contextlib import suppress
from pathlib import Path, PurePosixPath

from studio.errors import Denied, Invalid, Unavailable
from studio.runtime import beneath

# sun_path has 108 bytes with its final NUL (unix(7)).
MAX_PATH = 107
_SO_PEERCRED = getattr(socket, "SO_PEERCRED", 17)


def check_path(path: Path | str) -> str:
    """`path` as text, or `Invalid` if a socket cannot have it."""
    text = str(path)
    if len(os.fsencode(text)) > MAX_PATH:
        raise Invalid(f"The socket path {text!r} is longer than {MAX_PATH} bytes.", "Use a shorter name or home.")
    return text


def private_folder(path: Path) -> Path:
    """Makes `path` (and its parents) for this user alone; refuses one that is a link or somebody else's."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
        raise Denied(f"{path} is not a folder of this user.", "Somebody else made it: remove it, or set STUDIO_HOME.")
    path.chmod(0o700)
    return path


def listen(path: Path, *, backlog: int = 128) -> socket.socket:
    """A listening, non-blocking unix socket of mode 0600 at `path`; a stale one there is replaced."""
    text = check_path(path)
    with suppress(FileNotFoundError):
        path.unlink()
    server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    server.bind(text)
    path.chmod(0o600)
    server.listen(backlog)
    server.setblocking(False)
    return server


def peer(connected: socket.socket) -> tuple[int, int]:
    """(pid, uid) of the other end, in this host's terms. For a listener it is who called `listen`; pid 0 where the
    system does not tell."""
    try:
        raw = connected.getsockopt(socket.SOL_SOCKET, _SO_PEERCRED, struct.calcsize("3i"))
    except OSError:
        return 0, os.geteuid()
    pid, uid, _ = struct.unpack("3i", raw)
    return pid, uid


def connect(path: Path, *, timeout_s: float = 2.0) -> socket.socket:
    """Connects to a socket in a folder that only this user can write; `Unavailable` if nobody listens."""
    client = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    client.settimeout(timeout_s)
    try:
        client.connect(check_path(path))
    except OSError as error:
        client.close()
        said = f"Nobody answers on {path.name}: {error.strerror or error}."
        raise Unavailable(said, "Is `studio up` running?") from error
    return client


def connect_beneath(root: Path, name: str, *, expect_pid: int = 0, timeout_s: float = 2.0) -> socket.socket:
    """Connects to the socket `name` below `root`, a folder that a sandbox can write: no link is followed on the way,
    what is there must be a socket, and its listener must be this user's (and `expect_pid`, if given)."""
    parts = PurePosixPath(name).parts
    if not parts or any(part in ("/", "..", ".") or "\0" in part for part in parts):
        raise Invalid(f"{name!r} is not a name below {root.name}.")
    if not hasattr(os, "O_PATH"):
        # Not Linux: nothing is isolated there, and the folder belongs to this user alone.
        return connect(root / name, timeout_s=timeout_s)
    client = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    descriptor = -1
    try:
        descriptor = beneath.open_at(root, parts, os.O_PATH)
        if not stat.S_ISSOCK(os.fstat(descriptor).st_mode):
            raise Denied(f"{name} in the sandbox's folder is not a socket.", "Restart the sandbox.")
        client.settimeout(timeout_s)
        # The descriptor's name pins exactly what was checked, and is short whatever the path is.
        client.connect(f"/proc/self/fd/{descriptor}")
        pid, uid = peer(client)
        if uid != os.geteuid() or (expect_pid and pid and pid != expect_pid):
            raise Denied(f"{name} is answered by another process than expected.", "Restart the sandbox.")
    except OSError as error:
        client.close()
        said = f"Nobody answers on {name}: {error.strerror or error}."
        raise Unavailable(said, "It may still be starting.") from error
    except (Denied, Invalid):
        client.close()
        raise
    finally:
        if descriptor >= 0:
            os.close(descriptor)
    return client
