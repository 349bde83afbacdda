"""What a run cost: composed here of runs and the ledger, which do not know each other."""

from fastapi import APIRouter, Depends
from sqlalchemy import Connection

from studio import ledger
from studio.access.principals import Principal
from studio.clock import now_ms
from studio.ledger.entries import MS_PER_HOUR
from studio.tracking import runs
from studio.tracking.records import RunInfo
from studio.wire.context import Studio, studio
from studio.wire.permission import Allow
from studio.wire.rest.schemas.run_cost import RunCostAnswer

router = APIRouter(prefix="/domains/{domain}/runs/{run_id}/cost", tags=["cost"])
LATE_MS = 60_000  # an entry may begin so much after what it counts: it is written by a loop


@router.get("")
async def get_run_cost(
    domain: str, run_id: str, studio: Studio = Depends(studio), _: Principal = Depends(Allow("tracking.read"))
) -> RunCostAnswer:
    """Of a job's run: the job's entry in the ledger. Of a kernel's: an estimate."""

    def read(db: Connection) -> RunCostAnswer:
        info = runs.info(db, domain, run_id)
        return _of_job(db, domain, info) or _of_kernel(db, domain, info) or _unknown()

    return await studio.store.read(read)


def _of_job(db: Connection, domain: str, info: RunInfo) -> RunCostAnswer | None:
    # The tag that names the job is the client's word: only an entry of the run's own domain and owner counts.
    entry = ledger.find(db, domain, info.job_id) if info.job_id else None
    if entry is None or entry.kind != "job" or entry.user != info.owner:
        return None
    return RunCostAnswer(
        basis="job",
        cost=entry.cost,
        instance_type=entry.instance_type,
        price_per_hour=entry.price_per_hour,
        hours=entry.hours,
        runs=len(runs.of_job(db, domain, info.job_id or "")),
    )


def _of_kernel(db: Connection, domain: str, info: RunInfo) -> RunCostAnswer | None:
    if not info.start_ms:
        return None
    entry = ledger.running_at(db, domain, info.owner, "kernel", info.start_ms, LATE_MS)
    if entry is None:
        return None
    hours = max(0, (info.end_ms or now_ms()) - info.start_ms) / MS_PER_HOUR
    return RunCostAnswer(
        basis="kernel",
        cost=hours * entry.price_per_hour,
        instance_type=entry.instance_type,
        price_per_hour=entry.price_per_hour,
        hours=hours,
        runs=1,
    )


def _unknown() -> RunCostAnswer:
    return RunCostAnswer(basis="unknown", cost=None, instance_type="", price_per_hour=0.0, hours=0.0, runs=1)
