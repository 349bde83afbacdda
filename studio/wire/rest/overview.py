"""A domain at a glance."""

import os

from fastapi import APIRouter, Depends
from sqlalchemy import Connection

from studio import ledger
from studio.access.principals import Principal
from studio.clock import now_ms
from studio.cost import bills, running
from studio.wire import glance
from studio.wire.context import Studio, studio
from studio.wire.permission import Allow
from studio.wire.rest.running import answer
from studio.wire.rest.schemas.overview import OverviewAnswer, RecentItem

router = APIRouter(prefix="/domains/{domain}/overview", tags=["overview"])
RECENT = 12


@router.get("")
async def get_overview(
    domain: str, studio: Studio = Depends(studio), principal: Principal = Depends(Allow("domain.read"))
) -> OverviewAnswer:
    """What is there, what runs, what happened last, what today has cost."""

    def read(db: Connection) -> OverviewAnswer:
        counts = glance.counts(db, domain)
        lines = running.lines(ledger.open_entries(db, domain))
        return OverviewAnswer(
            datasets=counts.datasets,
            kernels=sum(line.kind == "kernel" for line in lines),
            runs=counts.runs,
            models=counts.models,
            endpoints=counts.endpoints,
            alerts=counts.alerts,
            running=[answer(studio, principal, domain, line) for line in lines],
            recent=[RecentItem.model_validate(item) for item in glance.recent(db, domain, RECENT)],
            cost_today=bills.today(db, domain, now_ms()),
            currency=studio.settings.currency,
            cores=os.cpu_count() or 1,
            memory_gb=round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30, 1),
        )

    return await studio.store.read(read)
