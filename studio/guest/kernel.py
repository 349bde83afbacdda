"""A Jupyter kernel in a fork that has already imported the environment's libraries."""

import os
import sys
from typing import Any


def main(args: dict[str, Any]) -> int:
    """Runs ipykernel on `args["connection_file"]` until it is shut down. No context, loop or thread of ZMQ exists
    before the fork; the connection file says whether it talks over ipc or tcp."""
    os.environ.pop("JPY_PARENT_PID", None)
    argv = ["-f", args["connection_file"], *map(str, args.get("argv", []))]
    sys.argv = ["ipykernel_launcher.py", *argv]
    # As ipykernel_launcher does: notebooks import modules that lie beside them.
    if "" not in sys.path:
        sys.path.insert(0, "")
    from ipykernel.kernelapp import IPKernelApp

    IPKernelApp.launch_instance(argv=argv)
    return 0
