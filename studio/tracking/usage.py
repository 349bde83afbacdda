"""Which runs used a data set: the other direction of `inputs`."""

from sqlalchemy import Connection, select

from studio.store.tables import tracking as t
from studio.store.tenancy import scope_query
from studio.tracking import runs
from studio.tracking.records import RunInfo


def runs_of_dataset(db: Connection, domain: str, name: str, digest: str = "", limit: int = 20) -> list[RunInfo]:
    """The newest active runs that used a data set of this name (and digest)."""
    query = scope_query(
        select(*(t.runs.c[column] for column in runs.INFO))
        .join(t.inputs, t.inputs.c.run == t.runs.c.id)
        .join(t.datasets, t.datasets.c.id == t.inputs.c.dataset)
        .where(t.runs.c.stage == "active", t.datasets.c.name == name)
        .distinct(),
        t.runs,
        domain,
    )
    if digest:
        query = query.where(t.datasets.c.digest == digest)
    rows = db.execute(query.order_by(t.runs.c.start_ms.desc(), t.runs.c.id.desc()).limit(limit))
    return [runs.record(tuple(row)) for row in rows]


def find_runs(db: Connection, domain: str, run_ids: set[str]) -> list[RunInfo]:
    """Those of `run_ids` that are this domain's, deleted ones too, newest first; at most 1000 are looked for."""
    query = scope_query(select(*(t.runs.c[column] for column in runs.INFO)), t.runs, domain)
    query = query.where(t.runs.c.run_id.in_(sorted(run_ids)[:1000]))
    return [runs.record(tuple(row)) for row in db.execute(query.order_by(t.runs.c.start_ms.desc()))]
