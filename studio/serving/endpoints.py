"""Endpoints as desired state: asking for one, for another version, for its end. `loops.serving` makes it so."""

from dataclasses import dataclass, replace
from typing import Any

import msgspec
from sqlalchemy import Connection, delete, insert, select, update

from studio.clock import now_ms
from studio.domains import instance_types
from studio.environments import environments
from studio.environments.defaults import get_default
from studio.errors import AlreadyExists, Conflict, Invalid, NotFound
from studio.ids import check_name, new_id
from studio.registry import versions
from studio.serving import variants
from studio.serving.events import tell
from studio.serving.states import EndpointState, VariantState
from studio.serving.variants import Replica, Variant, list_variants
from studio.store import signal
from studio.store.tables.serving import endpoints
from studio.store.tenancy import EVERY, FOUND, scope_query

MODES = ("always", "serverless")
IDLE_S = 300.0
TIMEOUT_S = 60.0


@dataclass(frozen=True, slots=True)
class Wanted:
    """A request for an endpoint. `model`: models:/name@alias or models:/name/3; `environment` "" means the domain's
    default."""

    name: str
    model: str
    mode: str = "always"
    instance_type: str = instance_types.DEFAULT
    environment: str = ""
    capture: bool = True
    idle_s: float = IDLE_S
    min_replicas: int = 1
    max_replicas: int = 1
    fast_path: bool = True


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A served name. `version` is the one asked for last, `previous_version` what undo goes back to; `redact`: columns
    whose values are not kept; `rate_limit`: requests per second; `max_body`: bytes; `cors`: origins whose pages may
    call it; `target_load`: requests in flight and queued, per replica, above which there are more; `rollout`: the shift
    of traffic under way, JSON (`studio.serving.rollout`) or empty."""

    id: str
    domain: str
    name: str
    owner: str
    mode: str
    instance_type: str
    capture: bool
    idle_s: float
    timeout_s: float
    model: str
    version: int
    previous_version: int | None
    state: EndpointState
    reason: str
    notice: str
    deleting: bool
    stopped: bool
    capture_percent: float
    capture_days: int
    redact: tuple[str, ...]
    rate_limit: float | None
    max_body: int
    cors: tuple[str, ...]
    fast_path: bool
    target_load: float
    rollout: str
    created_ms: int
    variants: tuple[Variant, ...]

    @property
    def serving(self) -> Variant | None:
        """The variant that has the traffic, or most of it; among equals the newest."""
        found = [v for v in self.variants if v.state is VariantState.serving and not v.shadow]
        return max(found, key=lambda v: (v.weight, v.created_ms, v.id), default=None)

    @property
    def shown(self) -> Variant | None:
        """The variant that describes the endpoint: the serving one, else the newest."""
        own = [v for v in self.variants if not v.shadow]
        return self.serving or (own[-1] if own else None)

    def variant(self, id: str) -> Variant:
        """The variant `id`, which is there."""
        return next(v for v in self.variants if v.id == id)

    def replica(self, id: str) -> tuple[Variant, Replica]:
        """The replica `id`, which is there, with its variant."""
        return next((v, r) for v in self.variants for r in v.replicas if r.id == id)

    @property
    def sandbox(self) -> str:
        """The service sandbox of its domain."""
        return f"{self.domain}.service"


def create(db: Connection, domain: str, owner: str, wanted: Wanted) -> Endpoint:
    """Asks for an endpoint. The same request again gives the same one (tried again if it had failed)."""
    check_name(wanted.name, "endpoint")
    if wanted.mode not in MODES:
        raise Invalid(f"{wanted.mode!r} is no mode of an endpoint.", "Choose always or serverless.")
    if not 1 <= wanted.idle_s <= 86_400:
        raise Invalid(f"An idle time of {wanted.idle_s} s is not possible.", "Choose 1 to 86400 seconds.")
    variants.check_limits(wanted.min_replicas, wanted.max_replicas)
    version = versions.resolve(db, domain, wanted.model)
    where = environments.require_ready(db, domain, wanted.environment or get_default(db, domain)).name
    kind = instance_types.get(db, wanted.instance_type)
    if (found := _find(db, domain, wanted.name)) is not None:
        return _again(db, found, replace(wanted, environment=where), version.name, version.version)
    id = new_id("ep")
    given = {"name": wanted.name, "mode": wanted.mode, "capture": wanted.capture, "idle_s": wanted.idle_s}
    given |= {"fast_path": wanted.fast_path}
    named = {"id": id, "domain": domain, "owner": owner, "instance_type": kind.name, "timeout_s": TIMEOUT_S}
    target = {"model": version.name, "version": version.version, "state": EndpointState.creating}
    db.execute(insert(endpoints).values(**given, **named, **target, created_ms=now_ms()))
    variants.add(db, id, _first(wanted, version.version, where, kind.name))
    tell(db, id, f"{owner} deploys {version.name} version {version.version} ({wanted.mode}, {kind.name}).")
    signal(db, "endpoints", domain, wanted.name)
    return get(db, domain, wanted.name)


def _again(db: Connection, found: Endpoint, wanted: Wanted, model: str, version: int) -> Endpoint:
    if found.deleting:
        raise Conflict(f"The endpoint {found.name} is being deleted.", "Try again in a second.")
    same = (found.model, found.mode, found.version) == (model, wanted.mode, version)
    if not same:
        raise AlreadyExists(
            f"There is an endpoint {found.name} already: {found.model} version {found.version}, {found.mode}.",
            "Promote the other version on it, delete it first, or choose another name.",
        )
    if found.state is EndpointState.failed:
        variants.add(db, found.id, _first(wanted, version, wanted.environment, found.instance_type))
        tell(db, found.id, f"Trying version {version} again.")
        change(db, found, state=EndpointState.creating, reason=f"Trying version {version} again.")
    return get(db, found.domain, found.name)


def _first(wanted: Wanted, version: int, environment: str, instance_type: str) -> variants.Wanted:
    least, most = wanted.min_replicas, wanted.max_replicas
    return variants.Wanted(version, environment, instance_type, min_replicas=least, max_replicas=most)


def remove(db: Connection, domain: str, name: str, user: str) -> None:
    """Asks for its end; again: nothing happens."""
    found = get(db, domain, name)
    if not found.deleting:
        values = {"deleting": True, "state": EndpointState.deleting, "reason": "Ending its replicas."}
        db.execute(scope_query(update(endpoints), endpoints, FOUND).where(endpoints.c.id == found.id).values(values))
        tell(db, found.id, f"{user} deletes it.")
        signal(db, "endpoints", domain, name)


def stop(db: Connection, domain: str, name: str) -> None:
    """To zero, whatever its mode: it costs nothing until the next request wakes it."""
    found = get(db, domain, name)
    if not found.deleting and not found.stopped:
        tell(db, found.id, "Stopped; the next request wakes it.")
        change(db, found, stopped=True)


def stop_all(db: Connection, domain: str) -> None:
    """Stops every endpoint of the domain."""
    for found in list_endpoints(db, domain):
        stop(db, domain, found.name)


def change(db: Connection, endpoint: Endpoint, **values: Any) -> None:
    """Notes what was found out or decided about it, or about its variants (no values)."""
    if values:
        db.execute(scope_query(update(endpoints), endpoints, FOUND).where(endpoints.c.id == endpoint.id).values(values))
    signal(db, "endpoints", endpoint.domain, endpoint.name)


def erase(db: Connection, endpoint: Endpoint) -> None:
    """Removes it with everything that was recorded of it; nothing of it may run any more."""
    db.execute(scope_query(delete(endpoints), endpoints, FOUND).where(endpoints.c.id == endpoint.id))
    signal(db, "endpoints", endpoint.domain, endpoint.name)


def get(db: Connection, domain: str, name: str) -> Endpoint:
    """The endpoint `name` of `domain`, or `NotFound`."""
    found = _find(db, domain, name)
    if found is None:
        known = ", ".join(item.name for item in list_endpoints(db, domain)) or "none yet"
        raise NotFound(f"There is no endpoint {name!r} in {domain}.", f"Its endpoints: {known}.")
    return found


def get_by_id(db: Connection, id: str) -> Endpoint | None:
    """The endpoint with this id, if it is there still."""
    row = db.execute(scope_query(select(endpoints), endpoints, FOUND).where(endpoints.c.id == id)).one_or_none()
    return None if row is None else _endpoint(db, dict(row._mapping))


def list_endpoints(db: Connection, domain: str | None = None) -> list[Endpoint]:
    """All of `domain` (of all domains), by name."""
    query = scope_query(select(endpoints), endpoints, EVERY if domain is None else domain)
    rows = db.execute(query.order_by(endpoints.c.domain, endpoints.c.name)).all()
    return [_endpoint(db, dict(row._mapping)) for row in rows]


def changeable(db: Connection, domain: str, name: str) -> Endpoint:
    """The endpoint, `NotFound`, or `Conflict` if it is being deleted."""
    found = get(db, domain, name)
    if found.deleting:
        raise Conflict(f"The endpoint {name} is being deleted.", "Deploy it again when it is gone.")
    return found


def _find(db: Connection, domain: str, name: str) -> Endpoint | None:
    row = db.execute(scope_query(select(endpoints), endpoints, domain).where(endpoints.c.name == name)).one_or_none()
    return None if row is None else _endpoint(db, dict(row._mapping))


def _endpoint(db: Connection, values: dict[str, Any]) -> Endpoint:
    values["state"] = EndpointState(values["state"])
    values |= {key: tuple(msgspec.json.decode(values[key])) for key in ("redact", "cors")}
    return Endpoint(**values, variants=list_variants(db, values["id"]))
