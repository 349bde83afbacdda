"""What state a person's lab is in; pure."""

from dataclasses import dataclass
from typing import Literal

from studio.domains.sandboxes import Sandbox
from studio.runtime.specs import SandboxState

LAB = "lab"
LabStateName = Literal["Stopped", "Starting", "Running", "Failed"]


@dataclass(frozen=True, slots=True)
class LabState:
    """`reason` is for people and ends with what to do."""

    state: LabStateName
    reason: str = ""


def lab_state(wanted: Sandbox | None, observed: SandboxState | None, *, is_listening: bool) -> LabState:
    """Desired and observed → what to show. `is_listening`: somebody answers on the lab's socket."""
    if wanted is None or not wanted.wanted or not wanted.lab_wanted:
        return LabState("Stopped")
    up = observed is not None and observed.state == "Running"
    service = next((item for item in observed.services if item.name == LAB), None) if up and observed else None
    if service is not None and service.state == "Running" and is_listening and not _is_outdated(wanted):
        return LabState("Running")
    if wanted.reason:
        return LabState("Failed", wanted.reason)
    if service is not None and service.reason:
        return LabState("Failed", service.reason)
    return LabState("Starting")


def _is_outdated(wanted: Sandbox) -> bool:
    return wanted.applied_role != wanted.role
