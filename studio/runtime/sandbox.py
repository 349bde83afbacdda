"""Where everything of a sandbox lies, on the host and inside, and the bubblewrap command that makes it so."""

import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from studio.errors import Denied, Invalid
from studio.ids import check_name
from studio.runtime import sockets
from studio.runtime.specs import Isolation, Limits, Mount, Network, SandboxSpec
from studio.settings import Paths

SERVICE = "service"
FORWARDER_PORT = 8500
_PACKAGE = Path(__file__).resolve().parent.parent
_GUEST_FILES = ("__init__.py", "errors.py", "ids.py", "clock.py", "signing.py")


def sandbox_id(domain: str, owner: str) -> str:
    """`<domain>.<owner>`; both names are checked, so an odd one never becomes a path."""
    return f"{check_name(domain, 'domain')}.{check_name(owner, 'user')}"


@dataclass(frozen=True, slots=True)
class Layout:
    """Host paths of one sandbox, and their names inside. With isolation `none` both are the same."""

    paths: Paths
    domain: str
    owner: str
    isolation: Isolation

    @property
    def id(self) -> str:
        """The sandbox's id."""
        return sandbox_id(self.domain, self.owner)

    @property
    def is_service(self) -> bool:
        """Whether it belongs to the domain and not to a person: endpoints, schedules, Studio's own jobs."""
        return self.owner == SERVICE

    @property
    def box(self) -> Path:
        """The socket folder of this sandbox."""
        return self.paths.box(self.id)

    @property
    def host_in(self) -> Path:
        """Host-owned; read-only inside."""
        return self.box / "in"

    @property
    def host_out(self) -> Path:
        """The sandbox writes here: open what lies in it only with `sockets.connect_beneath`."""
        return self.box / "out"

    @property
    def host_etc(self) -> Path:
        """The made /etc."""
        return self.box / "etc"

    @property
    def host_shared(self) -> Path:
        """The volume that the domain's members share."""
        return self.paths.shared(self.domain)

    @property
    def host_home(self) -> Path:
        """The person's private folder; the service's own scratch folder lies with its sockets."""
        return self.box / "home" if self.is_service else self.paths.user(self.domain, self.owner)

    @property
    def host_models(self) -> Path:
        """Materialised model versions of the domain."""
        return self.paths.models / check_name(self.domain, "domain")

    @property
    def host_capture(self) -> Path:
        """Captured traffic of the domain."""
        return self.paths.capture / check_name(self.domain, "domain")

    @property
    def host_guest(self) -> Path:
        """A folder to put on PYTHONPATH that holds nothing of Studio but the guest and the leaves."""
        return self.paths.run / "guest"

    def _inside(self, inside: str, host: Path) -> str:
        return inside if self.isolation == "bubblewrap" else str(host)

    @property
    def inside_in(self) -> str:
        """STUDIO_IN."""
        return self._inside("/studio/in", self.host_in)

    @property
    def inside_out(self) -> str:
        """STUDIO_OUT."""
        return self._inside("/studio/out", self.host_out)

    @property
    def inside_guest(self) -> str:
        """PYTHONPATH of environment pythons."""
        return self._inside("/studio/guest", self.host_guest)

    @property
    def inside_shared(self) -> str:
        """The shared volume."""
        return self._inside("/volume/shared", self.host_shared)

    @property
    def inside_home(self) -> str:
        """HOME."""
        return self._inside("/studio/home" if self.is_service else f"/volume/{self.owner}", self.host_home)

    @property
    def inside_models(self) -> str:
        """Model versions (service only)."""
        return self._inside("/models", self.host_models)

    @property
    def inside_capture(self) -> str:
        """Captured traffic (service only)."""
        return self._inside("/capture", self.host_capture)

    def pairs(self) -> list[tuple[Path, str]]:
        """(host, inside) of every folder that has two names."""
        own = [(self.host_in, self.inside_in), (self.host_out, self.inside_out), (self.host_home, self.inside_home)]
        if self.is_service:
            return [*own, (self.host_models, self.inside_models), (self.host_capture, self.inside_capture)]
        return [*own, (self.host_shared, self.inside_shared)]

    def inside(self, host: Path | str) -> str:
        """The name inside of a host path; `Invalid` if the sandbox does not see it. Environments and Studio's own
        Python keep their host paths."""
        path = Path(host)
        if ".." in path.parts:
            raise Invalid(f"{host} climbs.")
        for root, name in self.pairs():
            if path.is_relative_to(root):
                return str(Path(name) / path.relative_to(root))
        for kept in (self.paths.environments, *map(Path, python_roots())):
            if path.is_relative_to(kept):
                return str(path)
        raise Invalid(f"{path} is not visible in the sandbox {self.id}.")

    def host(self, inside: str) -> Path:
        """The host path of a name inside. It says where the file would be and promises nothing about links on the way:
        open it beneath its root without following them."""
        path = Path(inside)
        if not path.is_absolute() or ".." in path.parts or "\0" in inside:
            raise Invalid(f"{inside!r} is not an absolute path without '..'.")
        for root, name in self.pairs():
            if path.is_relative_to(name):
                return root / path.relative_to(name)
        raise Invalid(f"{inside} is not a path of the domain.", "Files live in /volume/shared and your home folder.")


def python_roots() -> list[str]:
    """Folders that Studio's Python needs: its prefix, the base installation, the package (an editable one lies
    elsewhere). What is below /usr is there anyway."""
    roots = [Path(sys.prefix), Path(sys.base_prefix), _PACKAGE]
    kept: list[Path] = []
    for root in roots:
        if root.is_relative_to("/usr") or any(root.is_relative_to(other) for other in kept):
            continue
        kept.append(root)
    return [str(root) for root in kept]


def base_roots(environments: Path) -> list[str]:
    """Base installations of the virtual environments below `environments`, read from each one's pyvenv.cfg."""
    roots: set[str] = set()
    for config in environments.glob("store/*/pyvenv.cfg") if environments.is_dir() else ():
        for line in config.read_text().splitlines():
            key, _, value = line.partition("=")
            if key.strip() == "home":
                root = Path(value.strip()).resolve().parent
                if not root.is_relative_to("/usr") and root != Path("/"):
                    roots.add(str(root))
    return sorted(roots)


def build_spec(
    paths: Paths,
    domain: str,
    owner: str,
    *,
    isolation: Isolation,
    network: Network = "studio",
    token: str = "",
    address: str = "",
    read_only: bool = False,
    limits: Limits = Limits(),
    child_limits: Limits = Limits(),
    env: Mapping[str, str] | None = None,
    mounts: Sequence[Mount] = (),
) -> SandboxSpec:
    """The sandbox of (domain, owner). `token`: what its code shows to Studio; `address`: Studio's address for code that
    has the host's network; `read_only`: a viewer's, who may not write the shared volume; `env` and `mounts` are added.
    Without isolation the network is the host's, whatever was asked, and the spec says so."""
    network = network if isolation == "bubblewrap" else "open"
    layout = Layout(paths, domain, owner, isolation)
    seen = _mounts(layout, read_only) + list(mounts) if isolation == "bubblewrap" else []
    made = environment(layout, token=token, address=address, network=network)
    return SandboxSpec(
        layout.id, domain, owner, isolation, network, seen, {**made, **(env or {})}, limits, child_limits
    )


def layout_of(paths: Paths, spec: SandboxSpec) -> Layout:
    """The layout of a spec; `Invalid` if its id is not that of its domain and owner."""
    layout = Layout(paths, spec.domain, spec.owner, spec.isolation)
    if spec.id != layout.id:
        raise Invalid(f"The sandbox id {spec.id!r} is not {layout.id!r}.")
    return layout


def environment(layout: Layout, *, token: str, address: str, network: Network) -> dict[str, str]:
    """The variables that every service and child of the sandbox is born with."""
    api = {"studio": f"http://127.0.0.1:{FORWARDER_PORT}", "open": address, "none": ""}[network]
    # Without a network somebody answers there too, and says why nothing is logged.
    tracking = f"http://127.0.0.1:{FORWARDER_PORT}" if network == "none" else api
    made = {
        "STUDIO_IN": layout.inside_in,
        "STUDIO_OUT": layout.inside_out,
        "STUDIO_DOMAIN": layout.domain,
        "STUDIO_USER": layout.owner,
        "STUDIO_SANDBOX": layout.id,
        "STUDIO_NETWORK": network,
        "STUDIO_API": api,
        "STUDIO_TOKEN": token,
        "STUDIO_HOME_DIR": layout.inside_home,
        "STUDIO_SHARED": "" if layout.is_service else layout.inside_shared,
        "STUDIO_GUEST": layout.inside_guest,
        "MLFLOW_TRACKING_URI": tracking,
        "MLFLOW_REGISTRY_URI": tracking,
        "MLFLOW_TRACKING_TOKEN": token,
        "MLFLOW_DISABLE_TELEMETRY": "true",
        # After each run it would print an address that leads nowhere from a browser.
        "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
        "DO_NOT_TRACK": "true",
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        # Arrow's allocator starts a thread at import, after which nothing could be forked any more.
        "JE_ARROW_MALLOC_CONF": "background_thread:false",
        "LOKY_MAX_CPU_COUNT": str(os.cpu_count() or 1),
        "HOME": layout.inside_home,
        "USER": layout.owner,
        "TMPDIR": "/tmp",
        "LANG": "C.UTF-8",
        "TERM": "xterm-256color",
        "SHELL": "/bin/bash",
        "PYTHONUNBUFFERED": "1",
        "PATH": f"{Path(sys.prefix) / 'bin'}:/usr/local/bin:/usr/bin:/bin",
    }
    return {key: value for key, value in made.items() if value}


def _mounts(layout: Layout, read_only: bool) -> list[Mount]:
    found = [
        Mount(str(layout.host_in), "/studio/in"),
        Mount(str(layout.host_out), "/studio/out", writable=True),
        Mount(str(_PACKAGE / "guest"), "/studio/guest/studio/guest"),
        *(Mount(str(_PACKAGE / name), f"/studio/guest/studio/{name}") for name in _GUEST_FILES),
        Mount(str(layout.paths.environments), str(layout.paths.environments)),
        *(Mount(root, root) for root in (*python_roots(), *base_roots(layout.paths.environments))),
    ]
    if layout.is_service:
        return [
            *found,
            Mount(str(layout.host_home), "/studio/home", writable=True),
            Mount(str(layout.host_models), "/models"),
            Mount(str(layout.host_capture), "/capture", writable=True),
        ]
    return [
        *found,
        Mount(str(layout.host_shared), "/volume/shared", writable=not read_only),
        Mount(str(layout.host_home), f"/volume/{layout.owner}", writable=True),
    ]


def prepare(layout: Layout) -> None:
    """Makes the folders and the small files that a start needs; may be called again."""
    for folder in (layout.box, layout.host_in, layout.host_out, layout.host_etc, layout.host_in / "kernels"):
        sockets.private_folder(folder)
    for name in ("r", "k", "t"):
        sockets.private_folder(layout.host_out / name)
    owned = [layout.host_home, layout.paths.environments]
    owned += [layout.host_models, layout.host_capture] if layout.is_service else [layout.host_shared]
    for folder in owned:
        folder.mkdir(parents=True, exist_ok=True)
        if folder.is_symlink():
            raise Denied(f"{folder} is a link.", "Remove it: a volume must be a real folder.")
    sockets.check_path(layout.host_out / "r" / ("x" * 14 + ".sock"))
    if layout.isolation == "none":
        _assemble_guest(layout.host_guest)
    else:
        _write_etc(layout)


def _assemble_guest(root: Path) -> None:
    package = root / "studio"
    package.mkdir(parents=True, exist_ok=True)
    for name in (*_GUEST_FILES, "guest"):
        link = package / name
        if link.is_symlink() and link.readlink() == _PACKAGE / name:
            continue
        link.unlink(missing_ok=True)
        link.symlink_to(_PACKAGE / name)


def _write_etc(layout: Layout) -> None:
    home = layout.inside_home
    files = {
        "passwd": f"{layout.owner}:x:1000:1000:Studio:{home}:/bin/bash\nnobody:x:65534:65534::/:/usr/sbin/nologin\n",
        "group": f"{layout.owner}:x:1000:\nnogroup:x:65534:\n",
        "hosts": f"127.0.0.1 localhost {layout.domain}\n::1 localhost\n",
        "nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n",
        "hostname": f"{layout.domain}\n",
    }
    for name, text in files.items():
        (layout.host_etc / name).write_text(text)


def remove(layout: Layout) -> None:
    """Removes what a sandbox had for its life only, without following links. `in` stays: the server listens there."""
    for folder in (layout.host_out, layout.host_etc, *([layout.host_home] if layout.is_service else [])):
        shutil.rmtree(folder, ignore_errors=True)
