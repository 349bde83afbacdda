"""Jobs."""

import asyncio

from fastapi import APIRouter, Depends, Query
from sqlalchemy import Connection

from studio import ledger
from studio.access.principals import Principal
from studio.domains import quotas
from studio.jobs import jobs, logs, scripts, staging
from studio.jobs.jobs import Job, Wanted
from studio.tracking import runs
from studio.wire.context import Studio, studio
from studio.wire.isolation import require_isolation
from studio.wire.owner import owner_of, require_owner
from studio.wire.permission import Allow
from studio.wire.rest.schemas.jobs import JobAnswer, JobBody, LogAnswer
from studio.wire.waiting import until

router = APIRouter(prefix="/domains/{domain}/jobs", tags=["jobs"])
READ = Allow("jobs.read")
WRITE = Allow("jobs.write")
_FIELDS = frozenset(JobAnswer.model_fields) - {"script_name", "run_ids", "cost"}


@router.get("")
async def list_jobs(
    domain: str,
    limit: int = Query(100, ge=1, le=500),
    studio: Studio = Depends(studio),
    _: Principal = Depends(READ),
) -> list[JobAnswer]:
    """The domain's jobs, newest first."""
    return await studio.store.read(lambda db: _answers(db, jobs.list_all(db, domain, limit)))


@router.post("", status_code=202)
async def start_job(
    domain: str, body: JobBody, studio: Studio = Depends(studio), principal: Principal = Depends(WRITE)
) -> JobAnswer:
    """Queues a script; it runs in the caller's sandbox as soon as that is ready. A script with a syntax error is
    refused, with its line."""
    quotas.require(studio.full, domain)
    await require_isolation(studio, domain)
    owner = owner_of(principal, domain)
    name = scripts.check_file_name(body.script_name)
    text = scripts.check_script(body.script, name)
    params = scripts.check_params(body.params)
    wanted = Wanted(
        body.name.strip() or name.removesuffix(".py"),
        *(name, params, body.environment, body.instance_type, body.experiment),
    )
    await studio.store.read(lambda db: jobs.check(db, domain, wanted))
    job_id = jobs.new_job_id()
    async with staging.staged(studio.settings.paths.user(domain, owner), job_id, name, text):
        job = await studio.store.write(lambda db: jobs.create(db, domain, owner, job_id, wanted))
    return await studio.store.read(lambda db: answer(db, job))


@router.get("/{job_id}")
async def get_job(
    domain: str,
    job_id: str,
    wait_s: float = Query(0, ge=0, le=30, description="Waits so long for its end."),
    studio: Studio = Depends(studio),
    _: Principal = Depends(READ),
) -> JobAnswer:
    """One job with the runs it made."""
    await until(studio, "jobs", wait_s, lambda: studio.store.read(lambda db: _has_ended(db, domain, job_id)))
    return await studio.store.read(lambda db: answer(db, jobs.get(db, domain, job_id)))


@router.post("/{job_id}/stop", status_code=202)
async def stop_job(
    domain: str, job_id: str, studio: Studio = Depends(studio), principal: Principal = Depends(WRITE)
) -> JobAnswer:
    """Asks for the end of one's own job, or, as an admin, of anybody's: interrupt, then terminate, then kill."""
    found = await studio.store.read(lambda db: jobs.get(db, domain, job_id))
    require_owner(principal, domain, "job", found.owner)
    job = await studio.store.write(lambda db: jobs.request_stop(db, domain, job_id))
    return await studio.store.read(lambda db: answer(db, job))


@router.get("/{job_id}/log")
async def get_log(
    domain: str,
    job_id: str,
    offset: int = Query(0, ge=0),
    studio: Studio = Depends(studio),
    _: Principal = Depends(READ),
) -> LogAnswer:
    """Its output from byte `offset` on, while it runs and afterwards."""
    # The state before the text: what was written until a job's end is in the log by then.
    job = await studio.store.read(lambda db: jobs.get(db, domain, job_id))
    piece = await asyncio.to_thread(logs.read, studio.settings.paths.logs, job, offset)
    return LogAnswer(
        text=piece.text, next_offset=piece.next_offset, done=job.state.is_end and piece.next_offset >= piece.size
    )


def _has_ended(db: Connection, domain: str, job_id: str) -> bool:
    return jobs.get(db, domain, job_id).state.is_end


def answer(db: Connection, job: Job) -> JobAnswer:
    """One, as this wire tells of it."""
    return _answers(db, [job])[0]


def _answers(db: Connection, found: list[Job]) -> list[JobAnswer]:
    costs = ledger.costs(db, [job.id for job in found])
    return [
        JobAnswer(
            **{field: getattr(job, field) for field in _FIELDS},
            script_name=job.script,
            run_ids=runs.of_job(db, job.domain, job.id),
            cost=costs.get(job.id, 0.0),
        )
        for job in found
    ]
