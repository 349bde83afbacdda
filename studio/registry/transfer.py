"""Registered models and versions brought here from another registry, with their numbers where these are free."""

from collections.abc import Mapping, Sequence

from msgspec import Struct
from sqlalchemy import Connection, select, update

from studio.errors import StudioError
from studio.registry import models, names, versions
from studio.store.cache import forget
from studio.store.tables import registry as t
from studio.store.tenancy import FOUND, scope_query
from studio.tracking.records import Pair


class GivenVersion(Struct, frozen=True):
    """As it was there; `source` is runs:/… or models:/m-… of what is here."""

    version: int
    source: str
    run_id: str
    description: str
    stage: str
    created_ms: int
    updated_ms: int
    tags: Mapping[str, str] = {}


class GivenRegistered(Struct, frozen=True):
    """A registered model as it was there."""

    name: str
    description: str
    created_ms: int
    updated_ms: int
    tags: Mapping[str, str] = {}


class Done(Struct, frozen=True):
    """`versions`: number there → number here; `kept`: aliases that mean another version here, and stay so."""

    new: bool
    versions: dict[str, int]
    new_versions: int
    kept: list[str]
    problems: list[str]


def put_all(
    db: Connection,
    domain: str,
    owner: str,
    given: GivenRegistered,
    given_versions: Sequence[GivenVersion],
    aliases: Mapping[str, int],
) -> Done:
    """Adds a model with versions and aliases; what is wrong with a version leaves the others."""
    is_new = put_model(db, domain, owner, given)
    numbers: dict[str, int] = {}
    problems: list[str] = []
    new_versions = 0
    for version in sorted(given_versions, key=lambda item: item.version):
        try:
            with db.begin_nested():
                number, is_new_version = put_version(db, domain, owner, given.name, version)
        except StudioError as error:
            forget(db)
            problems.append(f"version {version.version}: {error}")
            continue
        numbers[str(version.version)] = number
        new_versions += is_new_version
    kept = [
        alias
        for alias, there in aliases.items()
        if str(there) in numbers and not put_alias(db, domain, given.name, alias, numbers[str(there)])
    ]
    if is_new:
        _set_times(db, domain, given)
    return Done(is_new, numbers, new_versions, kept, problems)


def put_model(db: Connection, domain: str, owner: str, given: GivenRegistered) -> bool:
    """Whether the registered model is new; tags that it has already stay."""
    is_new = not models.exists(db, domain, given.name)
    if is_new:
        models.create(db, domain, given.name, owner=owner, description=given.description)
    old = {tag.key for tag in models.get(db, domain, given.name).tags}
    for key, value in given.tags.items():
        if key not in old:
            models.set_tag(db, domain, given.name, Pair(key, value))
    return is_new


def put_version(db: Connection, domain: str, owner: str, name: str, given: GivenVersion) -> tuple[int, bool]:
    """(number here, whether it is new): the number it had there if that is free, else the next one.

    A version from the same source and time is the same version."""
    model = names.find(db, domain, name)
    c = t.model_versions.c
    same = (c.model == model.id) & (c.source == given.source) & (c.created_ms == given.created_ms)
    found = db.execute(select(c.version).where(same).order_by(c.version)).scalar()
    if found is not None:
        return int(found), False
    if given.version > model.last_version + 1:
        # Those between were deleted there; their numbers are not given again here either.
        change = scope_query(update(t.registered_models), t.registered_models, FOUND).where(
            t.registered_models.c.id == model.id
        )
        db.execute(change.values(last_version=given.version - 1))
    tags = [Pair(key, value) for key, value in given.tags.items()]
    made = versions.create(
        db, domain, name, given.source, owner=owner, run_id=given.run_id, description=given.description, tags=tags
    )
    own = (c.model == model.id) & (c.version == made.version)
    stage = next(iter(versions.stages([given.stage]))) if given.stage else "None"
    times = {"created_ms": given.created_ms, "updated_ms": given.updated_ms}
    # What it was made from, in the words that make it the same version when it comes again.
    db.execute(update(t.model_versions).where(own).values(**times, stage=stage, source=given.source))
    return made.version, True


def put_alias(db: Connection, domain: str, name: str, alias: str, version: int) -> bool:
    """Whether the alias means that version now; one that means another version here stays."""
    known = models.get(db, domain, name).aliases.get(alias)
    if known is None:
        models.set_alias(db, domain, name, alias, version)
    return known in (None, version)


def _set_times(db: Connection, domain: str, given: GivenRegistered) -> None:
    c = t.registered_models.c
    change = scope_query(update(t.registered_models), c, domain).where(c.name == given.name)
    db.execute(change.values(created_ms=given.created_ms, updated_ms=given.updated_ms))
