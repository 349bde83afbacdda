"""How long it took to wake serverless endpoints here."""

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict

from studio.access.principals import Principal
from studio.serving import wakes
from studio.wire.context import Studio, studio
from studio.wire.permission import Allow

router = APIRouter(prefix="/domains/{domain}/wake-times", tags=["endpoints"])


class WakeTimesAnswer(BaseModel):
    """Medians of the last wakes in one environment, in ms; null where there were none. `cold_ms`: the environment had
    to be started first."""

    model_config = ConfigDict(from_attributes=True)
    environment: str
    warm_ms: float | None
    cold_ms: float | None
    measured: int


@router.get("")
async def list_wake_times(
    domain: str, studio: Studio = Depends(studio), _: Principal = Depends(Allow("serving.read"))
) -> list[WakeTimesAnswer]:
    """By environment, as callers of this domain's endpoints waited; empty before the first wake."""
    found = await studio.store.read(lambda db: wakes.times(db, domain))
    return [WakeTimesAnswer.model_validate(one) for one in found]
