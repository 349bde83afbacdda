"""Registered models: names unique in their domain."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select
from sqlalchemy.exc import IntegrityError

from studio.clock import now_ms
from studio.errors import AlreadyExists
from studio.registry import names, versions
from studio.registry.records import RegisteredModel
from studio.store import signal
from studio.store.tables import registry as t
from studio.store.tenancy import FOUND, scope_query
from studio.tracking.records import Pair
from studio.webhooks.deliveries import happened


def create(
    db: Connection, domain: str, name: str, *, owner: str, description: str = "", tags: Sequence[Pair] = ()
) -> RegisteredModel:
    """Makes a registered model without versions."""
    names.check_model_name(name)
    wanted = {tag.key: tag.value for tag in map(names.check_tag, tags)}
    now = now_ms()
    row = {"domain": domain, "name": name, "owner": owner, "description": description, "last_version": 0}
    try:
        with db.begin_nested():
            made = db.execute(insert(t.registered_models).values(**row, created_ms=now, updated_ms=now))
    except IntegrityError as error:
        raise AlreadyExists(f"Registered Model (name={name}) already exists.") from error
    number = made.inserted_primary_key[0]  # type: ignore[index]
    if wanted:
        rows = [{"model": number, "key": key, "value": value} for key, value in wanted.items()]
        db.execute(insert(t.registered_model_tags), rows)
    signal(db, "models", domain, name)
    happened(db, domain, "registered_model.created", {"name": name, "tags": wanted, "description": description or None})
    return get(db, domain, name)


def get(db: Connection, domain: str, name: str) -> RegisteredModel:
    """The model with its tags, aliases and newest versions."""
    return load(db, [names.find(db, domain, name)])[0]


def describe(db: Connection, domain: str, name: str, description: str) -> RegisteredModel:
    """Sets the description."""
    names.touch(db, domain, names.find(db, domain, name), description=description)
    return get(db, domain, name)


def rename(db: Connection, domain: str, name: str, new_name: str) -> RegisteredModel:
    """Gives the model another name; its versions and aliases go along."""
    row = names.find(db, domain, name)
    names.check_model_name(new_name)
    try:
        with db.begin_nested():
            names.touch(db, domain, row, name=new_name)
    except IntegrityError as error:
        raise AlreadyExists(f"Registered Model (name={new_name}) already exists.") from error
    signal(db, "models", domain, new_name)
    return get(db, domain, new_name)


def remove(db: Connection, domain: str, name: str) -> None:
    """Deletes the model, its versions and aliases; the files stay with their runs."""
    row = names.find(db, domain, name)
    db.execute(
        scope_query(delete(t.registered_models), t.registered_models, FOUND).where(t.registered_models.c.id == row.id)
    )
    for table in (t.registered_model_tags, t.model_versions, t.model_version_tags, t.aliases, t.version_approvals):
        db.execute(delete(table).where(table.c.model == row.id))
    signal(db, "models", domain, name)


def set_tag(db: Connection, domain: str, name: str, tag: Pair) -> None:
    """Sets a tag; the last value counts."""
    row = names.find(db, domain, name)
    names.check_tag(tag)
    _drop_tag(db, row.id, tag.key)
    db.execute(insert(t.registered_model_tags).values(model=row.id, key=tag.key, value=tag.value))
    signal(db, "models", domain, name)


def delete_tag(db: Connection, domain: str, name: str, key: str) -> None:
    """Deletes a tag; none of that key is fine, as in MLflow."""
    _drop_tag(db, names.find(db, domain, name).id, key)
    signal(db, "models", domain, name)


def set_alias(db: Connection, domain: str, name: str, alias: str, version: int) -> None:
    """Lets an alias mean a version, whatever it meant before."""
    names.check_new_alias(alias)
    row = names.find(db, domain, name)
    versions.get(db, domain, name, version)
    db.execute(delete(t.aliases).where(t.aliases.c.model == row.id, t.aliases.c.alias == alias))
    db.execute(insert(t.aliases).values(model=row.id, alias=alias, version=version))
    signal(db, "models", domain, name)
    happened(db, domain, "model_version_alias.created", {"name": name, "alias": alias, "version": str(version)})


def delete_alias(db: Connection, domain: str, name: str, alias: str) -> None:
    """Deletes an alias; none of that name is fine, as in MLflow."""
    row = names.find(db, domain, name)
    names.check_alias(alias)
    db.execute(delete(t.aliases).where(t.aliases.c.model == row.id, t.aliases.c.alias == alias))
    signal(db, "models", domain, name)
    happened(db, domain, "model_version_alias.deleted", {"name": name, "alias": alias})


def load(db: Connection, rows: Sequence[Row[Any]]) -> list[RegisteredModel]:
    """The records of `rows`, in four queries."""
    ids = [row.id for row in rows]
    tags: dict[int, list[Pair]] = defaultdict(list)
    for row in db.execute(select(t.registered_model_tags).where(t.registered_model_tags.c.model.in_(ids))):
        tags[row.model].append(Pair(row.key, row.value))
    aliases: dict[int, dict[str, int]] = defaultdict(dict)
    for row in db.execute(select(t.aliases).where(t.aliases.c.model.in_(ids)).order_by(t.aliases.c.alias)):
        aliases[row.model][row.alias] = row.version
    latest = versions.newest_of_stages(db, rows)
    return [
        RegisteredModel(
            row.name,
            row.owner,
            row.description,
            row.created_ms,
            row.updated_ms,
            row.last_version,
            latest[row.id],
            tags[row.id],
            aliases[row.id],
        )
        for row in rows
    ]


def _drop_tag(db: Connection, model: int, key: str) -> None:
    c = t.registered_model_tags.c
    db.execute(delete(t.registered_model_tags).where(c.model == model, c.key == key))


def exists(db: Connection, domain: str, name: str) -> bool:
    """Whether there is a registered model of this name."""
    names.check_model_name(name)
    c = t.registered_models.c
    return db.execute(scope_query(select(c.id), c, domain).where(c.name == name)).first() is not None
