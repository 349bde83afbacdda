"""An endpoint's settings, changed while it serves."""

import re
from dataclasses import dataclass, fields
from typing import Any

import msgspec
from sqlalchemy import Connection

from studio.errors import Invalid
from studio.serving import endpoints
from studio.serving.endpoints import MODES, Endpoint
from studio.serving.events import tell

MOST_BODY = 256 << 20
MOST_ORIGINS = 20
MOST_REDACTED = 500
REDACTED_BYTES = 32 << 10  # of all names: the monitor's job is told them as one argument, which a system bounds
# As a browser writes it: scheme, host, port, nothing else; never a wildcard.
_ORIGIN = re.compile(r"https?://([a-z0-9-]+\.)*[a-z0-9-]+(:\d{1,5})?")


@dataclass(frozen=True, slots=True)
class Settings:
    """What shall change; None stays as it is. The words are those of `Endpoint`; a `rate_limit` of 0 is none."""

    mode: str | None = None
    idle_s: float | None = None
    timeout_s: float | None = None
    max_body: int | None = None
    rate_limit: float | None = None
    cors: list[str] | None = None
    target_load: float | None = None
    fast_path: bool | None = None
    capture: bool | None = None
    capture_percent: float | None = None
    capture_days: int | None = None
    redact: list[str] | None = None


LIMITS: dict[str, tuple[float, float, str]] = {
    "idle_s": (1, 86_400, "seconds"),
    "timeout_s": (0.05, 3600, "seconds"),
    "max_body": (1, MOST_BODY, "bytes"),
    "rate_limit": (0, 1_000_000, "requests per second"),
    "target_load": (0.1, 1000, "requests"),
    "capture_percent": (0, 100, "per cent"),
    "capture_days": (1, 3650, "days"),
}


def tune(db: Connection, domain: str, name: str, settings: Settings, user: str) -> Endpoint:
    """Changes what is not None; replicas go on, but for `fast_path`, which acts on those that start from now on."""
    found = endpoints.changeable(db, domain, name)
    given: dict[str, Any] = {f.name: v for f in fields(settings) if (v := getattr(settings, f.name)) is not None}
    _check(given)
    asked = {key: tuple(dict.fromkeys(value)) if isinstance(value, list) else value for key, value in given.items()}
    if "rate_limit" in asked:
        asked["rate_limit"] = asked["rate_limit"] or None
    changed = {key: value for key, value in asked.items() if getattr(found, key) != value}
    if changed:
        tell(db, found.id, f"{user} sets " + ", ".join(f"{k} to {_shown(v)}" for k, v in changed.items()) + ".")
        rows = {k: msgspec.json.encode(v).decode() if isinstance(v, tuple) else v for k, v in changed.items()}
        endpoints.change(db, found, **rows)
    return endpoints.get(db, domain, name)


def _check(given: dict[str, Any]) -> None:
    if "mode" in given and given["mode"] not in MODES:
        raise Invalid(f"{given['mode']!r} is no mode of an endpoint.", "Choose always or serverless.")
    for key, (least, most, unit) in LIMITS.items():
        if key in given and not least <= given[key] <= most:
            raise Invalid(f"{key} cannot be {given[key]:g} {unit}.", f"Choose {least:g} to {most:g}.")
    for origin in given.get("cors", ()):
        if not _ORIGIN.fullmatch(origin):
            raise Invalid(
                f"{origin[:200]!r} is no origin.",
                "Write it as a browser does: https://app.example.org, without a path.",
            )
    if len(given.get("cors", ())) > MOST_ORIGINS:
        raise Invalid(f"More than {MOST_ORIGINS} origins.", "Put a page of your own before it.")
    if len(given.get("redact", ())) > MOST_REDACTED or any(not c or len(c) > 500 for c in given.get("redact", ())):
        raise Invalid("These are no names of columns.", f"Name at most {MOST_REDACTED}, each of 1 to 500 characters.")
    if sum(len(c.encode()) for c in given.get("redact", ())) > REDACTED_BYTES:
        raise Invalid(f"The names of columns are over {REDACTED_BYTES >> 10} KiB together.", "Name fewer of them.")


def _shown(value: Any) -> str:
    return ", ".join(value) or "none" if isinstance(value, tuple) else str(value)
