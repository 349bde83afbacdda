"""The bubblewrap command line of a sandbox."""

from pathlib import Path

from studio.errors import Denied, Invalid
from studio.runtime.sandbox import Layout
from studio.runtime.specs import Mount, SandboxSpec

# Of /etc only what programs need to run; nothing that names users, hosts or secrets of this machine.
_ETC = (
    *("ssl/certs", "ssl/openssl.cnf", "ca-certificates.conf", "pki/tls/certs", "fonts", "ld.so.cache", "ld.so.conf"),
    *("ld.so.conf.d", "alternatives", "localtime", "mime.types", "magic", "inputrc", "terminfo"),
)
_MADE = ("passwd", "group", "hosts", "nsswitch.conf", "hostname")
# No sandbox may see these, whoever asks: a mount of one of them is a mistake or an attack.
_NEVER = ("/", "/proc", "/sys", "/dev", "/etc", "/root", "/home", "/var", "/run", "/boot")


def command(
    binary: str,
    spec: SandboxSpec,
    layout: Layout,
    argv: list[str],
    *,
    env: dict[str, str],
    info_fd: int,
    status_fd: int,
    block_fd: int,
    filter_fd: int = -1,
    nested: bool = False,
) -> list[str]:
    """argv of bubblewrap. `info_fd` gets the host pid of pid 1, `status_fd` (keep it open) its exit code; pid 1 waits
    for a byte on `block_fd`, so that it is under its limits before it runs; from `filter_fd`, if there is one, the
    filter of system calls is read. `nested`: forbid more namespaces inside. `argv` replaces bubblewrap inside:
    with --as-pid-1 neither its environment nor its command line is visible there."""
    namespaces = ["--unshare-user", "--unshare-pid", "--unshare-ipc", "--unshare-uts"]
    if spec.network != "open":
        namespaces.append("--unshare-net")
    if nested:
        namespaces.append("--disable-userns")
    return [
        *(binary, *namespaces, "--hostname", spec.domain, "--uid", "1000", "--gid", "1000", "--cap-drop", "ALL"),
        *_system(layout, open_network=spec.network == "open"),
        *(part for mount in spec.mounts for part in _mount(mount, layout)),
        *("--remount-ro", "/", "--chdir", "/", "--clearenv", "--new-session", "--as-pid-1"),
        *(part for key, value in env.items() for part in ("--setenv", key, value)),
        *("--info-fd", str(info_fd), "--json-status-fd", str(status_fd), "--block-fd", str(block_fd)),
        *(("--seccomp", str(filter_fd)) if filter_fd >= 0 else ()),
        *("--", *argv),
    ]


def _system(layout: Layout, *, open_network: bool) -> list[str]:
    parts = ["--ro-bind", "/usr", "/usr", "--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp"]
    for name in ("bin", "sbin", "lib", "lib32", "lib64", "libx32"):
        path = Path("/", name)
        if path.is_symlink():
            parts += ["--symlink", str(path.readlink()), str(path)]
        elif path.is_dir():
            parts += ["--ro-bind", str(path), str(path)]
    for name in _ETC:
        parts += ["--ro-bind-try", f"/etc/{name}", f"/etc/{name}"]
    for name in _MADE:
        parts += ["--ro-bind", str(layout.host_etc / name), f"/etc/{name}"]
    if open_network:
        parts += ["--ro-bind-try", "/etc/resolv.conf", "/etc/resolv.conf"]
    return parts


def _mount(mount: Mount, layout: Layout) -> list[str]:
    source, target = Path(mount.source), Path(mount.target)
    for path in (source, target):
        if not path.is_absolute() or ".." in path.parts or "\0" in str(path):
            raise Invalid(f"{path} cannot be mounted: it is not a plain absolute path.")
    paths = layout.paths
    guarded: list[Path] = [*map(Path, _NEVER), paths.home, paths.home / "domains", paths.keys, paths.run, paths.sockets]
    guarded += [paths.sockets / "b", paths.database, paths.models, paths.capture, paths.artifacts, paths.logs]
    if source in guarded or paths.home.is_relative_to(source) or paths.sockets.is_relative_to(source):
        raise Denied(f"{source} must not be visible in a sandbox.", "Mount a folder below it.")
    if source.is_relative_to(paths.home / "domains") and not source.is_relative_to(paths.domain(layout.domain)):
        raise Denied(f"{source} belongs to another domain than {layout.domain}.")
    if not source.exists() and not mount.optional:
        raise Invalid(f"{source} does not exist, so it cannot be mounted.")
    kind = "--bind" if mount.writable else "--ro-bind"
    return [f"{kind}-try" if mount.optional else kind, str(source), str(target)]
