"""What a domain costs."""

from fastapi import APIRouter, Depends, Query

from studio.access.principals import Principal
from studio.clock import now_ms
from studio.cost import bills
from studio.wire.context import Studio, studio
from studio.wire.permission import Allow
from studio.wire.rest.schemas.cost import BillAnswer, DayAnswer, ShareAnswer

router = APIRouter(prefix="/domains/{domain}/cost", tags=["cost"])


@router.get("")
async def get_cost(
    domain: str,
    days: int = Query(30, ge=1, le=366, description="How many days the parts and the daily sums cover."),
    studio: Studio = Depends(studio),
    _: Principal = Depends(Allow("cost.read")),
) -> BillAnswer:
    """Today, this month, in parts, day by day."""
    bill = await studio.store.read(lambda db: bills.bill(db, domain, now_ms(), days))
    return BillAnswer(
        currency=studio.settings.currency,
        today=bill.today,
        month=bill.month,
        by_kind=[ShareAnswer.model_validate(item) for item in bill.by_kind],
        by_user=[ShareAnswer.model_validate(item) for item in bill.by_user],
        by_resource=[ShareAnswer.model_validate(item) for item in bill.by_resource],
        daily=[DayAnswer(date=date, cost=cost) for date, cost in bill.daily],
    )
