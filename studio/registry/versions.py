"""Versions of registered models, and what `models:/…` means."""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from studio.clock import now_ms
from studio.errors import Invalid, NotFound
from studio.registry import names, sources
from studio.registry.records import ModelVersion
from studio.settings import Paths
from studio.store import signal
from studio.store.tables import registry as t
from studio.store.tenancy import scope_query
from studio.tracking import artifacts, places
from studio.tracking.places import Place
from studio.tracking.records import Pair
from studio.webhooks.deliveries import happened

STAGES = {name.lower(): name for name in ("None", "Staging", "Production", "Archived")}
READY = "READY"
APPROVAL_TAG = "studio.approval"  # and what begins with it and a dot: written by `approvals` alone
_URI = re.compile(r"models:/(?P<name>[^/@]+)(?:@(?P<alias>[^/@]+)|/(?P<version>[^/@]+))")


def create(
    db: Connection,
    domain: str,
    name: str,
    source: str,
    *,
    owner: str,
    run_id: str = "",
    model_id: str = "",
    run_link: str = "",
    description: str = "",
    tags: Sequence[Pair] = (),
) -> ModelVersion:
    """Registers files of this domain as the next version; `Invalid` if `source` is anything else."""
    row = names.find(db, domain, name)
    wanted = {tag.key: tag.value for tag in map(names.check_tag, tags) if not _is_approval(tag.key)}
    if _URI.fullmatch(source):
        found = sources.copied(source, resolve(db, domain, source), run_id, model_id)
    else:
        found = sources.resolve(db, domain, source, run_id, model_id)
    now = now_ms()
    number = row.last_version + 1
    values = {
        "model": row.id,
        "version": number,
        "description": description,
        "owner": owner,
        "stage": "None",
        "source": found.source,
        "location": found.place.uri,
        "run_id": found.run_id or None,
        "run_link": run_link,
        "model_id": found.model_id or None,
        "status": READY,
        "created_ms": now,
        "updated_ms": now,
    }
    db.execute(insert(t.model_versions).values(**values))
    if wanted:
        rows = [{"model": row.id, "version": number, "key": key, "value": value} for key, value in wanted.items()]
        db.execute(insert(t.model_version_tags), rows)
    names.touch(db, domain, row, last_version=number)
    told = {"name": name, "version": str(number), "source": found.source, "run_id": found.run_id or None}
    happened(db, domain, "model_version.created", {**told, "tags": wanted, "description": description or None})
    return get(db, domain, name, number)


def get(db: Connection, domain: str, name: str, version: int) -> ModelVersion:
    """A version with its tags and aliases."""
    model = names.find(db, domain, name)
    c = t.model_versions.c
    row = db.execute(select(t.model_versions).where(c.model == model.id, c.version == version)).first()
    if row is None:
        raise NotFound(f"Model Version (name={name}, version={version}) not found")
    return load(db, [row], {model.id: name})[0]


def newest(db: Connection, domain: str, name: str) -> ModelVersion:
    """The version with the highest number."""
    model = names.find(db, domain, name)
    number = db.execute(
        select(func.max(t.model_versions.c.version)).where(t.model_versions.c.model == model.id)
    ).scalar()
    if number is None:
        raise NotFound(f"Registered Model with name={name} has no version", "Register one first.")
    return get(db, domain, name, number)


def of_model(db: Connection, domain: str, name: str) -> list[ModelVersion]:
    """All versions of a model, newest first."""
    model = names.find(db, domain, name)
    query = select(t.model_versions).where(t.model_versions.c.model == model.id)
    return load(db, db.execute(query.order_by(t.model_versions.c.version.desc())).all(), {model.id: name})


def newest_of_stages(db: Connection, rows: Sequence[Row[Any]]) -> dict[int, list[ModelVersion]]:
    """Model number → the newest version of each stage; the stages in the order of their first version, as MLflow."""
    c = t.model_versions.c
    called = {row.id: row.name for row in rows}
    heads = (
        select(c.model, func.max(c.version).label("version"), func.min(c.version).label("first"))
        .where(c.model.in_(called))
        .group_by(c.model, c.stage)
        .subquery()
    )
    match = (c.model == heads.c.model) & (c.version == heads.c.version)
    found = db.execute(select(t.model_versions).join(heads, match).order_by(heads.c.first)).all()
    latest: dict[int, list[ModelVersion]] = defaultdict(list)
    for row, record in zip(found, load(db, found, called), strict=True):
        latest[row.model].append(record)
    return latest


def describe(db: Connection, domain: str, name: str, version: int, description: str | None) -> ModelVersion:
    """Sets the description; none takes it away."""
    return _change(db, domain, name, version, description=description)


def move(db: Connection, domain: str, name: str, version: int, stage: str, *, archive: bool = False) -> ModelVersion:
    """Sets the stage, which old clients still do; `archive` moves those that were in it to Archived."""
    goal = STAGES.get(stage.lower())
    if goal is None:
        raise Invalid(f"Invalid Model Version stage: {stage}. Value must be one of {', '.join(STAGES.values())}.")
    if archive:
        if goal not in ("Staging", "Production"):
            raise Invalid(f"archive_existing_versions is only for the stages Staging and Production, not {goal}.")
        model = names.find(db, domain, name)
        c = t.model_versions.c
        others = update(t.model_versions).where(c.model == model.id, c.stage == goal, c.version != version)
        db.execute(others.values(stage="Archived", updated_ms=now_ms()))
    return _change(db, domain, name, version, stage=goal)


def remove(db: Connection, domain: str, name: str, version: int) -> None:
    """Deletes a version and the aliases that mean it; its number is never given again."""
    get(db, domain, name, version)
    model = names.find(db, domain, name)
    for table in (t.model_versions, t.model_version_tags, t.aliases, t.version_approvals):
        db.execute(delete(table).where(table.c.model == model.id, table.c.version == version))
    names.touch(db, domain, model)


def set_tag(db: Connection, domain: str, name: str, version: int, tag: Pair) -> None:
    """Sets a tag; the last value counts."""
    get(db, domain, name, version)
    names.check_tag(tag)
    _check_free(tag.key)
    put_tags(db, names.find(db, domain, name).id, version, [tag])
    signal(db, "models", domain, name)
    told = {"name": name, "version": str(version), "key": tag.key, "value": tag.value}
    happened(db, domain, "model_version_tag.set", told)


def put_tags(db: Connection, model: int, version: int, tags: Iterable[Pair]) -> None:
    """Writes tags that were checked, of a version that is there; `model` is its number."""
    for tag in tags:
        _drop_tag(db, model, version, tag.key)
        row = {"model": model, "version": version, "key": tag.key, "value": tag.value}
        db.execute(insert(t.model_version_tags).values(**row))


def delete_tag(db: Connection, domain: str, name: str, version: int, key: str) -> None:
    """Deletes a tag; none of that key is fine, as in MLflow."""
    get(db, domain, name, version)
    _check_free(key)
    _drop_tag(db, names.find(db, domain, name).id, version, key)
    signal(db, "models", domain, name)
    happened(db, domain, "model_version_tag.deleted", {"name": name, "version": str(version), "key": key})


def resolve(db: Connection, domain: str, uri: str) -> ModelVersion:
    """What `models:/name@alias`, `models:/name/3` or `models:/name/latest` means; `Invalid` if it is none of these."""
    match = _URI.fullmatch(uri)
    if match is None:
        raise Invalid(f"{uri!r} names no model version.", "Write models:/<name>@<alias> or models:/<name>/<version>.")
    name, alias, version = match["name"], match["alias"], match["version"]
    if alias:
        return of_alias(db, domain, name, alias)
    return newest(db, domain, name) if version.lower() == "latest" else get(db, domain, name, parse_version(version))


def of_alias(db: Connection, domain: str, name: str, alias: str) -> ModelVersion:
    """The version that an alias means; `latest` is the newest. `Invalid`, as in MLflow, if there is no such alias."""
    row = names.find(db, domain, name)
    if names.check_alias(alias).lower() == names.NEWEST:
        return newest(db, domain, name)
    c = t.aliases.c
    version = db.execute(select(c.version).where(c.model == row.id, c.alias == alias)).scalar()
    if version is None:
        raise Invalid(f"Registered model alias {alias} not found.", "Set it, or name another alias or a version.")
    return get(db, domain, name, version)


def artifact_folder(paths: Paths, domain: str, version: ModelVersion) -> tuple[Path, Place]:
    """(the domain's folder, the place in it) of a version's files: for `tracking.artifacts.walk`, `copy_tree` …"""
    return artifacts.root(paths, domain), places.parse(version.location)


def load(db: Connection, rows: Sequence[Row[Any]], called: dict[int, str]) -> list[ModelVersion]:
    """The records of `rows`; `called` are the models' names by number."""
    ids = {row.model for row in rows}
    tags: dict[tuple[int, int], list[Pair]] = defaultdict(list)
    for row in db.execute(select(t.model_version_tags).where(t.model_version_tags.c.model.in_(ids))):
        tags[row.model, row.version].append(Pair(row.key, row.value))
    aliases: dict[tuple[int, int], list[str]] = defaultdict(list)
    for row in db.execute(select(t.aliases).where(t.aliases.c.model.in_(ids)).order_by(t.aliases.c.alias)):
        aliases[row.model, row.version].append(row.alias)
    return [_record(row, called[row.model], tags, aliases) for row in rows]


def parse_version(text: str) -> int:
    """The number of a version, as clients write it; none below one exists, but that is for whoever looks it up."""
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdigit() and len(digits) < 10):
        raise Invalid(f"Parameter 'version' must be an integer, got '{text}'.")
    return int(text)


def _record(row: Row[Any], name: str, tags: Any, aliases: Any) -> ModelVersion:
    return ModelVersion(
        name=name,
        version=row.version,
        owner=row.owner,
        description=row.description,
        stage=row.stage,
        source=row.source,
        location=row.location,
        run_id=row.run_id,
        run_link=row.run_link,
        model_id=row.model_id,
        status=row.status,
        created_ms=row.created_ms,
        updated_ms=row.updated_ms,
        tags=tags[row.model, row.version],
        aliases=aliases[row.model, row.version],
    )


def _change(db: Connection, domain: str, name: str, version: int, **values: object) -> ModelVersion:
    get(db, domain, name, version)
    model = names.find(db, domain, name)
    c = t.model_versions.c
    change = update(t.model_versions).where(c.model == model.id, c.version == version)
    db.execute(change.values(**values, updated_ms=now_ms()))
    names.touch(db, domain, model)
    return get(db, domain, name, version)


def _is_approval(key: str) -> bool:
    return key == APPROVAL_TAG or key.startswith(f"{APPROVAL_TAG}.")


def _check_free(key: str) -> None:
    if _is_approval(key):
        hint = "An admin of the domain decides in the Models view; who, when and why are kept."
        raise Invalid(f"The tag '{key}' says what was decided about the version; it cannot be set or deleted.", hint)


def _drop_tag(db: Connection, model: int, version: int, key: str) -> None:
    c = t.model_version_tags.c
    db.execute(delete(t.model_version_tags).where(c.model == model, c.version == version, c.key == key))


def stages(wanted: Iterable[str]) -> set[str]:
    """The stages of `wanted` as MLflow writes them; all if none is named."""
    named = [item for item in wanted if item]
    unknown = [item for item in named if item.lower() not in STAGES]
    if unknown:
        raise Invalid(f"Invalid Model Version stage: {unknown[0]}. Value must be one of {', '.join(STAGES.values())}.")
    return {STAGES[item.lower()] for item in named} or set(STAGES.values())


def counts(db: Connection, domain: str) -> dict[str, int]:
    """Model → number of its versions, for those that have any."""
    m = t.registered_models.c
    query = scope_query(select(m.name, func.count()), m, domain)
    rows = db.execute(query.join(t.model_versions, t.model_versions.c.model == m.id).group_by(m.name))
    return {row[0]: row[1] for row in rows}


def of_run(db: Connection, domain: str, run_id: str) -> list[ModelVersion]:
    """The versions that were made from a run, newest first."""
    m, v = t.registered_models.c, t.model_versions.c
    query = scope_query(select(t.model_versions, m.name.label("model_name")), m, domain)
    query = query.join(t.registered_models, m.id == v.model).where(v.run_id == run_id)
    rows = db.execute(query.order_by(v.created_ms.desc())).all()
    return load(db, rows, {row.model: row.model_name for row in rows})
