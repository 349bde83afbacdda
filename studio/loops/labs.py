"""Starts labs: a description for each, then a service that is kept."""

import asyncio
import sys

import msgspec

from studio import __version__
from studio.domains import addresses, domains
from studio.domains.labs import LAB
from studio.domains.sandboxes import Sandbox
from studio.loops.context import LoopContext
from studio.loops.files import write_file
from studio.runtime.sandbox import FORWARDER_PORT, Layout
from studio.runtime.specs import ServiceSpec


async def start(context: LoopContext, wanted: Sandbox) -> None:
    """Writes `in/lab.json` and asks for the service "lab"."""
    domain = await context.store.read(lambda db: domains.get(db, wanted.domain))
    layout = context.layout(wanted.domain, wanted.owner)
    origin = addresses.origin(context.address, domain)
    description = describe(context, wanted, layout, origin)
    await asyncio.to_thread(write_file, layout.host_in / "lab.json", msgspec.json.encode(description).decode())
    await context.supervisor.service_start(wanted.id, service(layout))


def service(layout: Layout) -> ServiceSpec:
    """The lab's process; kept: it is started again with what it finds in its sandbox."""
    argv = [sys.executable, "-m", "studio.lab", "--config", f"{layout.inside_in}/lab.json"]
    return ServiceSpec(LAB, argv, cwd=layout.inside_home)


def describe(context: LoopContext, wanted: Sandbox, layout: Layout, origin: str) -> dict[str, str]:
    """What `studio.lab.config.Lab` reads."""
    network = "open" if layout.isolation == "none" else wanted.network
    api = {"studio": f"http://127.0.0.1:{FORWARDER_PORT}", "open": context.address, "none": ""}[network]
    return {
        "socket": f"{layout.inside_out}/lab.sock",
        "secret": wanted.lab_secret(context.secret),
        "domain": wanted.domain,
        "user": wanted.owner,
        "role": wanted.role,
        "root_dir": root_dir(layout),
        "base_url": "/",
        "origin": origin,
        "api": api,
        "version": __version__,
        "address": context.address,
    }


def root_dir(layout: Layout) -> str:
    """What the file browser shows: inside, the folder of the shared volume and the person's own; without isolation
    only their own, since the domain's folder would show everybody's."""
    return "/volume" if layout.isolation == "bubblewrap" else str(layout.host_home)
