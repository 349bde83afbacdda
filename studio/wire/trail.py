"""What a request leaves in the audit log: begun by the permission check, written beside the route's first write."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import msgspec

from studio.access.audit import DENIED, Entry
from studio.access.places import place
from studio.access.principals import Kind, Principal
from studio.errors import StudioError
from studio.ids import new_id
from studio.store import beside
from studio.store.beside import Beside
from studio.wire.context import Studio

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
# Changes that leave no row: too many, each on record elsewhere, or Studio's own.
UNRECORDED = frozenset({"tracking.write", "serving.invoke", "service.report"})
HEADER = b"x-studio-request"


class Trail(Beside):
    """Of one request. `entry`: what it will have done; `is_refused`: a refusal of it is on record."""

    __slots__ = ("entry", "is_refused", "request", "said")

    def __init__(self) -> None:
        super().__init__()
        self.entry: Entry | None = None
        self.is_refused = False
        self.request = ""  # its id, once there is something to record
        self.said = ""  # why it was refused after the check


def is_recorded(action: str, method: str) -> bool:
    """Whether a permitted call leaves a row."""
    return method not in SAFE and action not in UNRECORDED and not action.endswith((".read", ".list"))


@contextmanager
def following() -> Iterator[Trail]:
    """The trail of the request that is answered inside."""
    trail = Trail()
    token = beside.current.set(trail)
    try:
        yield trail
    finally:
        trail.is_over = True
        beside.current.reset(token)


def begin(
    studio: Studio, scope: Mapping[str, Any], principal: Principal, action: str, domain: str | None, resource: str
) -> None:
    """The check has passed: what follows is on record with the first write."""
    trail = beside.current.get()
    if not isinstance(trail, Trail) or not is_recorded(action, scope.get("method", "GET")):
        return
    trail.entry = _entry(trail, scope, principal, action, domain, resource)
    trail.also = lambda db: studio.audit.append(db, trail.entry) if trail.entry is not None else None


def about(resource: str = "", detail: str = "") -> None:
    """For a route, before its write: what it makes, where the path does not say, and in a few words what changes."""
    found = beside.current.get()
    if isinstance(found, Trail) and found.entry is not None:
        resource = resource or found.entry.resource
        found.entry = msgspec.structs.replace(found.entry, resource=resource, detail=detail)


async def refuse(
    studio: Studio,
    scope: Mapping[str, Any],
    principal: Principal,
    action: str,
    domain: str | None,
    resource: str,
    why: str,
) -> None:
    """The check has not passed: on record, unless there are too many. Nobody is known where nobody is signed in."""
    if principal.kind is Kind.anonymous:
        return
    found = beside.current.get()
    trail = found if isinstance(found, Trail) else Trail()
    entry = _entry(trail, scope, principal, action, domain, resource)
    trail.is_refused = True
    await studio.audit.refused(msgspec.structs.replace(entry, outcome=DENIED, detail=why))


def note_refusal(error: StudioError) -> None:
    """A route's own refusal, after the check: its words go on record."""
    found = beside.current.get()
    if error.status == 403 and isinstance(found, Trail):
        found.said = error.message


async def finish(studio: Studio, trail: Trail, status: int) -> None:
    """At the answer's first byte: what was done without a write of its own, or refused by the route itself."""
    entry, trail.entry = trail.entry, None
    if entry is None:
        return
    if status < 400 and trail.is_due:
        trail.is_over = True
        await studio.store.write(lambda db: studio.audit.append(db, entry))
    elif status == 403 and not trail.is_refused:
        trail.is_over = True
        await studio.audit.refused(msgspec.structs.replace(entry, outcome=DENIED, detail=trail.said))


def _entry(
    trail: Trail, scope: Mapping[str, Any], principal: Principal, action: str, domain: str | None, resource: str
) -> Entry:
    trail.request = trail.request or new_id("request")
    if not resource:
        # What the path names, whatever it is: for whoever reads the log, not for the decision.
        path = ((name, value) for name, value in scope.get("path_params", {}).items() if name != "domain")
        resource = next((f"{name.removesuffix('_id')}/{value}" for name, value in path), "")
    return Entry(
        user=principal.user,
        kind=str(principal.kind),
        action=action,
        domain=domain or "",
        resource=resource,
        credential=principal.credential,
        request=trail.request,
        address=_address(scope, principal),
    )


def _address(scope: Mapping[str, Any], principal: Principal) -> str:
    """Coarse: who looks at the log needs to tell one place from another, not where somebody lives."""
    if principal.kind in (Kind.sandbox, Kind.operator):
        return str(principal.kind)
    sent = [value for name, value in scope.get("headers", ()) if name == b"x-studio-client"]
    return place("", sent[0].decode("latin-1")).address if len(sent) == 1 else ""
