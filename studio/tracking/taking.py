"""Everything of an experiment, page by page in a fixed order, for taking it to another tracking server."""

from sqlalchemy import Connection, select

from studio.store.tables import tracking as t
from studio.store.tenancy import FOUND, scope_query
from studio.tracking import experiments, loading, logged_models, runs
from studio.tracking.records import LoggedModel, Run

PAGE = 100


def page_of_runs(db: Connection, domain: str, experiment_id: str, after: int) -> list[Run]:
    """At most PAGE runs, deleted ones too, of numbers above `after`."""
    number = experiments.find(db, domain, experiment_id).id
    query = scope_query(select(*(t.runs.c[name] for name in runs.INFO)), t.runs, FOUND)
    query = query.where(t.runs.c.experiment == number, t.runs.c.id > after).order_by(t.runs.c.id).limit(PAGE)
    return loading.load(db, [runs.record(tuple(row)) for row in db.execute(query)])


def page_of_models(db: Connection, domain: str, experiment_id: str, after: str) -> list[LoggedModel]:
    """At most PAGE logged models that are not deleted, of ids above `after`."""
    number = experiments.find(db, domain, experiment_id).id
    c = t.logged_models.c
    query = scope_query(
        select(t.logged_models).where(c.experiment == number, c.model_id > after, c.stage == experiments.ACTIVE),
        c,
        FOUND,
    )
    return logged_models.load(db, db.execute(query.order_by(c.model_id).limit(PAGE)).all())
