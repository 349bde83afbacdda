"""What a lock says: packages with their versions; how two locks differ."""

import re
from dataclasses import dataclass

_PIN = re.compile(r"([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^ ;\\]+)")


@dataclass(frozen=True, slots=True)
class Pin:
    """One package; `before` is the other lock's version where it differs. "" in one of both: it is not there."""

    name: str
    version: str
    before: str = ""


def pins(lock: str) -> dict[str, str]:
    """Package → version of a lock's text (a requirements file with hashes)."""
    return {found[1]: found[2] for line in lock.splitlines() if (found := _PIN.match(line))}


def changes(before: dict[str, str], after: dict[str, str]) -> list[Pin]:
    """The packages that differ, by name."""
    names = sorted(before.keys() | after.keys())
    return [
        Pin(name, after.get(name, ""), before.get(name, "")) for name in names if before.get(name) != after.get(name)
    ]
