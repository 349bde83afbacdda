"""A domain at a glance."""

import os

from fastapi import APIRouter, Depends

from studio.access.principals import Principal
from studio.runtime.specs import SandboxState
from studio.wire.context import Studio, studio
from studio.wire.permission import Allow
from studio.wire.rest.schemas.overview import OverviewAnswer, RunningItem

router = APIRouter(prefix="/domains/{domain}/overview", tags=["overview"])


@router.get("")
async def get_overview(
    domain: str, studio: Studio = Depends(studio), _: Principal = Depends(Allow("domain.read"))
) -> OverviewAnswer:
    """What is there and what runs."""
    state = await studio.supervisor.state()
    boxes = [box for box in state.sandboxes if box.domain == domain]
    return OverviewAnswer(
        kernels=sum(child.kind == "kernel" for box in boxes for child in box.children),
        running=[item for box in boxes for item in _running(box)],
        currency=studio.settings.currency,
        cores=os.cpu_count() or 1,
        memory_gb=round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30, 1),
    )


def _running(box: SandboxState) -> list[RunningItem]:
    children = [
        RunningItem(
            id=f"{box.id}/{child.name}", kind=child.kind, name=child.name, owner=box.owner, since_ms=child.started_ms
        )
        for child in box.children
    ]
    labs = [
        RunningItem(id=f"{box.id}/lab", kind="lab", name="Lab", owner=box.owner, since_ms=service.started_ms)
        for service in box.services
        if service.name == "lab"
    ]
    return labs + children
