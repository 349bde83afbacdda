"""What to do about a sandbox and what is kept in it: pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from studio.domains.labs import LAB
from studio.domains.sandboxes import Sandbox
from studio.runtime.specs import Limits, SandboxState

FORK = "fork-"
_NONE = Limits()


@dataclass(frozen=True, slots=True)
class Start:
    """Start the sandbox."""


@dataclass(frozen=True, slots=True)
class Stop:
    """End it and everything in it."""

    why: str


@dataclass(frozen=True, slots=True)
class Refuse:
    """It may not run here; whoever waits for it is told."""

    why: str
    cure: str


@dataclass(frozen=True, slots=True)
class Limit:
    """Put it under other limits while it runs."""

    limits: Limits


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


Action = Start | Stop | Refuse | Limit | OpenDoor | StartForkServer | StartLab | StopService


@dataclass(frozen=True, slots=True)
class Terms:
    """On what terms a sandbox may run here. `refusal`: (why, what to do) if its domain requires more isolation than the
    host has; `limits`: what it is held to."""

    refusal: tuple[str, str] = ("", "")
    limits: Limits = _NONE


_FREE = Terms()


def decide(
    wanted: Sandbox | None, observed: SandboxState | None, ready: Mapping[str, str], terms: Terms = _FREE
) -> list[Action]:
    """Desired and observed → what to do now, in this order. `ready`: the environments that can be used,
    each with the hash it has now."""
    if wanted is None or not wanted.wanted or not wanted.role:
        gone = "its owner is no member any more" if wanted is not None and not wanted.role else "nobody wants it"
        return [Stop(gone)] if observed is not None and observed.state != "Draining" else []
    if terms.refusal[0]:
        is_up = observed is not None and observed.state == "Running"
        return [*([Stop(terms.refusal[0])] if is_up else []), Refuse(*terms.refusal)]
    if observed is None or observed.state == "Exited":
        return [Start()]
    if observed.state != "Running":
        return []  # on its way up or down: its next event leads here again
    if wanted.applied_role != wanted.role:
        return [Stop(f"its owner is {wanted.role} now")]
    if wanted.restart:
        return [Stop("its domain's settings have changed")]
    # Without a network there is no way to Studio either: nobody listens.
    door: list[Action] = [] if observed.network == "none" else [OpenDoor()]
    limit: list[Action] = [] if observed.limits == terms.limits else [Limit(terms.limits)]
    return [*door, *limit, *_services(wanted, observed, ready)]


def _services(wanted: Sandbox, observed: SandboxState, ready: Mapping[str, str]) -> list[Action]:
    running = {service.name: service.revision for service in observed.services}
    actions: list[Action] = []
    # Without a network nobody inside can ask for a fork server: a lab has all of them.
    cut_off = observed.network == "none" and wanted.lab_wanted
    names = sorted({*wanted.environments, *ready}) if cut_off else wanted.environments
    for name in names:
        if name not in ready:
            continue
        if running.get(FORK + name, ready[name]) != ready[name]:
            # Built anew: what was forked goes on with the old one, what comes starts from the new one.
            actions.append(StopService(FORK + name))
        if running.get(FORK + name) != ready[name]:
            actions.append(StartForkServer(name))
    kept = {FORK + name for name in names}
    actions += [StopService(name) for name in sorted(running) if name.startswith(FORK) and name not in kept]
    if wanted.lab_wanted and LAB not in running:
        actions.append(StartLab())
    if not wanted.lab_wanted and LAB in running:
        actions.append(StopService(LAB))
    return actions
