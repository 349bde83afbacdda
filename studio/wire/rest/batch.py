"""Batch: a file or data set scored with a model version, as a job."""

import asyncio
from dataclasses import replace

from fastapi import APIRouter, Depends, Request
from sqlalchemy import Connection

from studio.access.principals import Principal
from studio.data import datasets, sources
from studio.domains import quotas
from studio.errors import Invalid, NotFound
from studio.ids import check_name, is_name
from studio.jobs import batch, jobs, staging
from studio.jobs.batch import Scoring
from studio.registry import versions
from studio.wire.context import Studio, studio
from studio.wire.environment_uses import made_in
from studio.wire.isolation import require_isolation
from studio.wire.owner import owner_of
from studio.wire.permission import Allow, check
from studio.wire.rest import jobs as job_answers
from studio.wire.rest.schemas.batch import BatchBody
from studio.wire.rest.schemas.jobs import JobAnswer

router = APIRouter(prefix="/domains/{domain}/batch", tags=["jobs"])
LEAST_HASH = 6  # digits of one that name a version


@router.post("", status_code=202)
async def start_batch(
    domain: str,
    body: BatchBody,
    request: Request,
    studio: Studio = Depends(studio),
    principal: Principal = Depends(Allow("jobs.write")),
) -> JobAnswer:
    """Queues a job that scores the input in chunks and writes it with the predictions; follow it as any job."""
    quotas.require(studio.full, domain)
    await require_isolation(studio, domain)
    owner = owner_of(principal, domain)
    if body.dataset:
        check_name(body.dataset, "data set")

    def read(db: Connection) -> tuple[Scoring, str]:
        version = versions.resolve(db, domain, body.model)
        path, digest = _source(db, domain, body.input)
        output = body.output or batch.beside(path)
        scoring = Scoring(version.name, version.version, path, output, digest, body.format, body.chunk_rows)
        return replace(scoring, dataset=body.dataset), body.environment or made_in(db, domain, body.model)

    scoring, environment = await studio.store.read(read)
    await check(studio, request.scope, principal, "registry.read", domain, f"model/{scoring.model}")
    wanted = batch.wanted(scoring, owner, body.name, environment, body.instance_type)
    await asyncio.to_thread(sources.check, studio.settings.paths, domain, owner, scoring.input)
    await studio.store.read(lambda db: jobs.check(db, domain, wanted))
    job_id = jobs.new_job_id()
    async with staging.staged(studio.settings.paths.user(domain, owner), job_id, batch.SCRIPT_NAME, batch.SCRIPT):
        await studio.store.write(lambda db: jobs.create(db, domain, owner, job_id, wanted))
    return await studio.store.read(lambda db: job_answers.answer(db, jobs.get(db, domain, job_id)))


def _source(db: Connection, domain: str, named: str) -> tuple[str, str]:
    """(path, SHA-256 that it must have) of `shared/rows.csv`, or of the data set `rows` or `rows@1f3c…`."""
    name, sign, digest = named.partition("@")
    if "/" in named or not is_name(name):
        return named, ""
    found = datasets.versions(db, domain, name)
    if not sign:
        newest = datasets.get(db, domain, name)
        if newest.hash is None:
            raise Invalid(f"The data set {name} has no version yet.", "Wait for its profile.")
        digest = newest.hash
    if len(digest) < LEAST_HASH:
        raise Invalid(f"{digest!r} is too short to name a version.", f"Give at least {LEAST_HASH} digits of its hash.")
    fitting = [version for version in found if version.hash.startswith(digest)]
    if len(fitting) != 1:
        many = f"{len(fitting)} versions" if fitting else "no version"
        raise NotFound(f"The data set {name} has {many} with the hash {digest[:64]}.", "See its versions in Data.")
    return fitting[0].path, fitting[0].hash
