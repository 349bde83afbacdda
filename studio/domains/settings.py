"""What a domain's admins set: its network, what its sandboxes may use, how isolated they are, when idle ones end."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, update

from studio.domains import domains, sandboxes
from studio.domains.decide import Terms
from studio.domains.domains import NETWORK_MODES, Domain
from studio.errors import Invalid
from studio.runtime.isolation_report import LEVELS, shortfall
from studio.runtime.limits import host_memory_mb
from studio.runtime.specs import Limits
from studio.store import signal
from studio.store.tables.domains import domains as table

# A kernel with all its libraries' threads has about thirty; what is left for everybody else is the host's own.
PROCESSES = 8192
SHARE_OF_MEMORY = 0.8
LONGEST_IDLE_MINUTES = 30 * 24 * 60


@dataclass(frozen=True, slots=True)
class Range:
    """What a number may be, besides 0 (no limit) and nothing (what fits this host)."""

    lowest: float
    highest: float
    what: str


_RANGES = {
    "memory_mb": Range(256, 16_777_216, "MiB of memory"),
    "cpu": Range(0.1, 1024, "cores"),
    "processes": Range(64, 4_194_304, "processes and threads"),
}


def change(db: Connection, name: str, changes: dict[str, Any]) -> Domain:
    """Sets what is named in `changes` (fields of `Domain`) and leaves the rest; `Invalid` says what is possible."""
    before = domains.get(db, name)
    for field, value in changes.items():
        _check(field, value)
    found = {field: value for field, value in changes.items() if getattr(before, field) != value}
    if found:
        db.execute(update(table).where(table.c.name == name).values(found))
        signal(db, "domains", name, name)
        signal(db, "sandboxes", name)
    return domains.get(db, name)


def restart(db: Connection, domain: str) -> None:
    """The domain's sandboxes that are wanted shall end and start anew, with the settings of now."""
    sandboxes.request_restart(db, domain)


def _check(field: str, value: Any) -> None:
    if field in _RANGES:
        _check_range(_RANGES[field], value)
    elif field == "title":
        domains.check_title(value)
    elif field == "network_mode":
        _check_choice("network mode", value, NETWORK_MODES)
    elif field == "required_isolation":
        _check_choice("level of isolation", value, LEVELS)
    elif field == "idle_minutes":
        if not 0 <= value <= LONGEST_IDLE_MINUTES:
            raise Invalid(f"{value} idle minutes are not possible.", "Choose 1 to 43200, or 0 for never.")
    else:
        raise Invalid(f"{field!r} is no setting of a domain.", f"Settings: {', '.join(_NAMES)}.")


_NAMES = ("title", "network_mode", *_RANGES, "required_isolation", "idle_minutes")


def _check_range(allowed: Range, value: float | None) -> None:
    if value and not allowed.lowest <= value <= allowed.highest:
        raise Invalid(
            f"{value:g} {allowed.what} are not possible.",
            f"Choose {allowed.lowest:g} to {allowed.highest:g}, 0 for no limit, or nothing for what fits this host.",
        )


def _check_choice(what: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise Invalid(f"{value!r} is no {what}.", f"Use one of {', '.join(choices)}.")


def terms(wanted: sandboxes.Sandbox, reached: str) -> Terms:
    """On what terms a sandbox may run on a host that reaches this level of isolation."""
    return Terms(shortfall(wanted.required_isolation, reached), limits(wanted))


def limits(domain: Domain | sandboxes.Sandbox) -> Limits:
    """What each sandbox of the domain is held to (0: not). Where nothing is set: four fifths of the host's memory and
    8192 processes, so that none of them takes the host along; cores are shared evenly by the kernel."""
    memory = domain.memory_mb if domain.memory_mb is not None else int(host_memory_mb() * SHARE_OF_MEMORY)
    processes = domain.processes if domain.processes is not None else PROCESSES
    return Limits(domain.cpu or 0.0, memory, processes)
