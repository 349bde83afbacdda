"""What loops work with; made once by `server`."""

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from studio.access.audit import Audit
from studio.runtime.gateway_control import GatewayControl
from studio.runtime.sandbox import Layout
from studio.settings import Settings
from studio.store import Store

if TYPE_CHECKING:
    from studio.runtime.supervising import Supervisor


class Doors(Protocol):
    """The server's own sockets, one per sandbox, in the folder that the sandbox sees."""

    async def open(self, sandbox: str, token: str) -> None:
        """Listens for `sandbox`; nobody is let in without `token`. Again with another token: the old one is void."""

    async def close(self, sandbox: str) -> None:
        """Ends the door and what came through it."""

    def is_open(self, sandbox: str, token: str) -> bool:
        """Whether the door is there and takes `token`."""


@dataclass(slots=True)
class LoopContext:
    """Shared by all loops of one server process."""

    settings: Settings
    store: Store
    supervisor: "Supervisor"
    gateway: GatewayControl
    address: str  # http://127.0.0.1:PORT of the gateway
    gateway_stats: dict[str, dict[str, Any]]  # "domain/endpoint" → the gateway's last figures
    doors: Doors
    secret: str  # the installation's master key: tokens of sandboxes are derived from it
    audit: Audit
    isolation: str = "bubblewrap"  # what this host can do: bubblewrap or none
    logged: dict[str, str] = field(default_factory=dict)  # what was last said about a thing, so that it is said once
    attempts: dict[str, "Attempts"] = field(default_factory=dict)  # failures in a row by thing, for back-off

    watching: dict[str, asyncio.Task[None]] = field(default_factory=dict)  # labs whose socket is looked for

    full: dict[str, str] = field(default_factory=dict)  # domains over their quota, and why
    spilled: dict[str, int] = field(default_factory=dict)  # what those stored whose sandboxes the full disk has ended

    idle: dict[str, Any] = field(default_factory=dict)  # what `loops.idle` last saw of each sandbox

    def layout(self, domain: str, owner: str) -> Layout:
        """Where the sandbox of (domain, owner) has its folders."""
        return Layout(self.settings.paths, domain, owner, "bubblewrap" if self.isolation == "bubblewrap" else "none")


@dataclass(slots=True)
class Attempts:
    """`not_before` on the monotonic clock."""

    failures: int = 0
    not_before: float = 0.0
