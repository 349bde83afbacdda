"""What a call of this wire is about, as `kind/name`: found only where a rule or a narrowed key asks for it.

A run, logged model or trace is its experiment's. Whatever cannot be told is "": about all of its kind."""

from collections.abc import Callable, Iterable
from typing import Any

from sqlalchemy import Connection

from studio.access.tickets import resource_of
from studio.errors import StudioError
from studio.store import Store
from studio.tracking import experiments, handles, logged_models, traces

UNKNOWN = ""
Lookup = Callable[[Connection, str], str]


async def of_call(store: Store, domain: str, action: str, path: dict[str, str], body: Any) -> list[str]:
    """Every resource that the call names, at least one; each of them has to be allowed."""
    kind = action.partition(".")[0]
    if kind == "registry":
        name = getattr(body, "name", "")
        return [f"model/{name}" if name else UNKNOWN]
    if kind == "webhooks":
        return [f"webhook/{path['webhook_id']}" if "webhook_id" in path else UNKNOWN]
    return await store.read(lambda db: _of_tracking(db, domain, path, body))


def _of_tracking(db: Connection, domain: str, path: dict[str, str], body: Any) -> list[str]:
    found: dict[str, None] = {}
    for lookup, names in _named(domain, path, body):
        for name in names:
            try:
                found[f"experiment/{lookup(db, name)}"] = None
            except StudioError:
                found[UNKNOWN] = None  # the same answer as for one that may not be seen
    file = path.get("path") or (getattr(body, "path", "") if not found else "")
    if file:
        found[resource_of(file)] = None
    return list(found) or [UNKNOWN]


def _named(domain: str, path: dict[str, str], body: Any) -> list[tuple[Lookup, list[str]]]:
    """(how to find the experiment, what is named) of every field that names something."""
    places = [item.mlflow_experiment for item in getattr(body, "locations", ())]
    models = [text for item in getattr(body, "models", None) or () for text in _texts(item, "model_id")]

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

    located = [text for item in places for text in _texts(item, "experiment_id")]
    return [
        (by_id, [*_texts(body, "experiment_id", "experiment_ids"), *located]),
        (by_name, _texts(body, "experiment_name")),
        (of_run, _texts(body, "run_id", "run_uuid", "run_ids", "source_run_id")),
        (of_model, [*_texts(body, "model_id"), *models, *_path(path, "model_id")]),
        (of_trace, [*_texts(body, "trace_id", "trace_ids"), *_path(path, "trace_id")]),
    ]


def _texts(source: Any, *fields: str) -> list[str]:
    found: list[str] = []
    for field in fields:
        value = getattr(source, field, None)
        values: Iterable[Any] = value if isinstance(value, list) else [value]
        found += [item for item in values if isinstance(item, str) and item]
    return found


def _path(path: dict[str, str], name: str) -> list[str]:
    return [path[name]] if path.get(name) else []
