"""What one lab is told at its start, and what that means in Jupyter's own settings."""

import sys
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
from traitlets.config import Config

from studio.errors import Invalid

SETTINGS_FOLDER = Path(__file__).parent / "settings"


class Lab(msgspec.Struct, frozen=True):
    """One lab (`STUDIO_IN/lab.json`). `secret` is what the gateway proves itself with; `origin` is the browser's origin
    of this lab; `api` the address of Studio's API seen from here; `address` the one the browser knows it by."""

    socket: str
    secret: str
    domain: str
    user: str
    role: str
    root_dir: str
    base_url: str = "/"
    origin: str = ""
    api: str = ""
    version: str = ""
    address: str = ""


def read(path: Path) -> Lab:
    """The lab described in `path`; `Invalid` if it is not one or would leave the door open."""
    try:
        lab = msgspec.json.decode(path.read_bytes(), type=Lab)
    except (OSError, msgspec.DecodeError) as error:
        raise Invalid(f"{path} does not describe a lab: {error}.", "Open the lab again.") from error
    if len(lab.secret) < 16:
        raise Invalid("The lab's secret is missing or too short.", "Open the lab again.")
    return lab


def jupyter(lab: Lab, inside: Path, outside: Path) -> Config:
    """Jupyter's settings for `lab`; `inside` and `outside` are the sandbox's STUDIO_IN and STUDIO_OUT."""
    config = Config()
    config.ServerApp.update(_server(lab))
    config.LabApp.update(
        extension_manager="readonly",
        news_url=None,
        check_for_updates_class="jupyterlab.NeverCheckForUpdate",
        app_settings_dir=str(SETTINGS_FOLDER),
    )
    config.LabApp.labextensions_path = _labextensions()
    config.StudioKernelSpecManager.folder = str(inside / "kernels")
    config.StudioIdentityProvider.update(secret=lab.secret, domain=lab.domain, user=lab.user)
    config.KernelManager.transport = "ipc"
    config.MultiKernelManager.default_kernel_name = default_kernel(inside / "kernels")
    # Which notebook has which kernel outlives the lab, as the kernels do.
    config.SessionManager.database_filepath = str(outside / "k" / "sessions.db")
    config.MappingKernelManager.cull_idle_timeout = 0
    # The sandbox's volume has no trash of its own, and one in HOME would copy across mounts.
    config.FileContentsManager.update(delete_to_trash=False, always_delete_dir=True)
    config.ForkProvisioner.update(sockets=str(outside), domain=lab.domain)
    return config


def _server(lab: Lab) -> dict[str, object]:
    host = urlsplit(lab.origin).hostname
    names = ["localhost", f"{lab.domain}.localhost", *([host] if host else [])]
    shell = next((path for path in ("/bin/bash", "/bin/sh") if Path(path).exists()), "sh")
    return {
        "sock": lab.socket,
        "base_url": lab.base_url,
        "root_dir": lab.root_dir,
        # The volume's top holds `shared` and the person's own folder, and is itself closed for writing.
        "preferred_dir": str(home) if (home := Path(lab.root_dir) / lab.user).is_dir() else lab.root_dir,
        "identity_provider_class": "studio.lab.identity.StudioIdentityProvider",
        "authorizer_class": "studio.lab.identity.RoleAuthorizer",
        "kernel_manager_class": "studio.lab.kernels.KeptKernels",
        "kernel_spec_manager_class": "studio.lab.kernelspecs.StudioKernelSpecManager",
        "kernel_websocket_connection_class": "studio.lab.channels.PromptConnection",
        "allow_unauthenticated_access": False,
        "allow_remote_access": False,
        "local_hostnames": list(dict.fromkeys(names)),
        "allow_root": True,
        "open_browser": False,
        "quit_button": False,
        "terminals_enabled": lab.role != "viewer",
        "terminado_settings": {"shell_command": [shell]},
        # Named one by one: what else the Python prefix has installed (a proxy to any port, say) is not loaded.
        "jpserver_extensions": {"jupyter_server_terminals": lab.role != "viewer", "studio.lab": True},
    }


def default_kernel(folder: Path) -> str:
    """The environment a new notebook starts in: the domain's choice; else `sklearn` if it has that, else its first."""
    found = {path.parent.name: _is_default(path) for path in sorted(folder.glob("*/kernel.json"))}
    chosen = [name for name, is_default in found.items() if is_default]
    return next(iter([*chosen, *(name for name in found if name == "sklearn"), *found]), "sklearn")


def _is_default(path: Path) -> bool:
    try:
        return bool(msgspec.json.decode(path.read_bytes())["metadata"]["environment"]["default"])
    except (OSError, msgspec.DecodeError, KeyError, TypeError):
        return False


def _labextensions() -> list[str]:
    """Only prebuilt extensions of Studio's own prefix: none from the person's folders, which notebooks can write."""
    return [str(Path(sys.prefix) / "share" / "jupyter" / "labextensions")]
