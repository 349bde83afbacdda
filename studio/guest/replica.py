"""A replica: one model behind one unix socket. The fork server calls `main` in a fresh fork.

    args = {"socket": path, "model_dir": folder of the model, "name": replica's name, "status"?: path,
            "fast_path"?: whether scikit-learn's models may be computed without it (true)}

The socket appears only when the model has predicted its logged input example: whoever can connect has a ready
replica. `status` (default: the socket's path + ".json") then says {"state": "Ready", …}; if the model cannot be used,
{"state": "Failed", "message", "hint", "traceback"} and the process exits with 1.
"""

import asyncio
import gc
import os
import sys
import time
from pathlib import Path
from typing import Any

from studio.guest.serving.host import Host, write_status
from studio.guest.serving.models import Model, load
from studio.guest.serving.problems import CannotLoad


def main(args: dict[str, Any]) -> None:
    """Loads, checks, serves until drained (SIGTERM, or a DRAIN frame); exits with 1 if the model cannot be used."""
    socket = Path(args["socket"])
    status = Path(args.get("status") or f"{socket}.json")
    about: dict[str, Any] = {"name": str(args.get("name") or socket.stem), "pid": os.getpid()}
    begun = time.perf_counter()
    try:
        model = load(Path(args["model_dir"]), fast_path=args.get("fast_path") is not False)
    except CannotLoad as problem:
        print(f"{problem.details}\n{problem.message}\n{problem.hint}", file=sys.stderr, flush=True)
        write_status(
            status,
            about | {"state": "Failed", "message": problem.message, "hint": problem.hint, "traceback": problem.details},
        )
        sys.exit(1)
    about |= _describe(model, round((time.perf_counter() - begun) * 1000, 1))
    # What was loaded stays: the collector need not walk it, and its pages stay shared with the fork server.
    gc.collect()
    gc.freeze()
    _run(model, about, socket, status)


def _describe(model: Model, load_ms: float) -> dict[str, Any]:
    loaded = {
        "flavor": model.flavor,
        "fast_path": model.fast_path,
        "rows_batched": model.row_wise,
        "load_ms": load_ms,
    }
    return {
        "state": "Ready",
        "flavor": model.flavor,
        "arrays": model.arrays,
        "row_wise": model.row_wise,
        "checked": model.described.example is not None,
        "load_ms": load_ms,
        "loaded": loaded,
    }


def _run(model: Model, about: dict[str, Any], socket: Path, status: Path) -> None:
    async def serve() -> None:
        host = Host(model, about, asyncio.get_running_loop())
        # The signature goes into the file only: hello is a frame's header, and a table can have a thousand columns.
        signature = [
            {"name": c.name, "type": c.type, "required": c.required} for c in model.described.signature.columns
        ]
        await host.serve(socket, lambda: write_status(status, about | {"signature": signature}))

    try:
        import uvloop
    except ImportError:
        asyncio.run(serve())
    else:
        uvloop.run(serve())
