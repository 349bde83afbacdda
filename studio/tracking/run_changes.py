"""Changing many runs at once: a few statements whatever their number, so that no other write waits long."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, delete, select, update

from studio.clock import now_ms
from studio.errors import Invalid
from studio.store import signal
from studio.store.tables import tracking as t
from studio.store.tenancy import COMPARED, FOUND, scope_query
from studio.tracking import experiments, handles, limits, tags
from studio.tracking.records import Pair

MOST = 1000


def set_stage(db: Connection, domain: str, run_ids: Sequence[str], *, deleted: bool) -> None:
    """Marks all of the runs deleted, or makes them active again; none of them if one is not there."""
    rows = _find(db, domain, run_ids)
    values = {
        "stage": experiments.DELETED if deleted else experiments.ACTIVE,
        "deleted_ms": now_ms() if deleted else None,
    }
    db.execute(
        scope_query(update(t.runs), t.runs, FOUND).where(t.runs.c.id.in_([row.id for row in rows])).values(**values)
    )
    for run_id in run_ids:
        handles.forget(db, domain, run_id)
    signal(db, "runs", domain, *run_ids)


def change_tags(db: Connection, domain: str, run_ids: Sequence[str], wanted: Mapping[str, str | None]) -> None:
    """Sets tags in all of the runs, or deletes them where the value is none; runs must be active."""
    if {tags.NAME_TAG, tags.JOB_TAG} & set(wanted):
        raise Invalid(f"{tags.NAME_TAG} and {tags.JOB_TAG} are one run's own.", "Rename runs one by one.")
    kept = [limits.clean_tag(Pair(key, value)) for key, value in wanted.items() if value is not None]
    gone = [key for key, value in wanted.items() if value is None]
    rows = _find(db, domain, run_ids)
    for row in rows:
        if row.stage != experiments.ACTIVE:
            raise Invalid(f"The run {row.run_id} is deleted.", "Restore it first.")
    tags.put_many(db, [(row.id, tag.key, tag.value) for row in rows for tag in kept])
    if gone:
        db.execute(delete(t.tags).where(t.tags.c.run.in_([row.id for row in rows]), t.tags.c.key.in_(gone)))
    signal(db, "runs", domain, *run_ids)


def _find(db: Connection, domain: str, run_ids: Sequence[str]) -> list[Row[Any]]:
    if len(run_ids) > MOST:
        raise Invalid(f"{len(run_ids)} runs are too many at once.", f"Change at most {MOST} in one request.")
    query = scope_query(select(t.runs.c.id, t.runs.c.run_id, t.runs.c.stage, t.runs.c.domain), t.runs, COMPARED)
    found: list[Row[Any]] = [*db.execute(query.where(t.runs.c.run_id.in_(set(run_ids))))]
    # The domain is looked at here: asked for in SQL, SQLite would go through all of its runs by the index of jobs.
    rows = [row for row in found if row.domain == domain]
    missing = sorted(set(run_ids) - {row.run_id for row in rows})
    if missing:
        raise handles.missing(missing[0])
    return rows
