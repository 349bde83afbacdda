"""Takes over what the gateway measured of a wake: how long the first caller waited."""

from contextlib import suppress
from typing import Any

from sqlalchemy import Connection

from studio.errors import NotFound
from studio.serving import endpoints, wakes
from studio.serving.events import tell


def keep(db: Connection, key: str, woke: dict[str, Any]) -> None:
    """`key`: "domain/endpoint"; `woke`: "at_ms", "ms", "cold", "variant". Nothing if it is known, or deleted since."""
    domain, _, name = key.partition("/")
    with suppress(NotFound):
        endpoint = endpoints.get(db, domain, name)
        variant = next((one for one in endpoint.variants if one.name == woke["variant"]), None)
        if variant is None:
            return
        ms, cold = float(woke["ms"]), bool(woke["cold"])
        if wakes.keep(db, domain, name, variant.environment, int(woke["at_ms"]), ms, cold=cold):
            first = ", once its environment had been started" if cold else ""
            tell(db, endpoint.id, f"Woken by a request, which was answered after {_lasted(ms)}{first}.")


def _lasted(ms: float) -> str:
    return f"{ms:.0f} ms" if ms < 1000 else f"{ms / 1000:.1f} s"
