"""Our own wire, `/api/v1`: one file of routes and one of schemas per noun."""

from fastapi import APIRouter

from studio.wire.rest import (
    cost,
    data,
    domains,
    environments,
    evaluation,
    events,
    instance_types,
    jobs,
    keys,
    lab,
    members,
    monitoring,
    overview,
    registry,
    running,
    serving,
    session,
    status,
    tracking,
    users,
)

# Every router of the wire. Add yours here; `server.app` refuses routes that declare no permission.
ROUTERS: tuple[APIRouter, ...] = (
    session.router,
    status.router,
    users.router,
    domains.router,
    members.router,
    keys.router,
    lab.router,
    environments.router,
    instance_types.router,
    overview.router,
    data.router,
    tracking.router,
    registry.router,
    jobs.router,
    running.router,
    cost.router,
    serving.router,
    monitoring.router,
    evaluation.router,
    events.router,
)
