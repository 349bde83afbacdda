"""`python -m studio.lab --config FILE`: one lab, until it is told to end."""

import argparse
import os
import sys
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import TYPE_CHECKING

from studio.lab.config import Lab, jupyter, read

if TYPE_CHECKING:
    from jupyter_server.serverapp import ServerApp


def main(argv: list[str] | None = None) -> int:
    """Reads the lab's description, serves until SIGTERM; 0 at a normal end."""
    parser = argparse.ArgumentParser(prog="python -m studio.lab")
    parser.add_argument("--config", type=Path, required=True, help="lab.json, written by Studio")
    lab = read(parser.parse_args(argv).config)
    inside = Path(os.environ.get("STUDIO_IN", "/studio/in"))
    outside = Path(os.environ.get("STUDIO_OUT", "/studio/out"))
    prepare(lab, inside, outside)
    server = make(lab, inside, outside)
    server.start()
    return 0


def prepare(lab: Lab, inside: Path, outside: Path) -> None:
    """Folders and variables that Jupyter reads while it is imported."""
    kernels = outside / "k"
    kernels.mkdir(mode=0o700, exist_ok=True)
    os.environ["JUPYTER_RUNTIME_DIR"] = str(kernels)
    os.environ.setdefault("STUDIO_API", lab.api)
    home = Path(os.environ.get("HOME", "/"))
    if not os.access(home, os.W_OK):
        # A viewer's HOME is read-only; the lab itself still wants to keep its layout and settings somewhere.
        own = outside / "jupyter"
        own.mkdir(mode=0o700, exist_ok=True)
        os.environ.update(JUPYTER_CONFIG_DIR=str(own), JUPYTER_DATA_DIR=str(own / "data"))
    # A socket left by a lab that was killed; there is one lab per sandbox, so nobody listens there.
    Path(lab.socket).unlink(missing_ok=True)
    # ipykernel reads this while it is imported and then ends with a parent whose pid means nothing in a pid namespace.
    os.environ.pop("JPY_PARENT_PID", None)


def make(lab: Lab, inside: Path, outside: Path) -> "ServerApp":
    """The Jupyter server of `lab`, initialised and guarded, not yet serving."""
    from jupyter_client.provisioning import KernelProvisionerFactory
    from jupyter_server.serverapp import ServerApp
    from jupyterlab.labapp import LabApp

    from studio.lab import adoption
    from studio.lab.extension import describe
    from studio.lab.guard import guard
    from studio.lab.kernelspecs import PROVISIONER

    # Named here as well as in the package's metadata, which a checkout on PYTHONPATH does not have.
    KernelProvisionerFactory.provisioners[PROVISIONER] = EntryPoint(
        PROVISIONER, "studio.lab.provisioner:ForkProvisioner", KernelProvisionerFactory.GROUP_NAME
    )
    server = ServerApp.instance(config=jupyter(lab, inside, outside))
    server.jpserver_extensions = {"jupyterlab": True}
    server.initialize(argv=[], starter_extension=LabApp.name, find_extensions=False, new_httpserver=False)
    describe(server, lab)
    guard(server.web_app, lab)
    server.io_loop.run_sync(lambda: adoption.adopt_all(server, outside / "k"))
    server.init_httpserver()
    return server


if __name__ == "__main__":
    sys.exit(main())
