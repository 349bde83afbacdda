"""A domain at a glance: what it has and what happened last, over all slices. Reads only."""

from dataclasses import dataclass
from urllib.parse import quote

from sqlalchemy import ColumnElement, Connection, Table, func, select

from studio.store.tables.data import dataset_versions, datasets
from studio.store.tables.jobs import jobs
from studio.store.tables.monitoring import alerts
from studio.store.tables.registry import model_versions, registered_models
from studio.store.tables.serving import endpoint_events, endpoints
from studio.store.tables.tracking import runs
from studio.store.tenancy import scope_query


@dataclass(frozen=True, slots=True)
class Counts:
    """How many there are; `alerts`: open ones."""

    datasets: int
    runs: int
    models: int
    endpoints: int
    alerts: int


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened; `link` names a thing as `<kind>s/<id>`."""

    kind: str
    title: str
    detail: str
    at_ms: int
    link: str


def counts(db: Connection, domain: str) -> Counts:
    """What `domain` has."""

    def count(table: Table, *where: ColumnElement[bool]) -> int:
        return db.scalar(select(func.count()).select_from(table).where(table.c.domain == domain, *where)) or 0

    return Counts(
        datasets=count(datasets),
        runs=count(runs, runs.c.stage == "active"),
        models=count(registered_models),
        endpoints=count(endpoints),
        alerts=count(alerts, alerts.c.state == "Open"),
    )


def recent(db: Connection, domain: str, limit: int) -> list[Event]:
    """The last `limit` things that happened in `domain`, newest first."""
    kinds = (_runs, _jobs, _datasets, _models, _endpoints, _alerts)
    found = [event for kind in kinds for event in kind(db, domain, limit)]
    return sorted(found, key=lambda event: -event.at_ms)[:limit]


def _runs(db: Connection, domain: str, limit: int) -> list[Event]:
    query = scope_query(select(runs), runs, domain).where(runs.c.stage == "active")
    return [
        Event("run", row.name, row.status.lower(), row.end_ms or row.start_ms or 0, f"runs/{row.run_id}")
        # Newest first by id: the table is walked from its end.
        for row in db.execute(query.order_by(runs.c.id.desc()).limit(limit))
    ]


def _jobs(db: Connection, domain: str, limit: int) -> list[Event]:
    query = scope_query(select(jobs), jobs, domain).order_by(jobs.c.created_ms.desc()).limit(limit)
    return [
        Event("job", row.name, row.state, row.ended_ms or row.started_ms or row.created_ms, f"jobs/{row.id}")
        for row in db.execute(query)
    ]


def _datasets(db: Connection, domain: str, limit: int) -> list[Event]:
    query = scope_query(select(dataset_versions), dataset_versions, domain)
    return [
        Event(
            "dataset",
            row.dataset,
            f"version {row.version}, {row.rows} rows",
            row.created_ms,
            f"datasets/{quote(row.dataset)}",
        )
        for row in db.execute(query.order_by(dataset_versions.c.created_ms.desc()).limit(limit))
    ]


def _models(db: Connection, domain: str, limit: int) -> list[Event]:
    query = (
        scope_query(
            select(registered_models.c.name, model_versions.c.version, model_versions.c.created_ms),
            registered_models,
            domain,
        )
        .join(model_versions, model_versions.c.model == registered_models.c.id)
        .order_by(model_versions.c.created_ms.desc())
        .limit(limit)
    )
    return [
        Event("model", row.name, f"version {row.version}", row.created_ms, f"models/{quote(row.name, safe='')}")
        for row in db.execute(query)
    ]


def _endpoints(db: Connection, domain: str, limit: int) -> list[Event]:
    # The last event of each: a deploy alone writes half a dozen, and they would push everything else out.
    last = select(func.max(endpoint_events.c.seq)).group_by(endpoint_events.c.endpoint)
    query = (
        scope_query(select(endpoints.c.name, endpoint_events.c.text, endpoint_events.c.at_ms), endpoints, domain)
        .join(endpoint_events, endpoint_events.c.endpoint == endpoints.c.id)
        .where(endpoint_events.c.seq.in_(last))
        .order_by(endpoint_events.c.seq.desc())
        .limit(limit)
    )
    return [
        Event("endpoint", row.name, row.text, row.at_ms, f"endpoints/{quote(row.name)}") for row in db.execute(query)
    ]


def _alerts(db: Connection, domain: str, limit: int) -> list[Event]:
    query = (
        scope_query(select(alerts, endpoints.c.name), alerts, domain)
        .join(endpoints, endpoints.c.id == alerts.c.endpoint)
        .order_by(alerts.c.opened_ms.desc())
        .limit(limit)
    )
    return [
        Event("alert", row.name, row.message, row.resolved_ms or row.opened_ms, f"alerts/{row.id}")
        for row in db.execute(query)
    ]
