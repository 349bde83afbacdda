"""Instance types: sizes and prices."""

from fastapi import APIRouter, Depends

from studio.access.principals import Principal
from studio.domains import instance_types
from studio.domains.instance_types import InstanceType
from studio.wire.context import Studio, studio
from studio.wire.permission import Allow
from studio.wire.rest.schemas.domains import InstanceTypeAnswer, InstanceTypeBody

router = APIRouter(prefix="/instance-types", tags=["instance types"])


@router.get("")
async def list_instance_types(
    studio: Studio = Depends(studio), _: Principal = Depends(Allow("instance-types.read"))
) -> list[InstanceTypeAnswer]:
    """What may be chosen, cheapest first."""
    return [InstanceTypeAnswer.model_validate(item) for item in await studio.store.read(instance_types.list_all)]


@router.put("/{name}")
async def put_instance_type(
    name: str,
    body: InstanceTypeBody,
    studio: Studio = Depends(studio),
    _: Principal = Depends(Allow("instance-types.write")),
) -> InstanceTypeAnswer:
    """Makes one or changes its size and price; what runs keeps what it was started with."""
    item = InstanceType(name, body.cpu, body.memory_mb, body.gpu, body.price_per_hour)
    return InstanceTypeAnswer.model_validate(await studio.store.write(lambda db: instance_types.put(db, item)))
