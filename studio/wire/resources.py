"""What a request is about, as `kind/name`, by convention: the path's parameter or the body's field that names it.

A run, logged model or trace is its experiment's, which is looked up only where a rule or a narrowed key makes the
answer depend on it. Whatever cannot be told is "": about all of its kind, which is the stricter reading.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from types import SimpleNamespace
from typing import Any

from fastapi.routing import APIRoute
from sqlalchemy import Connection
from starlette.requests import HTTPConnection, Request

from studio.access.permissions import kind_of
from studio.access.tickets import resource_of
from studio.domains import instance_types
from studio.errors import NotFound, StudioError
from studio.serving import endpoints
from studio.store import Store
from studio.tracking import experiments, handles, logged_models, traces

UNKNOWN = ""
# Kind → the path's parameters that may name it, and the body's field where one is made.
PARAMETERS: Mapping[str, tuple[str, ...]] = {
    "dataset": ("name",),
    "model": ("model",),
    "job": ("job_id",),
    "endpoint": ("endpoint", "name"),
    "environment": ("name",),
    "member": ("user",),
    "key": ("key",),
    "running": ("running_id",),
    "space": ("space",),
    "webhook": ("webhook_id",),
}
FIELDS: Mapping[str, str] = {"member": "user"}  # of the others: `name`
Lookup = Callable[[Connection, str], str]


async def of_request(connection: HTTPConnection, store: Store, domain: str | None, action: str) -> list[str]:
    """Every resource that a call of our own wire names, at least one; each of them has to be allowed."""
    kind = kind_of(action)
    if kind == "experiment" and domain:
        given = SimpleNamespace(**{str(name): value for name, value in (await _body(connection)).items()})
        path = {name: str(value) for name, value in connection.path_params.items()}
        return await store.read(lambda db: _of_tracking(db, domain, path, given))
    return [in_path(kind, connection.path_params) or await in_body(kind, connection)]


def in_path(kind: str, path: Mapping[str, Any]) -> str:
    """The resource that a path names, "" if it names none of this kind."""
    found = next((path[name] for name in PARAMETERS.get(kind, ()) if name in path), None)
    return UNKNOWN if found is None else f"{kind}/{found}"


async def attributes(connection: HTTPConnection, store: Store, domain: str | None, action: str) -> dict[str, Any]:
    """What conditions may ask of a call: the instance type that its body chooses, else the endpoint's own."""
    if "instance_type" in _declared(connection):
        return {"instance_type": (await _body(connection)).get("instance_type") or instance_types.DEFAULT}
    name = in_path("endpoint", connection.path_params).removeprefix("endpoint/")
    if kind_of(action) != "endpoint" or not name or not domain:
        return {}
    try:
        return {"instance_type": (await store.read(lambda db: endpoints.get(db, domain, name))).instance_type}
    except NotFound:
        return {}


async def of_call(store: Store, domain: str, action: str, path: dict[str, str], body: Any) -> list[str]:
    """The same for a call of MLflow's wire; `body` is what its route takes."""
    if kind_of(action) == "experiment":
        return await store.read(lambda db: _of_tracking(db, domain, path, body))
    name = getattr(body, "name", "")
    return [in_path(kind_of(action), path) or (f"{kind_of(action)}/{name}" if name else UNKNOWN)]


async def in_body(kind: str, connection: HTTPConnection) -> str:
    """The resource that is made under the name in a body, "" if the body names none of this kind."""
    field = FIELDS.get(kind, "name")
    if kind not in PARAMETERS or field not in _declared(connection):
        return UNKNOWN
    name = (await _body(connection)).get(field)
    return f"{kind}/{name}" if isinstance(name, str) and name else UNKNOWN


def _declared(connection: HTTPConnection) -> Mapping[str, Any]:
    """The fields of the body that the route takes; what else is sent is refused by it."""
    route = connection.scope.get("route")
    field = route.body_field if isinstance(route, APIRoute) else None
    fields: Mapping[str, Any] = getattr(field.field_info.annotation, "model_fields", {}) if field is not None else {}
    return fields


async def _body(connection: HTTPConnection) -> dict[str, Any]:
    """Those of the fields that were sent. The framework has read the body already, and keeps it."""
    declared = _declared(connection)
    if not declared or not isinstance(connection, Request):
        return {}
    try:
        sent = json.loads(await connection.body() or b"{}")
    except (ValueError, RecursionError):
        return {}
    return {name: value for name, value in sent.items() if name in declared} if isinstance(sent, dict) else {}


def _of_tracking(db: Connection, domain: str, path: Mapping[str, str], body: Any) -> list[str]:
    found: dict[str, None] = {}
    for lookup, names in _named(domain, path, body):
        for name in names:
            try:
                found[f"experiment/{lookup(db, name)}"] = None
            except StudioError:
                found[UNKNOWN] = None  # the same answer as for one that may not be seen
    if getattr(body, "numbers", None):
        found[UNKNOWN] = None  # of runs as the table counts them: they may be any
    file = path.get("path") or (getattr(body, "path", "") if not found else "")
    if file:
        found[resource_of(file)] = None
    return list(found) or [UNKNOWN]


def _named(domain: str, path: Mapping[str, str], body: Any) -> list[tuple[Lookup, list[str]]]:
    """(how to find the experiment, what is named) of every field that names something."""
    in_path = SimpleNamespace(**path)
    places = [item.mlflow_experiment for item in getattr(body, "locations", ())]
    models = [text for item in getattr(body, "models", None) or () for text in _texts(item, "model_id")]
    located = [text for item in places for text in _texts(item, "experiment_id")]

    def by_id(db: Connection, name: str) -> str:
        return str(experiments.find(db, domain, name).id)

    def by_name(db: Connection, name: str) -> str:
        return experiments.by_name(db, domain, name).experiment_id

    def of_run(db: Connection, name: str) -> str:
        return str(handles.find(db, domain, name).experiment)

    def of_model(db: Connection, name: str) -> str:
        return str(logged_models.find(db, domain, name, with_deleted=True).experiment)

    def of_trace(db: Connection, name: str) -> str:
        return traces.get(db, domain, name).experiment_id

    def texts(*fields: str) -> list[str]:
        return [*_texts(in_path, *fields), *_texts(body, *fields)]

    return [
        (by_id, [*texts("experiment_id", "experiment_ids"), *located]),
        (by_name, texts("experiment_name")),
        (of_run, texts("run_id", "run_uuid", "run_ids", "source_run_id")),
        (of_model, [*texts("model_id"), *models]),
        (of_trace, texts("trace_id", "trace_ids")),
    ]


def _texts(source: Any, *fields: str) -> list[str]:
    found: list[str] = []
    for field in fields:
        value = getattr(source, field, None)
        values: Iterable[Any] = value if isinstance(value, list) else [value]
        found += [item for item in values if isinstance(item, str) and item]
    return found
