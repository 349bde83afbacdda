"""The kernelspecs that a lab offers: one per environment that is ready."""

from typing import Any

from studio.environments.environments import Environment

PROVISIONER = "studio-fork"


def kernelspec(item: Environment, *, is_default: bool = False) -> dict[str, Any]:
    """`kernel.json` (jupyter_client's format). Its command is never run: the provisioner forks instead."""
    return {
        "argv": ["python", "-m", "ipykernel_launcher", "-f", "{connection_file}"],
        "display_name": f"Python ({item.name})",
        "language": "python",
        "interrupt_mode": "signal",
        "metadata": {
            "debugger": True,
            # Read by people and by the lab, which begins new notebooks with the default.
            "environment": {"version": item.used.number, "hash": item.hash, "default": is_default},
            "kernel_provisioner": {"provisioner_name": PROVISIONER, "config": {"environment": item.name}},
        },
    }
