"""What to do about a sandbox and what is kept in it: pure."""

from collections.abc import Collection
from dataclasses import dataclass

from studio.domains.labs import LAB
from studio.domains.sandboxes import Sandbox
from studio.runtime.specs import SandboxState

FORK = "fork-"


@dataclass(frozen=True, slots=True)
class Start:
    """Start the sandbox."""


@dataclass(frozen=True, slots=True)
class Stop:
    """End it and everything in it."""

    why: str


@dataclass(frozen=True, slots=True)
class OpenDoor:
    """Listen on its socket."""


@dataclass(frozen=True, slots=True)
class StartForkServer:
    """Start the fork server of an environment."""

    environment: str


@dataclass(frozen=True, slots=True)
class StartLab:
    """Start the lab."""


@dataclass(frozen=True, slots=True)
class StopService:
    """End a service that is not wanted any more."""

    name: str


Action = Start | Stop | OpenDoor | StartForkServer | StartLab | StopService


def decide(wanted: Sandbox | None, observed: SandboxState | None, ready: Collection[str]) -> list[Action]:
    """Desired and observed → what to do now, in this order. `ready`: the environments that can be used."""
    if wanted is None or not wanted.wanted or not wanted.role:
        gone = "its owner is no member any more" if wanted is not None and not wanted.role else "nobody wants it"
        return [Stop(gone)] if observed is not None and observed.state != "Draining" else []
    if observed is None or observed.state == "Exited":
        return [Start()]
    if observed.state != "Running":
        return []  # on its way up or down: its next event leads here again
    if wanted.applied_role != wanted.role:
        return [Stop(f"its owner is {wanted.role} now")]
    return [OpenDoor(), *_services(wanted, observed, ready)]


def _services(wanted: Sandbox, observed: SandboxState, ready: Collection[str]) -> list[Action]:
    running = {service.name for service in observed.services}
    actions: list[Action] = [
        StartForkServer(name) for name in wanted.environments if name in ready and FORK + name not in running
    ]
    kept = {FORK + name for name in wanted.environments}
    actions += [StopService(name) for name in sorted(running) if name.startswith(FORK) and name not in kept]
    if wanted.lab_wanted and LAB not in running:
        actions.append(StartLab())
    if not wanted.lab_wanted and LAB in running:
        actions.append(StopService(LAB))
    return actions
