"""Experiments: names unique in their domain, deleted ones too; "0" means the domain's default."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, Select, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from studio.clock import now_ms
from studio.errors import AlreadyExists, Conflict, Invalid, NotFound
from studio.store import signal
from studio.store.cache import cache
from studio.store.tables import tracking as t
from studio.store.tenancy import FOUND, scope_query
from studio.tracking import limits, places
from studio.tracking.records import Experiment, Pair

ACTIVE, DELETED = "active", "deleted"
DEFAULT_NAME = "Default"


def has_default(db: Connection, domain: str) -> bool:
    """Whether the default experiment of `domain` exists."""
    return (
        db.execute(_of(domain).with_only_columns(t.experiments.c.id).where(t.experiments.c.is_default)).first()
        is not None
    )


def ensure_default(db: Connection, domain: str) -> str:
    """The id of the default experiment of `domain`, made if there is none."""
    known: dict[str, int] = cache(db).setdefault("tracking.defaults", {})
    if domain in known:
        return str(known[domain])
    row = db.execute(_of(domain).where(t.experiments.c.is_default)).first()
    if row is None:
        # Somebody may have taken the name before the default was needed.
        taken = db.execute(_of(domain).where(t.experiments.c.name == DEFAULT_NAME)).first()
        made = _insert(db, domain, DEFAULT_NAME if taken is None else f"{DEFAULT_NAME} (0)", None, [], is_default=True)
    else:
        made = row.id
    known[domain] = made
    return str(made)


def create(
    db: Connection, domain: str, name: str, artifact_location: str | None = None, tags: Sequence[Pair] = ()
) -> str:
    """Makes an experiment and returns its id; `AlreadyExists` if the name is taken, by a deleted one too."""
    limits.check_experiment_name(name)
    for tag in tags:
        limits.check_key(tag.key, "key")
        limits.check_length("Tag value", limits.EXPERIMENT_TAG_VALUE, tag.value)
    location = places.parse(artifact_location).uri if artifact_location else None
    try:
        with db.begin_nested():
            made = _insert(db, domain, name, location, tags, is_default=False)
    except IntegrityError as error:
        raise AlreadyExists(
            f"Experiment(name={name}) already exists.", "Use it, or restore it if it was deleted."
        ) from error
    return str(made)


def get(db: Connection, domain: str, experiment_id: str) -> Experiment:
    """The experiment, deleted or not, with its tags."""
    row = find(db, domain, experiment_id)
    return _record(row, _tags(db, [row.id])[row.id])


def by_name(db: Connection, domain: str, name: str) -> Experiment:
    """The experiment called `name`, deleted or not."""
    row = db.execute(_of(domain).where(t.experiments.c.name == name)).first()
    if row is None:
        raise NotFound(f"Could not find experiment with name '{name}'")
    return _record(row, _tags(db, [row.id])[row.id])


def rename(db: Connection, domain: str, experiment_id: str, name: str) -> None:
    """Gives an active experiment another name."""
    limits.check_experiment_name(name)
    row = find(db, domain, experiment_id)
    if row.stage != ACTIVE:
        raise Conflict("Cannot rename a non-active experiment.")
    taken = db.execute(_of(domain).where(t.experiments.c.name == name)).first()
    if taken is not None and taken.id != row.id:
        raise AlreadyExists(f"Experiment(name={name}) already exists.", "Choose another name.")
    _change(db, domain, row.id, name=name)


def remove(db: Connection, domain: str, experiment_id: str) -> None:
    """Marks the experiment and its runs deleted; `restore` undoes it."""
    row = find(db, domain, experiment_id, ACTIVE)
    now = now_ms()
    _change(db, domain, row.id, stage=DELETED)
    db.execute(
        scope_query(update(t.runs), t.runs, FOUND)
        .where(t.runs.c.experiment == row.id)
        .values(stage=DELETED, deleted_ms=now)
    )
    cache(db).pop("tracking.runs", None)


def restore(db: Connection, domain: str, experiment_id: str) -> None:
    """Brings a deleted experiment and its runs back."""
    row = find(db, domain, experiment_id, DELETED)
    _change(db, domain, row.id, stage=ACTIVE)
    db.execute(
        scope_query(update(t.runs), t.runs, FOUND)
        .where(t.runs.c.experiment == row.id)
        .values(stage=ACTIVE, deleted_ms=None)
    )


def set_tag(db: Connection, domain: str, experiment_id: str, tag: Pair) -> None:
    """Sets a tag of an active experiment."""
    limits.check_key(tag.key, "key")
    limits.check_length("Tag value", limits.EXPERIMENT_TAG_VALUE, tag.value)
    row = check_active(find(db, domain, experiment_id))
    keep = (t.experiment_tags.c.experiment == row.id) & (t.experiment_tags.c.key == tag.key)
    db.execute(delete(t.experiment_tags).where(keep))
    db.execute(insert(t.experiment_tags).values(experiment=row.id, key=tag.key, value=tag.value))
    signal(db, "experiments", domain, str(row.id))


def delete_tag(db: Connection, domain: str, experiment_id: str, key: str) -> None:
    """Deletes a tag of an active experiment."""
    row = check_active(find(db, domain, experiment_id))
    keep = (t.experiment_tags.c.experiment == row.id) & (t.experiment_tags.c.key == key)
    if db.execute(delete(t.experiment_tags).where(keep)).rowcount == 0:
        raise NotFound(f"No tag with name: {key} in experiment with id {experiment_id}")
    signal(db, "experiments", domain, str(row.id))


def find(db: Connection, domain: str, experiment_id: str, stage: str | None = None) -> Row[Any]:
    """The row of an experiment of this domain, "0" or "" being its default; `NotFound` else."""
    query = _of(domain)
    number = parse_id(experiment_id)
    query = query.where(t.experiments.c.id == number if number else t.experiments.c.is_default)
    row = db.execute(query if stage is None else query.where(t.experiments.c.stage == stage)).first()
    if row is None:
        raise NotFound(f"No Experiment with id={number} exists")
    return row


def numbers(db: Connection, domain: str, experiment_ids: Sequence[str]) -> list[int]:
    """The internal numbers of those of `experiment_ids` that are this domain's; others are left out, as in MLflow."""
    wanted = {parse_id(item) for item in experiment_ids}
    query = scope_query(select(t.experiments.c.id, t.experiments.c.is_default), t.experiments, domain)
    return [row.id for row in db.execute(query) if row.id in wanted or (row.is_default and 0 in wanted)]


def parse_id(experiment_id: str) -> int:
    """The number in an experiment's id; "" is 0."""
    digits = experiment_id.removeprefix("-")
    if experiment_id and not (digits.isascii() and digits.isdigit() and len(digits) < 19):
        raise Invalid(f"Invalid experiment ID '{experiment_id}'. Experiment ID must be a valid integer.")
    return int(experiment_id or 0)


def check_active(row: Row[Any]) -> Row[Any]:
    """The row itself, if the experiment is not deleted."""
    check_stage(row.id, row.stage)
    return row


def check_stage(number: int, stage: str) -> None:
    """Returns if the experiment `number` is not deleted."""
    if stage != ACTIVE:
        raise Invalid(f"The experiment {number} must be in the 'active' state. Current state is {stage}.")


def load(db: Connection, rows: Sequence[Row[Any]]) -> list[Experiment]:
    """The records of `rows`, with their tags."""
    tags = _tags(db, [row.id for row in rows])
    return [_record(row, tags[row.id]) for row in rows]


def _of(domain: str) -> Select[Any]:
    return scope_query(select(t.experiments), t.experiments, domain)


def _insert(
    db: Connection, domain: str, name: str, location: str | None, tags: Sequence[Pair], *, is_default: bool
) -> int:
    now = now_ms()
    values = {"domain": domain, "name": name, "is_default": is_default, "artifact_location": location or ""}
    made = db.execute(insert(t.experiments).values(**values, stage=ACTIVE, created_ms=now, updated_ms=now))
    number = int(made.inserted_primary_key[0])  # type: ignore[index]
    if location is None:
        change = scope_query(update(t.experiments), t.experiments, domain).where(t.experiments.c.id == number)
        db.execute(change.values(artifact_location=f"{places.SCHEME}:/{number}"))
    rows = [{"experiment": number, "key": key, "value": value} for key, value in {g.key: g.value for g in tags}.items()]
    if rows:
        db.execute(insert(t.experiment_tags), rows)
    signal(db, "experiments", domain, str(number))
    return number


def _change(db: Connection, domain: str, number: int, **values: object) -> None:
    db.execute(
        scope_query(update(t.experiments), t.experiments, domain)
        .where(t.experiments.c.id == number)
        .values(**values, updated_ms=now_ms())
    )
    signal(db, "experiments", domain, str(number))


def _tags(db: Connection, numbers: Sequence[int]) -> dict[int, list[Pair]]:
    found: dict[int, list[Pair]] = {number: [] for number in numbers}
    for row in db.execute(select(t.experiment_tags).where(t.experiment_tags.c.experiment.in_(numbers))):
        found[row.experiment].append(Pair(row.key, row.value))
    return found


def _record(row: Row[Any], tags: list[Pair]) -> Experiment:
    return Experiment(
        experiment_id=str(row.id),
        name=row.name,
        artifact_location=row.artifact_location,
        stage=row.stage,
        created_ms=row.created_ms,
        updated_ms=row.updated_ms,
        is_default=bool(row.is_default),
        tags=tags,
    )


def active_ids(db: Connection, domain: str) -> list[str]:
    """The ids of the active experiments of `domain`."""
    query = _of(domain).with_only_columns(t.experiments.c.id).where(t.experiments.c.stage == ACTIVE)
    return [str(number) for number in db.execute(query).scalars()]
