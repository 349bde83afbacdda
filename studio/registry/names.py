"""Finding a registered model, and what models and aliases may be called."""

import re
from typing import Any

from sqlalchemy import Connection, Row, select, update

from studio.clock import now_ms
from studio.errors import Invalid, NotFound
from studio.store import signal
from studio.store.tables import registry as t
from studio.store.tenancy import FOUND, scope_query
from studio.tracking import limits
from studio.tracking.records import Pair

NEWEST = "latest"  # the alias of a model's newest version
_ALIAS = re.compile(r"[\w\-]+")


def find(db: Connection, domain: str, name: str) -> Row[Any]:
    """The row of a registered model of this domain; `NotFound` else."""
    check_model_name(name)
    c = t.registered_models.c
    row = db.execute(scope_query(select(t.registered_models), c, domain).where(c.name == name)).first()
    if row is None:
        raise NotFound(f"Registered Model with name={name} not found")
    return row


def touch(db: Connection, domain: str, row: Row[Any], **values: object) -> None:
    """Changes a model and when it was changed."""
    change = scope_query(update(t.registered_models), t.registered_models, FOUND).where(
        t.registered_models.c.id == row.id
    )
    db.execute(change.values(**values, updated_ms=now_ms()))
    signal(db, "models", domain, row.name)


def check_model_name(name: str) -> str:
    """`name` itself, if a registered model may be called so."""
    if not name.strip():
        raise Invalid("Missing value for required parameter 'name'.")
    if "/" in name or ":" in name:
        raise Invalid(f"Invalid model name '{name}'. Names cannot contain '/' or ':'.")
    return limits.check_length("Model name", 256, limits.check_path(name))


def check_alias(alias: str) -> str:
    """`alias` itself, if it is written like one."""
    if not _ALIAS.fullmatch(alias):
        raise Invalid(
            f"Invalid alias name: '{alias}'. Names may only contain alphanumerics, underscores (_), and dashes (-)."
        )
    return limits.check_length("Registered model alias name", 255, alias)


def check_new_alias(alias: str) -> str:
    """`alias` itself, if it can be given: `latest` and v1, v2 … mean something already."""
    if check_alias(alias).lower() == NEWEST:
        raise Invalid("'latest' alias name (case insensitive) is reserved.")
    if re.fullmatch(r"[vV]\d+", alias):
        raise Invalid(f"Version alias name '{alias}' is reserved.")
    return alias


def check_tag(tag: Pair) -> Pair:
    """`tag` itself, if a model or version may have it."""
    limits.check_key(tag.key, "key")
    limits.check_length("Tag value", limits.REGISTRY_TAG_VALUE, tag.value)
    return tag
