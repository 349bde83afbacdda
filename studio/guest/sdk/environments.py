"""Environments from code."""

import os
from typing import Any

from studio.guest.sdk.call import CallFailed, call, in_domain, segment

WAIT_S = 20


def environments() -> list[dict[str, Any]]:
    """What the domain may use, by name."""
    found: list[dict[str, Any]] = call("GET", in_domain("environments"))
    return found


def add_packages(*packages: str, environment: str | None = None, wait: bool = True) -> str:
    """Adds packages to an environment (default: the one this runs in) and, with `wait`, returns when it is built: the
    name of the environment that has them. One of the catalogue stays as it is; the domain gets a clone. What runs goes
    on with what it has: start a kernel in the environment that is named. `CallFailed` with the reason in words."""
    name = environment or os.environ.get("STUDIO_ENVIRONMENT") or "sklearn"
    path = in_domain(f"environments/{segment(name)}/packages")
    made = call("POST", path, {"packages": list(packages)})
    own = in_domain(f"environments/{segment(made['name'])}")
    while wait and made["state"] in ("Queued", "Building"):
        made = call("GET", own, wait_s=WAIT_S)
    if made["state"] == "Failed":
        raise CallFailed(f"{made['name']} could not be built: {made['error']}")
    return str(made["name"])
